"""The rows of the overview, drawn fast.

A row looks alike for all numbers of one state. So `numbers/overview/row.html` is rendered once per state, language and
choice of columns, with blanks; a page of 50 rows then fills blanks 50 times instead of rendering a template 50 times.
"""

import re
from collections.abc import Container, Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.formats import date_format, number_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from numbers import notation, overview
from numbers.holders import Holding
from numbers.models import NumberState, Usage

COLUMNS = {
    "area": gettext_lazy("Local area"),
    "usage": gettext_lazy("Usage"),
    "label": gettext_lazy("Label"),
    "assignee": gettext_lazy("Assigned to"),
    "active_since": gettext_lazy("Active since"),
    "last_active": gettext_lazy("Last active day"),
}
WORKING = (NumberState.ACTIVE, NumberState.DEACTIVATION_SCHEDULED)
FAX = (Usage.FAX_PERSONAL, Usage.FAX_SHARED)
NAMED = 2  # holders of a shared fax that a row names; it counts the others
USUAL = ("area", "usage", "label", "assignee")

BLANKS = ("number", "area", "code", "usage", "label", "assignee", "active_since", "last_active")
_PK = "98765432109876"  # stands for the key in addresses, which take nothing but digits


def columns_of(preferences: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns a person chose, in the order they are shown."""
    chosen = preferences.get("number_columns", USUAL)
    return tuple(name for name in COLUMNS if name in chosen)


def draw(
    rows: Iterable[Mapping[str, Any]],
    *,
    columns: tuple[str, ...],
    at: datetime,
    fresh: bool = False,
    new: Container[str] = (),
) -> SafeString:
    """Return the markup of rows of `overview.SHOWN` values; `fresh` lets them light up, for a change just made, and
    `new` (E.164) those of the numbers just ordered."""
    words = {str(usage): escape(usage.label) for usage in Usage}
    nobody = escape(_("Not assigned"))
    drawn = []
    for row in rows:
        state = overview.state_at(row, at)
        if state == NumberState.INACTIVE:  # an overdue row still holds what the job will clear (rule C3)
            row = {**row, "active_since": None, "last_active_on": None}
        who = (written_holding(row["holding"]) or nobody) if state in WORKING else ""
        is_new, is_fax = fresh or row["e164"] in new, state in WORKING and row["usage"] in FAX
        pattern = _pattern(state, columns, get_language() or "", fresh=is_new, fax=is_fax)
        drawn.append(pattern % _filling(row, words, who))
    return mark_safe("".join(drawn))  # noqa: S308 -- every value was escaped by _filling


def written(on: date | None) -> str:
    """Return a day as the present language writes it; empty if there is none."""
    return _written(on, get_language() or "") if on else ""


@lru_cache(maxsize=1024)
def _written(on: date, language: str) -> str:
    return date_format(on, "SHORT_DATE_FORMAT")


def display(row: Mapping[str, Any]) -> str:
    """Return the number of a row of values as DIN 5008 writes it."""
    return notation.national(
        row["e164"], row["area__area_code"], base_number=row["base_number"], extension=row["extension_digits"]
    )


def counted(count: int) -> str:
    """Return a count as people read it; beyond what is counted it says so."""
    return number_format(count) if count <= overview.COUNTED else f"> {number_format(overview.COUNTED)}"


def written_holding(holding: Holding) -> str:
    """Return as markup who has a number, and below it who will have it from when on; empty for nobody."""
    names = [escape(holder.name) for holder in holding.present[:NAMED]]
    if more := len(holding.present) - NAMED:
        names += [escape(f"+{more}")] if more > 0 else []
    text = ", ".join(names)
    for holder in holding.ahead[:1]:
        words = {"day": written(holder.since), "name": holder.name}
        text = f"{text}<small>{escape(_('from %(day)s %(name)s') % words)}</small>"
    return text


def _filling(row: Mapping[str, Any], words: Mapping[str, str], who: str) -> dict[str, Any]:
    return {
        "pk": row["pk"],
        "number": display(row),
        "area": escape(row["area__name"]),
        "code": row["area__area_code"],
        "usage": words[row["usage"]],
        "label": escape(row["label"]),
        "assignee": who,
        "active_since": written(row["active_since"]),
        "last_active": written(row["last_active_on"]),
    }


@lru_cache(maxsize=512)
def _pattern(state: NumberState, columns: tuple[str, ...], language: str, *, fresh: bool, fax: bool) -> str:
    """Render a row with `%(name)s` where its values go, without the template's white space."""
    blanks = {name: mark_safe(f"%({name})s") for name in BLANKS}  # noqa: S308 -- our own names
    kind = {"pk": _PK, "state": state, "columns": columns, "fresh": fresh, "fax": fax}
    html: str = render_to_string("numbers/overview/row.html", blanks | kind)
    html = re.sub(r"[ \n]*([<>])[ \n]*", r"\1", re.sub(r"[ \n]+", " ", html))
    html = re.sub(r'="([\w/-]+)"(?!/)', r"=\1", html)  # fifty rows would say these quotes a thousand times
    return html.replace(_PK, "%(pk)s")
