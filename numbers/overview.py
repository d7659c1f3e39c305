"""The overview: which part of the inventory an address asks for, found and counted (rules C3 and G4)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Case, Exists, F, Func, OrderBy, OuterRef, Q, Value, When
from django.db.models.functions import Lower

from numbers import holders, notation
from numbers.models import Assignment, NumberState, PhoneNumber
from portal import berlin, tenancy

COUNTED = 10_000  # beyond that nobody counts: pages and tabs say "more than"
FOUND = 100_000
SIZES = (25, 50, 100)
STATES = ("active", "scheduled", "inactive")
SORTS = ("number", "area", "state", "label", "last_active")

# What a row is drawn from, by `values()`: instances would cost a quarter of the page.
SHOWN = (
    *("pk", "e164", "base_number", "extension_digits", "area__area_code", "area__name"),
    *("state", "last_active_on", "active_since", "usage", "label"),
)
# By hand and not by the ORM, which would take longer to write this statement than PostgreSQL to answer it. The states
# at an instant are those of `PhoneNumberQuerySet`: active, scheduled, inactive (rule C3); a test compares the two.
_COUNT = (
    "(SELECT count(*) FROM (SELECT FROM numbers_phonenumber WHERE tenant_id = %(tenant)s AND {state}{narrow}"
    " LIMIT %(most)s) AS part)"
)
_COUNTED = (
    "state = 'active'",
    "state = 'deactivation_scheduled' AND last_active_on >= %(today)s",
    "(state = 'inactive' OR (state = 'deactivation_scheduled' AND last_active_on < %(today)s))",
    "state = 'port_in_pending'",
)
# Whose number it is now, as `holders.present` has it; only working numbers are anybody's.
_HELD = (
    "EXISTS (SELECT FROM numbers_assignment AS a WHERE a.tenant_id = %(tenant)s"
    " AND a.number_id = numbers_phonenumber.id"
    " AND a.from_at <= %(at)s AND (a.until_at IS NULL OR a.until_at > %(at)s){who})"
)
_WORKS = "(state = 'active' OR last_active_on >= %(today)s)"
_ASSIGNED = {
    "no": f" AND {_WORKS} AND NOT {_HELD.format(who='')}",
    "yes": f" AND {_WORKS} AND {_HELD.format(who='')}",
}
_THEIRS = f" AND {_WORKS} AND {_HELD.format(who=' AND a.staff_member_id = %(who)s')}"
# All terms in the text of one number, and beside it what people of such names have or will have, by term.
_SEARCH = """
SELECT array(SELECT search_numbers(%(terms)s, %(most)s)), (
    SELECT json_object_agg(term, ids) FROM (
        SELECT t.term, array_agg(a.number_id) AS ids
        FROM unnest(%(terms)s::text[], %(likes)s::text[]) AS t (term, likeness)
        JOIN staff_staffmember AS m ON m.tenant_id = %(tenant)s AND m.sort_key LIKE t.likeness
        JOIN numbers_assignment AS a ON a.tenant_id = m.tenant_id AND a.staff_member_id = m.id
        WHERE a.until_at IS NULL OR a.until_at > %(at)s GROUP BY t.term) AS named)"""
_SEARCH_EACH = """
SELECT term, array(SELECT search_numbers(ARRAY[term], %(most)s)) FROM unnest(%(terms)s::text[]) AS t (term)"""
_NUMBERLIKE = re.compile(r"[0-9+()/.\-\u2010-\u2015]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of the inventory, as the address of the overview names it: filters, order, page."""

    q: str = ""
    state: str = ""
    area: str = ""
    usage: str = ""
    assigned: str = ""  # "no", "yes" or the id of a staff member
    sort: str = "number"
    size: int = 50
    page: int = 1

    def query(self, **changes: Any) -> str:
        """Return the query string for this part with some of it changed; what is usual is left out."""
        usual = {field.name: field.default for field in fields(self)}
        asked = asdict(replace(self, **({"page": 1} | changes)))
        return urlencode({name: value for name, value in asked.items() if value != usual[name]})

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or filter beside the state is set."""
        return bool(self.q or self.area or self.usage or self.assigned)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many numbers match, by state at an instant; each is exact up to COUNTED."""

    all: int
    active: int
    scheduled: int
    inactive: int

    def of(self, state: str) -> int:
        return int(getattr(self, state or "all"))


class Part:
    """The numbers that match what is wanted. The search is done once, however many questions follow."""

    def __init__(self, wanted: Wanted, *, at: datetime) -> None:
        self.wanted, self.at = wanted, at
        terms = search_terms(wanted.q)
        self._found = _search(terms, at) if terms else None

    def counts(self) -> Counts:
        """Count by state in one statement that never counts further than the page says."""
        narrow = ""
        if self.wanted.area:
            narrow += " AND area_id = (SELECT id FROM numbers_localarea WHERE area_code = %(area)s)"
        if self.wanted.usage:
            narrow += " AND usage = %(usage)s"
        narrow += _ASSIGNED.get(self.wanted.assigned, _THEIRS if self.wanted.assigned else "")
        if self._found is not None:
            narrow += " AND id = ANY(%(found)s)"
        counted = ", ".join(_COUNT.format(state=state, narrow=narrow) for state in _COUNTED)
        given: dict[str, Any] = {"tenant": tenancy.current(), "today": berlin.day(self.at), "most": COUNTED + 1}
        given |= {"area": self.wanted.area, "usage": self.wanted.usage, "found": self._found, "at": self.at}
        given |= {"who": int(self.wanted.assigned) if self.wanted.assigned.isdecimal() else None}
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {counted}", given)
            active, scheduled, inactive, porting = cursor.fetchone()
        return Counts(min(active + scheduled + inactive + porting, COUNTED + 1), active, scheduled, inactive)

    def rows(self) -> Any:
        """Return all that match as a queryset, in the order wanted."""
        rows = PhoneNumber.objects.held()
        if self.wanted.state:
            rows = getattr(rows, {"active": "unscheduled"}.get(self.wanted.state, self.wanted.state))(self.at)
        if self.wanted.area:
            rows = rows.filter(area__area_code=self.wanted.area)
        if self.wanted.usage:
            rows = rows.filter(usage=self.wanted.usage)
        if self.wanted.assigned:
            rows = rows.filter(*_held(self.wanted.assigned, self.at))
        if self._found is not None:
            rows = rows.filter(pk__any=self._found)
        return rows.order_by(*_order(self.wanted.sort, self.at))

    def page(self, number: int) -> list[dict[str, Any]]:
        """Return the rows of one page, as values."""
        first = (number - 1) * self.wanted.size
        rows = self.rows().annotate(held=holders.of_row(self.at)).values(*SHOWN, "held")
        found = rows[first : first + self.wanted.size]
        return [row | {"holding": holders.read(row["pk"], row["held"], at=self.at)} for row in found]


def shown(number: PhoneNumber, *, at: datetime) -> dict[str, Any]:
    """Return what a row is drawn from for a number in hand, whose area is loaded."""
    own = {name: getattr(number, name) for name in SHOWN if "__" not in name}
    own |= {"area__area_code": number.area.area_code, "area__name": number.area.name}
    return own | {"holding": holders.of_number(number, at=at)}


def state_at(row: Mapping[str, Any], at: datetime) -> NumberState:
    """Return the state a row of values has at an instant (rule C3), as `PhoneNumber.state_at` does."""
    if row["last_active_on"] and row["last_active_on"] < berlin.day(at):
        return NumberState.INACTIVE
    return NumberState(row["state"])


def search_terms(text: str) -> list[str]:
    """Return the texts that all must be found: words, and numbers in any notation with their parts put together."""
    terms: list[str] = []
    number = ""
    for word in [*text.split(), ""]:
        if _NUMBERLIKE.fullmatch(word):
            number += word
            continue
        terms += [notation.search_text(part) for part in (number, word) if part]
        number = ""
    return [term for term in terms if any(character.isalnum() for character in term)]


def areas() -> list[tuple[str, str]]:
    """Return code and name of the areas in which the announced tenant has numbers.

    Hops from one area to the next in the index, so its time depends on the areas and not on the numbers.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE own (id) AS (
                (SELECT area_id FROM numbers_phonenumber WHERE tenant_id = %(tenant)s ORDER BY area_id LIMIT 1)
                UNION ALL
                SELECT (SELECT area_id FROM numbers_phonenumber
                        WHERE tenant_id = %(tenant)s AND area_id > own.id ORDER BY area_id LIMIT 1)
                FROM own WHERE own.id IS NOT NULL
            )
            SELECT area_code, name FROM own JOIN numbers_localarea USING (id) ORDER BY sort_key
            """,
            {"tenant": tenancy.current()},
        )
        return list(cursor.fetchall())


def page_numbers(current: int, last: int) -> Iterator[int | None]:
    """Yield the page numbers to offer: the first, the last, those around the current one; None for a gap."""
    before = 0
    for number in sorted({1, last, *range(max(1, current - 2), min(last, current + 2) + 1)}):
        if number - before == 2:
            yield number - 1
        elif number - before > 2:
            yield None
        yield number
        before = number


def _search(terms: list[str], at: datetime) -> list[int]:
    """Return the numbers in which all terms are found: in their own text, or in the name of whoever has them."""
    likes = ["%" + re.sub(r"([\\%_])", r"\\\1", term) + "%" for term in terms]
    given: dict[str, Any] = {"terms": terms, "likes": likes, "tenant": tenancy.current(), "at": at, "most": FOUND}
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH, given)
        found, by_name = cursor.fetchone()
        if not by_name:
            return list(found)
        cursor.execute(_SEARCH_EACH, given)
        each = [{*ids, *by_name.get(term, ())} for term, ids in cursor]
    return list(set.intersection(*each))


def _held(assigned: str, at: datetime) -> tuple[Any, ...]:
    """Return the conditions for numbers that somebody, nobody or one person has; all of them work."""
    begun = Assignment.objects.filter(number=OuterRef("pk"), from_at__lte=at).filter(
        Q(until_at=None) | Q(until_at__gt=at)
    )
    works = Q(state=NumberState.ACTIVE) | Q(last_active_on__gte=berlin.day(at))
    if assigned == "no":
        return works, ~Exists(begun)
    return works, Exists(begun.filter(staff_member=assigned) if assigned != "yes" else begun)


def _order(sort: str, at: datetime) -> list[Any]:
    name = sort.removeprefix("-")
    keys: dict[str, Any] = {
        "number": F("e164"),
        "area": F("area__sort_key"),
        "state": _state_rank(at),
        "label": Func(Lower("label"), Value("äöüß"), Value("aous"), function="translate"),
        "last_active": F("last_active_on"),
    }
    key = keys[name]
    ordered = key.desc(nulls_last=True) if sort.startswith("-") else key.asc(nulls_last=True)
    if name == "number":
        return [OrderBy(F("e164"), descending=sort.startswith("-"))]
    unlabelled_last = [Case(When(label="", then=1), default=0)] if name == "label" else []
    return [*unlabelled_last, ordered, "e164"]


def _state_rank(at: datetime) -> Case:
    inactive = Q(state=NumberState.INACTIVE) | Q(last_active_on__lt=berlin.day(at))
    return Case(When(inactive, then=2), When(state=NumberState.ACTIVE, then=0), default=1)
