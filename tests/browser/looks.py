"""What is wrong with a page to the eye, the ear and the hand: axe's findings, and what sticks out sideways."""

import re
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from playwright.sync_api import Page

from tests.conftest import PROOF

DESKTOP, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
type Look = tuple[Any, Any]  # a size, and light or dark
ALL_LOOKS: list[Look] = [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")]
# It takes seconds for a long table, and its rows are alike: every day it sees the first of them, in the proof all.
REST = "[]" if PROOF else "['tr:nth-child(n+7)', 'li:nth-child(n+7)']"
AXE = f"axe.run({{exclude: {REST}}}, {{resultTypes: ['violations'], preload: false}}).then((found) => found.violations)"
# The page itself must not scroll sideways; what scrolls inside it may.
STICKING_OUT = """(() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const clipped = (one) => {
    for (let at = one.parentElement; at && at !== document.body; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return true;
    return false;
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > room + 1 && !clipped(one))
    .map((one) => `${one.tagName.toLowerCase()}#${one.id}.${[...one.classList].join(".")}`)
    .concat("the page").slice(0, 4);
})()"""
CLASSES = "[...new Set([...document.querySelectorAll('[class]')].flatMap((one) => [...one.classList]))]"
BUILT = settings.BASE_DIR / "build" / "static" / "portal"
TABLER = settings.BASE_DIR / "node_modules" / "@tabler" / "core" / "dist" / "css" / "tabler.min.css"


def faults(page: Page, name: str, *, back: Look = ALL_LOOKS[0]) -> list[str]:
    """Return what is wrong with a page: axe's findings in its looks, and what sticks out at both widths. The window is
    left as `back` says, wide and light if it says nothing."""
    bare = left_out() & set(page.evaluate(CLASSES))
    found = [f"{name}: Tabler's class {one} is not in our style sheet" for one in sorted(bare)]
    page.evaluate(AXE_SCRIPT)
    for look in of(name):
        _show(page, *look)
        found += [f"{name} at {look[0]['width']}, {look[1]}: {fault}" for fault in _violations(page)]
    for size in sorted((DESKTOP, PHONE), key=lambda size: size != page.viewport_size):
        found += _sticking_out(page, size, name)
    _show(page, *back)
    return found


@cache
def left_out() -> set[str]:
    """Return the classes of Tabler that no template names whole, so that the build left them out."""
    return _classes(TABLER) - _classes(BUILT / "app.css")


def _classes(sheet: Path) -> set[str]:
    return set(re.findall(r"\.([a-zA-Z][\w-]*)", sheet.read_text()))


def of(name: str) -> list[Look]:
    """Return the looks in which axe, which is slow, sees a page: one of two, by its name; in the proof all four."""
    return ALL_LOOKS if PROOF else [ALL_LOOKS[3 * (zlib.crc32(name.encode()) % 2)]]


def overflow(page: Page, name: str) -> list[str]:
    """Return what sticks out sideways on a phone; the window is left narrow."""
    return _sticking_out(page, PHONE, name)


def _sticking_out(page: Page, size: Any, name: str) -> list[str]:
    _resize(page, size)
    return [f"{name} at {size['width']}: {one} sticks out" for one in page.evaluate(STICKING_OUT)]


def _show(page: Page, size: Any, scheme: Any) -> None:
    """Switch to a size, and to light or dark; without motion, for axe reads the colours of the moment."""
    _resize(page, size)
    if page.evaluate("document.documentElement.dataset.bsTheme") != scheme:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.locator(f"html[data-bs-theme={scheme}]").wait_for()


def _resize(page: Page, size: Any) -> None:
    if page.viewport_size != size:
        page.set_viewport_size(size)


def _violations(page: Page) -> list[str]:
    return [
        f"{violation['id']}: {node['target']} {' '.join(node['failureSummary'].split())[:200]}"
        for violation in page.evaluate(AXE)
        for node in violation["nodes"]
    ]
