import re
from datetime import date

import pytest
from playwright.sync_api import expect

from numbers.messages import display
from portal.models import User
from tests import make
from tests.browser.steps import row

SEARCH = {"de": "Rufnummern durchsuchen", "en": "Search phone numbers"}


@pytest.fixture
def inventory(in_acme):
    """Berlin: 60 active, 3 inactive, one scheduled. Frankfurt: two, one of them with a label and a usage."""
    with in_acme():
        make.numbers(60, state="active", label="Werkstatt")
        make.numbers(3)
        make.number("+493023125990", state="deactivation_scheduled", last_active_on=date(2099, 12, 31))
        make.number("+496990009011", area_code="69", state="active")
        return make.number("+496990009012", area_code="69", state="active", label="Empfang", usage="conference")


def shown(page):
    """Return the numbers that the list shows, in its order."""
    return page.locator("#rows .c-num").all_inner_texts()


def test_search_filter_sort_and_page_are_in_the_address(visit, cast, inventory, manner):
    page = visit(cast.alice, manner.language, js=manner.js)
    search = page.get_by_role("searchbox", name=SEARCH[manner.language])
    page.goto("/numbers/")
    expect(page.get_by_role("status").first).to_contain_text(re.compile("1–50 (von|of) 66"))

    page.get_by_role("link", name=re.compile("^(Seite|Page) 2$")).click()
    expect(page).to_have_url(re.compile(r"page=2"))
    expect(page.get_by_role("status").first).to_contain_text("51–66")
    search.fill("069 / 90009")
    if not manner.js:
        page.get_by_role("button", name=re.compile("^(Filtern|Filter)$")).click()
    expect(page).to_have_url(re.compile(r"q=069"))
    expect(page.locator("#rows .c-num")).to_have_count(2)
    page.get_by_role("columnheader").get_by_role("link", name=re.compile("^(Rufnummer|Phone number)$")).click()
    expect(page).to_have_url(re.compile(r"sort=-number"))
    expect(page.locator("#rows .c-num").first).to_have_text(display(inventory))
    here = page.url

    page.reload()
    assert shown(page) == ["069\u00a090009012", "069\u00a090009011"]
    expect(search).to_have_value("069 / 90009")
    page.go_back()
    expect(page.locator("#rows .c-num").first).to_have_text("069\u00a090009011")
    page.go_forward()
    expect(page).to_have_url(here)
    expect(page.locator("#rows .c-num").first).to_have_text("069\u00a090009012")


def test_tabs_filters_and_page_size(visit, cast, inventory):
    page = visit(cast.alice)
    rows = page.locator("#rows .c-num")
    tabs = page.get_by_role("navigation", name="Nach Status filtern")
    page.goto("/numbers/")

    tabs.get_by_role("link", name=re.compile("^Inaktiv")).click()
    expect(page).to_have_url(re.compile("state=inactive"))
    expect(rows).to_have_count(3)
    expect(tabs.get_by_role("link", name=re.compile("^Inaktiv"))).to_have_attribute("aria-current", "true")
    tabs.get_by_role("link", name=re.compile("vorgemerkt")).click()
    expect(rows).to_have_text(["030\u00a023125990"])
    tabs.get_by_role("link", name=re.compile("^Alle")).click()
    expect(rows).to_have_count(50)
    page.get_by_role("combobox", name="Ortsnetz").select_option(label="Frankfurt am Main (069)")
    expect(rows).to_have_count(2)
    page.get_by_role("combobox", name="Verwendung").select_option(label="Konferenz")
    expect(rows).to_have_text(["069\u00a090009012"])
    expect(page).to_have_url(re.compile("area=69.*usage=conference"))
    page.get_by_role("link", name="Suche und Filter aufheben").click()
    expect(rows).to_have_count(50)
    page.get_by_role("navigation", name="Zeilen je Seite").get_by_role("link", name="100").click()

    expect(rows).to_have_count(66)
    expect(page).to_have_url(re.compile("size=100"))


def test_search_keeps_the_focus_and_finds_labels(visit, cast, inventory):
    page = visit(cast.alice)
    page.goto("/numbers/")
    search = page.get_by_role("searchbox", name=SEARCH["de"])

    page.keyboard.press("Control+k")
    expect(search).to_be_focused()
    page.keyboard.type("empf")

    expect(page.locator("#rows .c-num")).to_have_text(["069\u00a090009012"])
    expect(search).to_be_focused()
    page.keyboard.type("ang")
    expect(search).to_have_value("empfang")


def test_search_without_a_hit_says_so(visit, cast, inventory):
    page = visit(cast.alice)

    page.goto("/numbers/?q=gibt-es-nicht")

    expect(page.get_by_role("heading", name="Keine Rufnummer passt")).to_be_visible()
    page.get_by_role("link", name="Suche und Filter aufheben").last.click()
    expect(page.locator("#rows .c-num")).to_have_count(50)


@pytest.mark.parametrize("js", [True, False])
def test_columns_are_chosen_and_remembered(visit, cast, inventory, js):
    page = visit(cast.alice, js=js)
    page.goto("/numbers/?q=empfang")
    expect(page.get_by_role("columnheader", name="Letzter aktiver Tag")).to_have_count(0)

    page.get_by_role("button", name="Spalten").click()
    page.get_by_role("checkbox", name="Letzter aktiver Tag").check()
    page.get_by_role("checkbox", name="Bezeichnung").uncheck()
    page.get_by_role("button", name="Übernehmen").click()

    expect(page.get_by_role("columnheader", name="Letzter aktiver Tag")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Bezeichnung")).to_have_count(0)
    expect(page).to_have_url(re.compile("q=empfang"))
    assert User.objects.get(pk=cast.alice.pk).preferences["number_columns"]
    page.goto("/numbers/")
    expect(page.get_by_role("columnheader", name="Letzter aktiver Tag")).to_be_visible()


def test_export_is_of_what_is_shown(visit, cast, inventory):
    page = visit(cast.alice)
    page.goto("/numbers/?q=empfang")

    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV exportieren").click()

    text = waiting.value.path().read_text("utf-8-sig")
    assert len(text.strip().splitlines()) == 2
    assert "+496990009012" in text


def test_a_phone_shows_cards_with_all_actions(visit, cast, inventory):
    page = visit(cast.alice, viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto("/numbers/?q=empfang")

    actions = row(page, display(inventory)).get_by_role("link", name=re.compile("deaktivieren|tauschen"))

    expect(actions).to_have_count(2)
    for action in actions.all():
        box = action.bounding_box()
        assert min(box["width"], box["height"]) >= 44, "too small for a finger"
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    expect(row(page, display(inventory)).get_by_role("cell").first).to_be_visible()


def test_the_menu_opens_on_a_phone(visit, cast, inventory):
    page = visit(cast.alice, viewport={"width": 390, "height": 844})
    page.goto("/numbers/")
    link = page.get_by_role("link", name="Dashboard")
    expect(link).to_be_hidden()

    page.get_by_role("button", name="Menü öffnen").click()
    link.click()

    expect(page).to_have_url(re.compile("/dashboard/$"))
