import re
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from numbers.messages import display
from numbers.models import Forwarding, PhoneNumber
from portal import berlin
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.browser.steps import drawn, opened, row, tab_to


class Words(NamedTuple):
    link: str
    title: str
    last_day: str
    first_day: str
    stops: str
    forwarding: str
    button: str
    cancel: str
    done: str
    badge: str
    dashboard: str


WORDS = {
    "de": Words(
        "{} deaktivieren",
        "Rufnummer deaktivieren",
        "aktiv bis einschließlich {},",
        "inaktiv ab {}",
        "Was dann nicht mehr funktioniert",
        "Weiterleitung immer auf",
        "Rufnummer jetzt deaktivieren",
        "Abbrechen",
        "Die Rufnummer {} ist zur Deaktivierung vorgemerkt: aktiv bis einschließlich {}, inaktiv ab {}.",
        "Deaktivierung vorgemerkt zum {}",
        "aktiv bis einschließlich {}",
    ),
    "en": Words(
        "Deactivate {}",
        "Deactivate phone number",
        "active up to and including {},",
        "inactive from {}",
        "What stops working then",
        "forwarding always to",
        "Deactivate the number now",
        "Cancel",
        "{} is scheduled for deactivation: active up to and including {}, inactive from {}.",
        "Deactivation scheduled for {}",
        "active up to and including {}",
    ),
}


@pytest.fixture
def number(in_acme):
    """An active number with a forwarding, beside another."""
    with in_acme():
        make.number(state="active")
        number = make.number(state="active", label="Empfang")
        Forwarding.objects.create(number=number, when="always", destination="+494066969001", changed_at=timezone.now())
        return number


def days():
    """Return the last active and the first inactive day of a deactivation requested now, as people write them."""
    last = berlin.end_of_following_month(timezone.now())
    return f"{last:%d.%m.%Y}", f"{last + timedelta(days=1):%d.%m.%Y}"


def state(in_acme, number):
    with in_acme():
        return PhoneNumber.objects.get(pk=number.pk).state


def test_deactivate(visit, cast, in_acme, number, manner):
    shown, say, (last, first) = display(number), WORDS[manner.language], days()
    page = visit(cast.alice, manner.language, js=manner.js)
    page.goto("/numbers/")
    link = row(page, shown).get_by_role("link", name=say.link.format(shown), exact=True)
    assert drawn(link, "minus") == "red"

    link.click()
    dialog = opened(page, js=manner.js, title=say.title)
    expect(dialog.get_by_text(say.last_day.format(last))).to_be_visible()
    expect(dialog.get_by_text(say.first_day.format(first))).to_be_visible()
    expect(dialog.get_by_role("heading", name=say.stops)).to_be_visible()
    expect(dialog.get_by_role("listitem").filter(has_text=say.forwarding)).to_be_visible()
    dialog.get_by_role("link", name=say.cancel, exact=True).click()
    expect(page.get_by_role("heading", name=say.title)).to_be_hidden()
    assert state(in_acme, number) == "active"
    row(page, shown).get_by_role("link", name=say.link.format(shown), exact=True).click()
    opened(page, js=manner.js, title=say.title).get_by_role("button", name=say.button, exact=True).click()

    expect(page.get_by_text(say.done.format(shown, last, first))).to_be_visible()
    badge = row(page, shown).get_by_text(say.badge.format(last))
    expect(badge).to_be_visible()
    drawn(badge, "exclamation mark")
    assert state(in_acme, number) == "deactivation_scheduled"
    with in_acme():
        assert AuditEvent.objects.get(verb="number.deactivation_scheduled").object_id == number.pk
        assert OutboxMessage.objects.get(template="numbers/deactivation_scheduled").language == manner.language
    page.goto("/dashboard/")
    entry = page.get_by_role("listitem").filter(has=page.get_by_role("link", name=shown, exact=True))
    entry = entry.filter(has_text=say.dashboard.format(last))
    expect(entry.first).to_be_visible()
    assert "circle-alert" in entry.first.locator("use").first.get_attribute("href")


def test_deactivate_shows_up_in_the_tabs_at_once(visit, cast, number):
    shown, page = display(number), visit(cast.alice)
    page.goto("/numbers/?state=active")
    tabs = page.get_by_role("navigation", name="Nach Status filtern")
    expect(tabs.get_by_role("link", name=re.compile("^Aktiv"))).to_contain_text("2")

    row(page, shown).get_by_role("link", name=f"{shown} deaktivieren", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Rufnummer jetzt deaktivieren", exact=True).click()

    expect(tabs.get_by_role("link", name=re.compile("^Aktiv"))).to_contain_text("1")
    expect(tabs.get_by_role("link", name=re.compile("vorgemerkt"))).to_contain_text("1")
    expect(row(page, shown)).to_be_visible()  # until the next load: nothing jumps from under the hand


def test_deactivate_warns_of_the_last_active_number(visit, cast, in_acme):
    with in_acme():
        only = make.number(state="active")
    page = visit(cast.alice)

    page.goto(f"/numbers/{only.pk}/deactivate/")

    expect(page.get_by_text(re.compile("letzte aktive Rufnummer"))).to_be_visible()


def test_deactivate_by_keyboard_alone(visit, cast, in_acme, number):
    shown, say, page = display(number), WORDS["de"], visit(cast.alice)
    page.goto("/numbers/?state=active")
    link = page.get_by_role("link", name=say.link.format(shown), exact=True)

    tab_to(link)
    page.keyboard.press("Enter")
    dialog = opened(page, js=True, title=say.title)
    tab_to(dialog.get_by_role("link", name=say.cancel, exact=True), within=dialog)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    opened(page, js=True, title=say.title)
    tab_to(dialog.get_by_role("button", name=say.button, exact=True), within=dialog)
    page.keyboard.press("Space")

    expect(page.get_by_text(say.done.format(shown, *days()))).to_be_visible()
    expect(page.get_by_role("link", name=f"Vormerkung von {shown} zurücknehmen")).to_be_focused()
    assert state(in_acme, number) == "deactivation_scheduled"


def test_deactivate_of_a_number_that_somebody_deactivated_meanwhile(visit, cast, in_acme, number, watch):
    """The first date stays (rule C5), and the page says so beside the present row."""
    shown, say, page = display(number), WORDS["de"], visit(cast.alice)
    page.goto("/numbers/")
    row(page, shown).get_by_role("link", name=say.link.format(shown), exact=True).click()
    dialog = opened(page, js=True, title=say.title)
    with in_acme():
        end = berlin.next_month(berlin.day(timezone.now())) - timedelta(days=1)
        PhoneNumber.objects.filter(pk=number.pk).update(state="deactivation_scheduled", last_active_on=end)

    dialog.get_by_role("button", name=say.button, exact=True).click()

    expect(page.get_by_text(re.compile("es bleibt beim ersten Termin"))).to_be_visible()
    expect(row(page, shown).get_by_text(say.badge.format(f"{end:%d.%m.%Y}"))).to_be_visible()


def test_dialog_is_tidied_up_at_once_when_it_closes(visit, cast, number):
    """Not with the event `close`: it comes a frame later, when the next dialog may be open, and would empty that."""
    page = visit(cast.alice)
    page.goto("/numbers/")
    row(page, display(number)).get_by_role("link", name=f"{display(number)} deaktivieren", exact=True).click()
    opened(page, js=True, title=WORDS["de"].title)

    left = page.evaluate(
        """() => {
          document.querySelector("#dialog a[data-dialog-close]").click();
          const content = document.getElementById("dialog-content").childElementCount;
          return [content, document.getElementById("toasts").parentElement.tagName];
        }"""
    )

    assert left == [0, "BODY"]
