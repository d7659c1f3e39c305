from typing import NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from numbers.messages import display
from numbers.models import PhoneNumber
from portal import berlin
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.browser.steps import drawn, opened, row


class Words(NamedTuple):
    link: str
    title: str
    button: str
    cancel: str
    done: str
    active: str


WORDS = {
    "de": Words(
        "Vormerkung von {} zurücknehmen",
        "Vormerkung zurücknehmen",
        "Vormerkung zurücknehmen",
        "Abbrechen",
        "Die Vormerkung der Rufnummer {} wurde zurückgenommen. Die Rufnummer bleibt aktiv.",
        "Aktiv",
    ),
    "en": Words(
        "Withdraw the deactivation of {}",
        "Withdraw deactivation",
        "Withdraw deactivation",
        "Cancel",
        "The deactivation of {} was withdrawn. The number stays active.",
        "Active",
    ),
}


@pytest.fixture
def number(in_acme):
    with in_acme():
        make.number(state="active")
        last = berlin.end_of_following_month(timezone.now())
        return make.number(state="deactivation_scheduled", last_active_on=last, label="Empfang")


def state(in_acme, number):
    with in_acme():
        return PhoneNumber.objects.get(pk=number.pk).state


def test_withdraw_from_the_overview(visit, cast, in_acme, number, manner):
    shown, say = display(number), WORDS[manner.language]
    page = visit(cast.alice, manner.language, js=manner.js)
    page.goto("/numbers/")
    link = row(page, shown).get_by_role("link", name=say.link.format(shown), exact=True)
    drawn(link, "arrow back")

    link.click()
    dialog = opened(page, js=manner.js, title=say.title)
    dialog.get_by_role("link", name=say.cancel, exact=True).click()
    expect(page.get_by_role("heading", name=say.title)).to_be_hidden()
    assert state(in_acme, number) == "deactivation_scheduled"
    link.click()
    opened(page, js=manner.js, title=say.title).get_by_role("button", name=say.button, exact=True).click()

    expect(page.get_by_text(say.done.format(shown))).to_be_visible()
    expect(row(page, shown).get_by_text(say.active, exact=True)).to_be_visible()
    assert state(in_acme, number) == "active"
    with in_acme():
        assert AuditEvent.objects.get(verb="number.deactivation_withdrawn").object_id == number.pk
        assert OutboxMessage.objects.get(template="numbers/deactivation_withdrawn").language == manner.language


@pytest.mark.parametrize("start", ["/dashboard/", "/upcoming/", "/numbers/{}/"])
@pytest.mark.parametrize("js", [True, False])
def test_withdraw_leads_back_to_where_it_began(visit, cast, in_acme, number, start, js):
    shown, say, page = display(number), WORDS["de"], visit(cast.alice, js=js)
    start = start.format(number.pk)
    page.goto(start)

    page.get_by_role("main").get_by_role("link", name="zurücknehmen").click()
    opened(page, js=False, title=say.title).get_by_role("button", name=say.button, exact=True).click()

    expect(page.get_by_text(say.done.format(shown))).to_be_visible()
    assert page.url.endswith(start)
    expect(page.get_by_role("main").get_by_role("link", name="zurücknehmen")).to_have_count(0)
    assert state(in_acme, number) == "active"
