"""What people do on many pages, by the names they see."""

import re

from playwright.sync_api import Locator, Page, expect

COLOUR = "one => getComputedStyle(one).color"
DRAWING = "one => decodeURIComponent(getComputedStyle(one, '::before').maskImage)"
SIGNS = {  # a stroke that only this icon has, as its drawing says it
    "play": "M9 9.003",
    "minus": "M8 12h8",
    "crossing arrows": "m18 14 4 4-4 4",
    "arrow back": "M9 14 4 9l5-5",
    "exclamation mark": 'y1="8"',
}


def row(page: Page, number: str) -> Locator:
    """Return the row of the overview that shows this number."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=number, exact=True))


def choose(page: Page, label: str, number: str) -> None:
    """Choose the option that begins with this number in the select with this label."""
    select = page.get_by_role("listbox", name=label, exact=True)
    option = select.get_by_role("option").filter(has_text=number)
    select.select_option(value=option.get_attribute("value"))


def opened(page: Page, *, js: bool, title: str) -> Locator:
    """Return the dialog of this title, or without JavaScript the page that says the same."""
    place = page.get_by_role("dialog", name=title) if js else page.get_by_role("main")
    expect(place.get_by_role("heading", name=title, level=1)).to_be_visible()
    return place


def drawn(place: Locator, sign: str) -> str:
    """Return in which colour a sign is drawn here: "red", "green" or "other"; fail if it is not drawn."""
    assert SIGNS[sign] in place.evaluate(DRAWING).replace("\\", ""), f"no {sign}"
    red, green, blue = map(int, re.findall(r"\d+", place.evaluate(COLOUR))[:3])
    return "red" if red > green + 50 and red > blue + 50 else "green" if green > red + 50 and green > blue else "other"


def tab_to(target: Locator, *, within: Locator | None = None) -> None:
    """Press the tab key until the target has the focus; on the way it may not leave `within`."""
    for _ in range(80):
        if target.evaluate("one => one === document.activeElement"):
            return
        target.page.keyboard.press("Tab")
        if within:
            assert within.evaluate("one => one.contains(document.activeElement)"), "the focus left the dialog"
    raise AssertionError(f"no way to {target} by keyboard")
