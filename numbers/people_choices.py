"""The staff members a page offers for numbers: those who may hold some, narrowed by a search."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.sorting import fold
from staff.models import StaffMember

OFFERED = 50  # more options than that nobody reads; the search narrows them


@dataclass(frozen=True, slots=True)
class People:
    """The options of a select as (id, text), and whether a search would bring others."""

    options: list[tuple[int, str]]
    more: bool


def people(term: str, *, keep: Iterable[str] = (), without: tuple[int, ...] = ()) -> People:
    """Offer the first active staff members whose name, department or address matches.

    `keep` are those chosen already, as a form says it.
    """
    found = matching(term).exclude(pk__in=without)
    rows = list(found.order_by("sort_key", "pk").values_list("pk", "name", "department", "email")[: OFFERED + 1])
    options = [(row[0], _text(*row[1:])) for row in rows[:OFFERED]]
    kept = {int(text) for text in keep if text.isascii() and text.isdecimal() and len(text) < 19} - dict(options).keys()
    if kept:
        chosen = active().filter(pk__in=kept).values_list("pk", "name", "department", "email")
        options = [(row[0], _text(*row[1:])) for row in chosen] + options
    return People(options, more=len(rows) > OFFERED)


def active() -> Any:
    """Return the staff members who may be given numbers."""
    return StaffMember.objects.active()


def matching(term: str) -> Any:
    """Return those of them in whose name, department or address every word is found."""
    found = active()
    for word in term.split()[:6]:
        found = (
            found.filter(sort_key__contains=fold(word))
            | found.filter(department__icontains=word)
            | found.filter(email__icontains=word)
        )
    return found


def _text(name: str, department: str, email: str) -> str:
    return " · ".join(part for part in (name, department, email) if part)
