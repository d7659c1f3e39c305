import re
from typing import NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from numbers import bulk
from numbers.messages import display
from numbers.models import BulkRun, PhoneNumber
from portal import berlin
from tests import make
from tests.browser.steps import row, tab_to


class Words(NamedTuple):
    activate: str
    title: str
    price: str
    monthly: str
    button: str
    done: str
    results: str


WORDS = {
    "de": Words(
        "Aktivieren",
        "Rufnummern aktivieren",
        "Pro Monat",
        "5,80\u00a0€",
        "Rufnummern jetzt kostenpflichtig aktivieren",
        "Erledigt",
        "Ergebnis je Rufnummer",
    ),
    "en": Words(
        "Activate",
        "Activate phone numbers",
        "Per month",
        "€5.80",
        "Activate the numbers now at a charge",
        "Done",
        "Result for each number",
    ),
}


def count(in_acme, state):
    with in_acme():
        return PhoneNumber.objects.filter(state=state).count()


def test_bulk_on_chosen_rows(visit, cast, in_acme, manner):
    with in_acme():
        numbers = [*make.numbers(2), make.number(state="active"), *make.numbers(2)]
    say, page = WORDS[manner.language], visit(cast.alice, manner.language, js=manner.js)
    page.goto("/numbers/")
    bar = page.get_by_role("form", name=re.compile("^(Sammelaktionen|Bulk actions)$"))
    expect(bar).to_be_hidden()
    for number in numbers[:3]:
        row(page, display(number)).get_by_role("checkbox").check()

    bar.get_by_role("button", name=say.activate, exact=True).click()
    expect(page.get_by_role("heading", name=say.title)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=say.price)).to_contain_text(say.monthly)
    page.get_by_role("button", name=say.button, exact=True).click()

    results = page.get_by_role("table", name=say.results)
    for number in numbers[:2]:
        expect(row(page, display(number)).get_by_text(say.done, exact=True)).to_be_visible()
    expect(row(page, display(numbers[2]))).to_contain_text(re.compile("bereits aktiv|already active"))
    expect(results.get_by_role("row")).to_have_count(4)
    assert count(in_acme, "active") == 3
    assert count(in_acme, "inactive") == 2
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("CSV")).click()
    assert len(waiting.value.path().read_text("utf-8-sig").strip().splitlines()) == 4


def test_bulk_deactivates_and_withdraws(visit, cast, in_acme):
    with in_acme():
        make.numbers(3, state="active")
    last = f"{berlin.end_of_following_month(timezone.now()):%d.%m.%Y}"
    page = visit(cast.alice)
    bar = page.get_by_role("form", name="Sammelaktionen")
    page.goto("/numbers/")

    page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    expect(bar).to_contain_text("3")
    bar.get_by_role("button", name="Deaktivieren", exact=True).click()
    expect(page.get_by_text(f"aktiv bis einschließlich {last},")).to_be_visible()
    expect(page.get_by_text(re.compile("letzten aktiven Rufnummern"))).to_be_visible()
    page.get_by_role("button", name="Rufnummern jetzt deaktivieren", exact=True).click()
    expect(page.get_by_text("Erledigt", exact=True)).to_have_count(3)
    assert count(in_acme, "deactivation_scheduled") == 3
    page.goto("/numbers/?state=scheduled")
    page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    bar.get_by_role("button", name="Zurücknehmen", exact=True).click()
    page.get_by_role("button", name="Vormerkungen zurücknehmen", exact=True).click()

    expect(page.get_by_text("Erledigt", exact=True)).to_have_count(3)
    assert count(in_acme, "active") == 3


@pytest.mark.parametrize("js", [True, False])
def test_bulk_on_all_that_match_shows_its_progress(visit, cast, in_acme, monkeypatch, js):
    monkeypatch.setattr(bulk, "CHUNK", 50)
    with in_acme():
        make.numbers(120, label="Lager")
        make.number(label="Empfang")
    page = visit(cast.alice, js=js)
    page.goto("/numbers/?q=lager")
    if js:
        page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    else:
        page.locator("#rows").get_by_role("checkbox").first.check()
    page.get_by_role("checkbox", name="alle 120 passenden").check()
    page.get_by_role("form", name="Sammelaktionen").get_by_role("button", name="Aktivieren", exact=True).click()
    expect(page.get_by_text("120 Rufnummern ausgewählt")).to_be_visible()
    page.get_by_role("button", name="Rufnummern jetzt kostenpflichtig aktivieren", exact=True).click()
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("value", "0")

    for handled in ("50", "100", "done"):  # as the worker does, chunk by chunk
        with in_acme():
            bulk.proceed(BulkRun.objects.get(), at=timezone.now())
        if not js:
            page.reload()
        if handled != "done":
            expect(bar).to_have_attribute("value", handled)

    expect(page.get_by_role("table", name="Ergebnis je Rufnummer")).to_be_visible()
    expect(bar).to_have_count(0)
    assert count(in_acme, "active") == 120
    assert count(in_acme, "inactive") == 1


def test_bulk_selection_by_keyboard(visit, cast, in_acme):
    with in_acme():
        make.numbers(4)
    page = visit(cast.alice)
    page.goto("/numbers/")
    boxes = page.locator("#rows").get_by_role("checkbox")

    tab_to(boxes.first)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(boxes.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#bulk-count")).to_have_text("2")
    button = page.get_by_role("form", name="Sammelaktionen").get_by_role("button", name="Aktivieren", exact=True)
    tab_to(button)
    page.keyboard.press("Enter")
    confirm = page.get_by_role("button", name="Rufnummern jetzt kostenpflichtig aktivieren", exact=True)
    expect(confirm).to_be_visible()
    tab_to(confirm)
    page.keyboard.press("Enter")

    expect(page.get_by_text("Erledigt", exact=True)).to_have_count(2)
    assert count(in_acme, "active") == 2


def test_bulk_can_be_left(visit, cast, in_acme):
    with in_acme():
        make.numbers(2)
    page = visit(cast.alice)
    page.goto("/numbers/?state=inactive")
    page.get_by_role("checkbox", name="Alle auf dieser Seite auswählen").check()
    page.get_by_role("form", name="Sammelaktionen").get_by_role("button", name="Aktivieren", exact=True).click()

    page.get_by_role("link", name="Abbrechen", exact=True).click()

    expect(page).to_have_url(re.compile(r"/numbers/\?state=inactive$"))
    assert count(in_acme, "inactive") == 2
