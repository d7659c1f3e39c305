import re
from decimal import Decimal
from typing import NamedTuple

import pytest
from django.db import transaction
from playwright.sync_api import expect

from billing.models import Price, Slot
from numbers.messages import display
from numbers.models import PhoneNumber
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.browser.steps import drawn, opened, row, tab_to


class Words(NamedTuple):
    link: str
    title: str
    month: str
    monthly: str
    button: str
    cancel: str
    done: str
    active: str
    inactive: str


WORDS = {
    "de": Words(
        "{} aktivieren",
        "Rufnummer aktivieren",
        "Pro Monat",
        "2,90\u00a0€",
        "Rufnummern jetzt kostenpflichtig aktivieren",
        "Abbrechen",
        "Die Rufnummer {} ist jetzt aktiv.",
        "Aktiv",
        "Inaktiv",
    ),
    "en": Words(
        "Activate {}",
        "Activate phone number",
        "Per month",
        "€2.90",
        "Activate the numbers now at a charge",
        "Cancel",
        "{} is active now.",
        "Active",
        "Inactive",
    ),
}


@pytest.fixture
def number(in_acme):
    with in_acme():
        make.number(state="active")
        return make.number(label="Empfang")


def state(in_acme, number):
    with in_acme():
        return PhoneNumber.objects.get(pk=number.pk).state


def test_activate(visit, cast, in_acme, number, manner):
    shown, say = display(number), WORDS[manner.language]
    page = visit(cast.alice, manner.language, js=manner.js)
    page.goto("/numbers/")
    expect(row(page, shown).get_by_text(say.inactive, exact=True)).to_be_visible()
    link = row(page, shown).get_by_role("link", name=say.link.format(shown), exact=True)
    assert drawn(link, "play") == "green"

    link.click()
    dialog = opened(page, js=manner.js, title=say.title)
    expect(dialog.get_by_text(shown).first).to_be_visible()
    expect(dialog.get_by_role("row").filter(has_text=say.month)).to_contain_text(say.monthly)
    dialog.get_by_role("link", name=say.cancel, exact=True).click()
    expect(page.get_by_role("heading", name=say.title)).to_be_hidden()
    assert state(in_acme, number) == "inactive"
    row(page, shown).get_by_role("link", name=say.link.format(shown), exact=True).click()
    opened(page, js=manner.js, title=say.title).get_by_role("button", name=say.button, exact=True).click()

    expect(page.get_by_text(say.done.format(shown))).to_be_visible()
    expect(row(page, shown).get_by_text(say.active, exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("/numbers/$"))
    assert state(in_acme, number) == "active"
    with in_acme():
        assert AuditEvent.objects.get(verb="number.activated").object_id == number.pk
        assert OutboxMessage.objects.get(template="numbers/activated").language == manner.language


@pytest.mark.parametrize("js", [True, False])
def test_activate_asks_again_when_the_price_has_changed(visit, cast, in_acme, as_operator, number, js, watch):
    watch.expects = {422}
    shown, say, page = display(number), WORDS["de"], visit(cast.alice, js=js)
    page.goto("/numbers/")
    row(page, shown).get_by_role("link", name=say.link.format(shown), exact=True).click()
    dialog = opened(page, js=js, title=say.title)
    with transaction.atomic(), as_operator():
        Price.objects.filter(price_class="standard").update(monthly=Decimal("3.40"))

    dialog.get_by_role("button", name=say.button, exact=True).click()
    expect(dialog.get_by_text("Der Preis hat sich geändert: Er beträgt jetzt 3,40\u00a0€")).to_be_visible()
    expect(dialog.get_by_role("row").filter(has_text=say.month)).to_contain_text("3,40\u00a0€")
    if js:
        expect(dialog.get_by_role("alert")).to_be_focused()
    assert state(in_acme, number) == "inactive"
    dialog.get_by_role("button", name=say.button, exact=True).click()

    expect(page.get_by_text(say.done.format(shown))).to_be_visible()
    assert state(in_acme, number) == "active"


@pytest.mark.parametrize("js", [True, False])
def test_activate_counts_once_however_often_the_button_is_pressed(visit, cast, in_acme, number, js):
    shown, say, page = display(number), WORDS["de"], visit(cast.alice, js=js)
    page.goto("/numbers/")
    row(page, shown).get_by_role("link", name=say.link.format(shown), exact=True).click()

    opened(page, js=js, title=say.title).get_by_role("button", name=say.button, exact=True).dblclick()

    expect(page.get_by_text(say.done.format(shown))).to_be_visible()
    with in_acme():
        assert AuditEvent.objects.filter(verb="number.activated").count() == 1
        assert OutboxMessage.objects.filter(template="numbers/activated").count() == 1
        assert Slot.objects.filter(label=number.e164).count() == 1


def test_activate_by_keyboard_alone(visit, cast, in_acme, number):
    shown, say, page = display(number), WORDS["de"], visit(cast.alice)
    page.goto("/numbers/?state=inactive")
    link = page.get_by_role("link", name=say.link.format(shown), exact=True)

    tab_to(link)
    page.keyboard.press("Enter")
    dialog = opened(page, js=True, title=say.title)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    opened(page, js=True, title=say.title)
    tab_to(dialog.get_by_role("button", name=say.button, exact=True), within=dialog)
    page.keyboard.press("Enter")

    expect(page.get_by_text(say.done.format(shown))).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(row(page, shown).get_by_role("link", name=f"{shown} deaktivieren", exact=True)).to_be_focused()
    assert state(in_acme, number) == "active"
