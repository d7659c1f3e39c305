import re
from datetime import date
from typing import NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from numbers import messages
from numbers.models import Forwarding, PhoneNumber
from tests import make
from tests.browser.steps import choose, drawn, row


class Words(NamedTuple):
    crossing_arrows: re.Pattern[str]
    old: str
    new: str
    erased: str
    label: str
    forwarding: str
    tick: str
    missing_tick: str
    complete: str
    done: str


WORDS = {
    "de": Words(
        re.compile("tauschen", re.I),
        "Rufnummer, die Sie deaktivieren (austauschen) möchten",
        "Neue Rufnummer, die stattdessen aktiviert werden soll",
        "Wird bei {} unwiderruflich gelöscht",
        "Bezeichnung „Empfang“",
        "Weiterleitung immer auf",
        "Alle Einstellungen der alten Rufnummer dürfen unwiderruflich gelöscht werden.",
        "Bitte bestätigen Sie, dass die Einstellungen der alten Rufnummer gelöscht werden dürfen.",
        "Rufnummerntausch jetzt abschließen",
        "{} wurde durch {} ersetzt.",
    ),
    "en": Words(
        re.compile("swap", re.I),
        "Number you want to deactivate (swap out)",
        "New number to be activated in its place",
        "Deleted irrevocably from {}",
        "label “Empfang”",
        "forwarding always to",
        "All settings of the old number may be deleted irrevocably.",
        "Please confirm that the settings of the old number may be deleted.",
        "Complete the swap now",
        "{} was replaced by {}.",
    ),
}


@pytest.fixture
def pair(in_acme):
    """An active number with settings and an inactive one, among others."""
    with in_acme():
        old, new = make.number(state="active", label="Empfang"), make.number(label="Reserve")
        make.numbers(3, state="active", label="Werkstatt")
        make.numbers(3, label="Lager")
        Forwarding.objects.create(number=old, when="always", destination="+494066969001", changed_at=timezone.now())
        return old, new


def test_swap(visit, cast, in_acme, pair, manner, watch):
    old, new = map(messages.display, pair)
    say, page = WORDS[manner.language], visit(cast.alice, manner.language, js=manner.js)
    complete = page.get_by_role("button", name=say.complete, exact=True)
    page.goto("/numbers/")
    link = row(page, old).get_by_role("link", name=say.crossing_arrows)
    drawn(link, "crossing arrows")
    link.click()
    choose(page, say.old, old)
    erased = page.get_by_role("heading", name=say.erased.format(old))
    if manner.js:
        expect(erased).to_be_visible()
    choose(page, say.new, new)
    if not manner.js:  # what would be erased comes with the server's answer, which wants it to be confirmed
        watch.expects = {422}
        complete.click()
        expect(page.get_by_text(say.missing_tick)).to_be_visible()
    expect(erased).to_be_visible()
    for lost in (say.label, say.forwarding):
        expect(page.get_by_role("listitem").filter(has_text=lost)).to_be_visible()
    page.get_by_role("checkbox", name=say.tick).check()

    complete.click()

    expect(page.get_by_text(say.done.format(old, new))).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/numbers/{pair[1].pk}/forwarding/$"))
    expect(page.get_by_role("main").get_by_text(new).first).to_be_visible()
    with in_acme():
        assert PhoneNumber.objects.get(pk=pair[0].pk).state == "inactive"
        assert PhoneNumber.objects.get(pk=pair[0].pk).label == ""
        assert PhoneNumber.objects.get(pk=pair[1].pk).state == "active"
        assert not Forwarding.objects.exists()


def test_swap_wants_the_tick(visit, cast, in_acme, pair, watch):
    watch.expects = {422}
    say, page = WORDS["de"], visit(cast.alice)
    page.goto(f"/numbers/swap/?old={pair[0].pk}")

    choose(page, say.new, messages.display(pair[1]))
    page.get_by_role("button", name=say.complete, exact=True).click()

    expect(page.get_by_text(say.missing_tick)).to_be_visible()
    with in_acme():
        assert PhoneNumber.objects.get(pk=pair[0].pk).state == "active"
        assert PhoneNumber.objects.get(pk=pair[1].pk).state == "inactive"


def test_swap_wants_the_tick_anew_for_another_old_number(visit, cast, in_acme, pair, watch):
    say, page = WORDS["de"], visit(cast.alice)
    with in_acme():
        other = PhoneNumber.objects.filter(label="Werkstatt").select_related("area").first()
    page.goto(f"/numbers/swap/?old={pair[0].pk}")
    page.get_by_role("checkbox", name=say.tick).check()

    choose(page, say.old, messages.display(other))

    expect(page.get_by_role("heading", name=say.erased.format(messages.display(other)))).to_be_visible()
    expect(page.get_by_role("checkbox", name=say.tick)).not_to_be_checked()


def test_swap_narrows_the_choice_by_search(visit, cast, pair):
    page = visit(cast.alice)
    page.goto("/numbers/swap/")

    page.get_by_role("searchbox", name="Aktive Rufnummern durchsuchen", exact=True).fill("empf")

    expect(page.get_by_role("listbox", name=WORDS["de"].old).get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("listbox", name=WORDS["de"].new).get_by_role("option")).to_have_count(4)


def test_swap_can_be_left(visit, cast, in_acme, pair):
    page = visit(cast.alice)
    page.goto(f"/numbers/swap/?old={pair[0].pk}")

    page.get_by_role("link", name="Abbrechen", exact=True).click()

    expect(page).to_have_url(re.compile("/numbers/$"))
    with in_acme():
        assert PhoneNumber.objects.get(pk=pair[0].pk).state == "active"


def test_swap_of_a_scheduled_number_offers_the_way_out(visit, cast, in_acme):
    with in_acme():
        old = make.number(state="deactivation_scheduled", last_active_on=date(2099, 12, 31))
        make.number()
    page = visit(cast.alice)
    page.goto(f"/numbers/swap/?old={old.pk}")

    page.get_by_role("link", name="Vormerkung zurücknehmen, dann tauschen").click()

    expect(page).to_have_url(re.compile(rf"/numbers/{old.pk}/withdraw/"))
    expect(page.get_by_role("heading", name=re.compile("Vormerkung"))).to_be_visible()
