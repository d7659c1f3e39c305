"""The PDF of a batch: a cover sheet and one page per letter after DIN 5008 form B (rule V4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from numbers import paper
from numbers.window import SIZE
from portal.hotline import hotline


@dataclass(frozen=True, slots=True)
class Sheet:
    """A letter as it is printed: `lines` stand in the window, `area` is what the PIN proves the address for."""

    position: int
    customer: str
    customer_number: str
    lines: Sequence[str]
    area: str
    language: str
    pin: str


def batch(number: int, sheets: Sequence[Sheet], *, on: date) -> bytes:
    """Return the PDF of a batch made on a day; its first page (or two) is the cover sheet, in German."""
    pages = [_page(sheet, on=on) for sheet in sheets]
    with translation.override("de"):
        shared = {"number": number, "sheets": sheets, "on": on, "pages": pages, "size": SIZE, **_sender()}
        return paper.render("numbers/letter/batch.html", "numbers/letter/letter.css", shared)


def single(sheet: Sheet, *, on: date) -> bytes:
    """Return the PDF of one letter alone, for a postal service."""
    context = {"page": _page(sheet, on=on), "sheet": sheet, "size": SIZE, **_sender()}
    with translation.override(sheet.language):
        return paper.render("numbers/letter/single.html", "numbers/letter/letter.css", context)


def _page(sheet: Sheet, *, on: date) -> str:
    with translation.override(sheet.language):
        context = {"sheet": sheet, "on": on, "valid_days": 30, **_sender()}
        return render_to_string("numbers/letter/letter.html", context)


def _sender() -> dict[str, Any]:
    return {
        "operator_name": settings.OPERATOR_NAME,
        "operator_address": settings.OPERATOR_ADDRESS,
        "portal_url": settings.PORTAL_URL,
        "hotline": hotline(),
    }
