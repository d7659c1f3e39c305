"""The source's steps for assigning a number: later from the overview, and at once with a new staff member."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from numbers import assignment, call_months, holders
from numbers.messages import display
from numbers.models import CallRecord, PhoneNumber
from portal import berlin
from staff import settings
from staff.models import StaffMember
from tests import calling, make
from tests.browser.looks import faults
from tests.browser.steps import opened, row


class Words(NamedTuple):
    sign: str
    title: str
    uses: str
    purge: str
    calls: str
    to: str
    search: str
    save: str
    done: str
    new: str
    create: str
    created: str
    search_numbers: str
    look: str


WORDS = {
    "de": Words(
        "{} zuordnen",
        "Rufnummer zuordnen",
        "Momentan nutzt Paula Peters diese Rufnummer",
        "Verkehrsdaten dieses Mitarbeiters löschen",
        "2 Verbindungen",
        "Rufnummer zuordnen an",
        "Mitarbeiter suchen",
        "Speichern",
        "{} ist jetzt Curt Cramer zugeordnet.",
        "Neuer Mitarbeiter",
        "Anlegen",
        "Nina Neu wurde angelegt. 2 Rufnummern sind zugeordnet.",
        "Aktive Rufnummern durchsuchen",
        "Suchen",
    ),
    "en": Words(
        "Assign {}",
        "Assign phone number",
        "At present Paula Peters uses this number",
        "Delete the traffic data of this staff member",
        "2 calls",
        "Assign the number to",
        "Search staff members",
        "Save",
        "{} is assigned to Curt Cramer now.",
        "New staff member",
        "Create",
        "Nina Neu was created. 2 numbers are assigned.",
        "Search active numbers",
        "Search",
    ),
}


@pytest.fixture
def held(in_acme, cast):
    """A number that Paula has, with two calls; Curt, who may get it; and a number of nobody."""
    now = timezone.now()
    calling.make_months(*[berlin.next_month(call_months.of(now), months) for months in (-2, -1, 0, 1)])
    with in_acme():
        number = make.number(state="active", label="Empfang")
        paula = make.member("Paula Peters")
        make.member("Curt Cramer")
        make.number("+493023125011", state="active", label="Werkstatt")
        rows = PhoneNumber.objects.locked([number.pk])
        assignment.assign(rows, staff_member=paula, by=cast.alice, at=now - timedelta(days=20))
    for days in (9, 3):
        calling.take(calling.line(number, now - timedelta(days=days), talk=10, cost_micro=1), at=now)
    return number


def stands(in_acme, number):
    with in_acme():
        found = holders.of_number(number, at=timezone.now()).present
        return [holder.name for holder in found], CallRecord.objects.count()


@pytest.mark.parametrize("purge", [False, True], ids=["kept", "purged"])
def test_assign_from_the_overview(visit, cast, in_acme, held, manner, purge):
    shown, say = display(held), WORDS[manner.language]
    page = visit(cast.alice, manner.language, js=manner.js)
    page.goto("/numbers/")

    row(page, shown).get_by_role("link", name=say.sign.format(shown), exact=True).click()
    dialog = opened(page, js=manner.js, title=say.title)
    expect(dialog.get_by_text(say.uses)).to_be_visible()
    box = dialog.get_by_label(say.purge)
    expect(box).not_to_be_checked()
    expect(dialog.get_by_text(say.calls)).to_be_visible()
    box.set_checked(purge)
    if manner.js:
        dialog.get_by_role("searchbox", name=say.search).press_sequentially("cram")
    person = dialog.get_by_role("listbox", name=say.to, exact=True)
    person.select_option("Curt Cramer")
    dialog.get_by_role("button", name=say.save, exact=True).click()

    expect(page.get_by_text(say.done.format(shown))).to_be_visible()
    expect(row(page, shown).get_by_text("Curt Cramer")).to_be_visible()
    assert stands(in_acme, held) == (["Curt Cramer"], 0 if purge else 2)


@pytest.mark.parametrize("purge", [False, True], ids=["kept", "purged"])
def test_assign_at_the_creation_of_a_staff_member(visit, cast, in_acme, held, manner, purge, watch):
    watch.expects = {422}  # without scripts the page names the present holder once it was sent
    shown, say = display(held), WORDS[manner.language]
    page = visit(cast.alice, manner.language, js=manner.js)
    page.goto("/staff/")

    page.get_by_role("link", name=say.new).first.click()
    page.get_by_label("Name", exact=True).fill("Nina Neu")
    search = page.get_by_role("searchbox", name=say.search_numbers)
    search.fill("Werkstatt")
    if not manner.js:
        page.get_by_role("button", name=say.look, exact=True).click()
    expect(page.get_by_role("checkbox", name=shown)).to_have_count(0)
    page.get_by_role("checkbox", name="Werkstatt").check()
    search.fill("Empfang")
    if not manner.js:
        page.get_by_role("button", name=say.look, exact=True).click()
    page.get_by_role("checkbox", name=shown).check()
    if not manner.js:
        page.get_by_role("button", name=say.create, exact=True).click()
    expect(page.get_by_text(say.uses)).to_be_visible()
    expect(page.get_by_role("checkbox", name="Werkstatt")).to_be_checked()
    box = page.get_by_label(say.purge)
    expect(box).not_to_be_checked()
    box.set_checked(purge)
    page.get_by_role("button", name=say.create, exact=True).click()

    expect(page.get_by_text(say.created)).to_be_visible()
    assert stands(in_acme, held) == (["Nina Neu"], 0 if purge else 2)


def test_the_search_while_a_person_is_taken_in_saves_nothing(visit, cast, in_acme, held):
    page, say = visit(cast.alice), WORDS["de"]
    page.goto("/people/hire/")
    page.get_by_label("Name", exact=True).fill("Nina Neu")

    page.get_by_role("searchbox", name=say.search_numbers).fill("Werk")
    page.keyboard.press("Enter")

    expect(page.get_by_role("checkbox", name="Werkstatt")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Empfang")).to_have_count(0)
    with in_acme():
        assert not StaffMember.objects.filter(name="Nina Neu").exists()


def test_the_pages_are_accessible_and_fit(visit, cast, held, in_acme):
    page = visit(cast.alice)
    with in_acme():
        paula = StaffMember.objects.get(name="Paula Peters")
        bob, his = make.member("Bob Brandt", user=cast.bob), make.number(state="active")
        assignment.assign(PhoneNumber.objects.locked([his.pk]), staff_member=bob, by=cast.alice, at=timezone.now())
        settings.change({"edits_forwarding": True}, by=cast.alice, at=timezone.now())

    found = []
    for path in (f"/people/hire/?numbers={held.pk}", f"/people/{paula.pk}/release/", f"/numbers/{held.pk}/assign/"):
        page.goto(path)
        found += faults(page, path)
    page = visit(cast.bob)
    page.goto(f"/mine/{his.pk}/forwarding/")
    expect(page.get_by_role("heading", name="Weiterleitung", level=1)).to_be_visible()
    found += faults(page, "forwarding of one's own")

    assert found == []
