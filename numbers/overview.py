"""The overview: which part of the inventory an address asks for, found and counted (rules C3 and G4)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import BooleanField, Case, F, Func, OrderBy, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower

from numbers import holders, notation
from numbers.models import NumberState, PhoneNumber
from portal import berlin, tenancy

COUNTED = 10_000  # beyond that nobody counts: pages and tabs say "more than"
FOUND = 100_000
SIZES = (25, 50, 100)
STATES = ("active", "scheduled", "inactive")
SORTS = ("number", "area", "state", "label", "last_active")

# What a row is drawn from: values, as instances would cost a quarter of the page.
SHOWN = (
    *("pk", "e164", "base_number", "extension_digits", "area__area_code", "area__name"),
    *("state", "last_active_on", "active_since", "usage", "label"),
)
# Counts and rows by hand and not by the ORM, which would take longer to write these statements than PostgreSQL to
# answer them. The states at an instant are those of `PhoneNumberQuerySet` (rule C3); a test compares the two.
_READ = (*SHOWN, "held")
_PAGE = """
SELECT numbers_phonenumber.id, e164, base_number, extension_digits, area_code, name, state, last_active_on,
    active_since, usage, label, (held)
FROM numbers_phonenumber JOIN numbers_localarea ON numbers_localarea.id = area_id
WHERE tenant_id = %s AND {narrow} ORDER BY {order} LIMIT %s OFFSET %s""".replace("held", holders.HELD)
_COUNT = "(SELECT count(*) FROM (SELECT FROM numbers_phonenumber WHERE tenant_id = %s AND {narrow} LIMIT %s) AS part)"
_COUNTED = ("active", "scheduled", "inactive", "port_in_pending")
_CONDITIONS = {
    "": "numbers_phonenumber.state NOT IN ('returned', 'ported_out')",
    "active": "numbers_phonenumber.state = 'active'",
    "scheduled": (
        "(numbers_phonenumber.state = 'deactivation_scheduled' AND numbers_phonenumber.last_active_on >= %s)"
    ),
    "inactive": (
        "(numbers_phonenumber.state = 'inactive'"
        " OR numbers_phonenumber.state = 'deactivation_scheduled' AND numbers_phonenumber.last_active_on < %s)"
    ),
    "port_in_pending": "numbers_phonenumber.state = 'port_in_pending'",
    "area": "numbers_phonenumber.area_id = (SELECT id FROM numbers_localarea WHERE area_code = %s)",
    "usage": "numbers_phonenumber.usage = %s",
    "found": "numbers_phonenumber.id = ANY(%s)",
    "works": "(numbers_phonenumber.state = 'active' OR numbers_phonenumber.last_active_on >= %s)",
    # Whose number it is now, as `holders.present` has it; only working numbers are anybody's.
    "held": (
        "EXISTS (SELECT FROM numbers_assignment AS a WHERE a.tenant_id = numbers_phonenumber.tenant_id"
        " AND a.number_id = numbers_phonenumber.id"
        " AND a.from_at <= %s AND (a.until_at IS NULL OR a.until_at > %s){who})"
    ),
}
_ORDERS = {
    "number": "e164 {way}",
    "area": "sort_key {way}, e164",
    "state": "CASE WHEN {inactive} THEN 2 WHEN state = 'active' THEN 0 ELSE 1 END {way}, e164",
    "label": "label = '', translate(lower(label), 'äöüß', 'aous') {way}, e164",
    "last_active": "last_active_on {way} NULLS LAST, e164",
}
# Hops from one area to the next in the index, so its time depends on the areas and not on the numbers.
_AREAS = """
WITH RECURSIVE own (id) AS (
    (SELECT area_id FROM numbers_phonenumber WHERE tenant_id = %s ORDER BY area_id LIMIT 1)
    UNION ALL
    SELECT (SELECT area_id FROM numbers_phonenumber WHERE tenant_id = %s AND area_id > own.id ORDER BY area_id LIMIT 1)
    FROM own WHERE own.id IS NOT NULL
)
SELECT json_agg(json_build_array(area_code, name) ORDER BY sort_key) FROM own JOIN numbers_localarea USING (id)"""
# All terms in the text of one number, and beside it what people of such names have or will have, by term.
_SEARCH = """
SELECT array(SELECT search_numbers(%(terms)s, %(most)s)), (
    SELECT json_object_agg(term, ids) FROM (
        SELECT t.term, array_agg(a.number_id) AS ids
        FROM unnest(%(terms)s::text[], %(likes)s::text[]) AS t (term, likeness)
        JOIN staff_staffmember AS m ON m.tenant_id = %(tenant)s AND m.sort_key LIKE t.likeness
        JOIN numbers_assignment AS a ON a.tenant_id = m.tenant_id AND a.staff_member_id = m.id
        JOIN numbers_phonenumber AS n ON n.tenant_id = a.tenant_id AND n.id = a.number_id
            AND (n.last_active_on IS NULL OR n.last_active_on >= %(today)s)
        WHERE a.until_at IS NULL OR a.until_at > %(at)s
        GROUP BY t.term) AS named)"""
_SEARCH_EACH = """
SELECT term, array(SELECT search_numbers(ARRAY[term], %(most)s)) FROM unnest(%(terms)s::text[]) AS t (term)"""
type _Condition = tuple[str, list[Any]]  # a condition on rows of numbers, and the values of its marks
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
        self._found = _search(search_terms(wanted.q), at) if wanted.q else None

    def counts(self) -> Counts:
        """Count by state in one statement that never counts further than the page says."""
        return self.counts_and_areas()[0]

    def counts_and_areas(self) -> tuple[Counts, tuple[tuple[str, str], ...]]:
        """Count as `counts` does, and return with it what `areas` returns, in the same statement."""
        counted = [self._counted(state) for state in _COUNTED]
        tenant = tenancy.current()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(sql for sql, _ in counted)}, ({_AREAS})",
                [*(value for _, given in counted for value in given), tenant, tenant],
            )
            active, scheduled, inactive, porting, own = cursor.fetchone()
        most = min(active + scheduled + inactive + porting, COUNTED + 1)
        return Counts(most, active, scheduled, inactive), tuple((code, name) for code, name in own or ())

    def rows(self) -> Any:
        """Return all that match as a queryset, in the order wanted."""
        asked = self._conditions(self.wanted.state)
        narrow = [RawSQL(sql, given, BooleanField()) for sql, given in asked]  # noqa: S611 -- our own statements
        return PhoneNumber.objects.filter(*narrow).order_by(*_order(self.wanted.sort, self.at))

    def page(self, number: int) -> list[dict[str, Any]]:
        """Return the rows of one page, as values."""
        narrow, given = _all(self._conditions(self.wanted.state))
        name = self.wanted.sort.removeprefix("-")
        way = "DESC" if self.wanted.sort.startswith("-") else "ASC"
        order = _ORDERS[name].format(way=way, inactive=_CONDITIONS["inactive"])
        sorting = [berlin.day(self.at)] * order.count("%s")
        page = [self.wanted.size, (number - 1) * self.wanted.size]
        with connection.cursor() as cursor:
            statement = _PAGE.format(narrow=narrow, order=order)
            cursor.execute(statement, [self.at, tenancy.current(), *given, *sorting, *page])
            found = [dict(zip(_READ, row, strict=True)) for row in cursor.fetchall()]
        return [row | {"holding": holders.read(row["pk"], row["held"], at=self.at)} for row in found]

    def _counted(self, state: str) -> "_Condition":
        narrow, given = _all(self._conditions(state))
        return _COUNT.format(narrow=narrow), [tenancy.current(), *given, COUNTED + 1]

    def _conditions(self, state: str) -> "list[_Condition]":
        """Return the conditions for the numbers in a state (all states for "") that match what is wanted."""
        today, assigned = berlin.day(self.at), self.wanted.assigned
        asked: list[_Condition] = [(_CONDITIONS[state], [today] * _CONDITIONS[state].count("%s"))]
        if self.wanted.area:
            asked.append((_CONDITIONS["area"], [self.wanted.area]))
        if self.wanted.usage:
            asked.append((_CONDITIONS["usage"], [self.wanted.usage]))
        if assigned:
            person = [int(assigned)] if assigned not in ("yes", "no") else []
            held = _CONDITIONS["held"].format(who=" AND a.staff_member_id = %s" if person else "")
            asked.append((_CONDITIONS["works"], [today]))
            asked.append((f"NOT {held}" if assigned == "no" else held, [self.at, self.at, *person]))
        if self._found is not None:
            asked.append((_CONDITIONS["found"], [self._found]))
        return asked


def _all(conditions: "list[_Condition]") -> "_Condition":
    return " AND ".join(sql for sql, _ in conditions), [value for _, given in conditions for value in given]


def shown(number: PhoneNumber, *, at: datetime, holding: holders.Holding | None = None) -> dict[str, Any]:
    """Return what a row is drawn from for a number in hand, whose area is loaded; asks who holds it if need be."""
    own = {name: getattr(number, name) for name in SHOWN if "__" not in name}
    own |= {"area__area_code": number.area.area_code, "area__name": number.area.name}
    return own | {"holding": holding or holders.of_number(number, at=at)}


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
    """Return code and name of the areas in which the announced tenant has numbers."""
    tenant = tenancy.current()
    with connection.cursor() as cursor:
        cursor.execute(_AREAS, [tenant, tenant])
        return [(code, name) for code, name in cursor.fetchone()[0] or ()]


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
    """Return the numbers in which all terms are found: in their own text, or in the name of whoever has them.

    Without a term, as of a search for signs alone, nothing is found.
    """
    if not terms:
        return []
    likes = ["%" + re.sub(r"([\\%_])", r"\\\1", term) + "%" for term in terms]
    given: dict[str, Any] = {"terms": terms, "likes": likes, "tenant": tenancy.current(), "most": FOUND}
    given |= {"at": at, "today": berlin.day(at)}
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH, given)
        found, by_name = cursor.fetchone()
        if not by_name:
            return list(found)
        cursor.execute(_SEARCH_EACH, given)
        each = [{*ids, *by_name.get(term, ())} for term, ids in cursor]
    return list(set.intersection(*each))


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
