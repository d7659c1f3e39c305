"""Who holds which numbers, read from dates alone: a late job changes nothing of what these answer (rules A1 and A8)."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from numbers.models import Assignment, PhoneNumber
from portal import berlin, lookups, submissions, tenancy


@dataclass(frozen=True, slots=True)
class Holder:
    """A staff member with a number, from `from_at` until `until_at` (None = until further notice)."""

    number_id: int
    staff_member_id: int
    name: str
    from_at: datetime
    until_at: datetime | None

    @property
    def since(self) -> date:
        return berlin.day(self.from_at)


@dataclass(frozen=True, slots=True)
class Holding:
    """Who has a number now, and who will have it from a later day on."""

    present: list[Holder] = field(default_factory=list)
    ahead: list[Holder] = field(default_factory=list)


NOBODY = Holding()
# Who has and will have the number of a row, for `read`; the mark is the instant.
HELD = """
SELECT json_agg(json_build_array(m.id, m.name, a.from_at, a.until_at) ORDER BY a.from_at, m.sort_key, a.id)
FROM numbers_assignment AS a JOIN staff_staffmember AS m ON m.tenant_id = a.tenant_id AND m.id = a.staff_member_id
WHERE a.tenant_id = numbers_phonenumber.tenant_id AND a.number_id = numbers_phonenumber.id
AND (a.until_at IS NULL OR a.until_at > %s)"""
_HOLDERS = "SELECT * FROM number_holders(%s, %s, %s, %s)"


def present(at: datetime) -> "QuerySet[Assignment]":
    """Return the assignments that hold at an instant: begun, not ended, and of a number that works."""
    begun = Assignment.objects.filter(from_at__lte=at).filter(Q(until_at=None) | Q(until_at__gt=at))
    rows: QuerySet[Assignment] = begun.exclude(number__last_active_on__lt=berlin.day(at))
    return rows


def ahead(at: datetime) -> "QuerySet[Assignment]":
    """Return the dated hand-overs that are still to come and whose number works until then."""
    rows: QuerySet[Assignment] = Assignment.objects.filter(from_at__gt=at)
    return rows.exclude(number__last_active_on__lt=berlin.day(at))


def of_numbers(number_ids: Collection[int], *, at: datetime) -> dict[int, Holding]:
    """Return who holds and who will hold each of these numbers, in one query; numbers of nobody are left out."""
    return _of(tenancy.current(), number_ids, at=at)


def of_number(number: PhoneNumber, *, at: datetime) -> Holding:
    """Return who holds and who will hold this number, also where every tenant is worked for."""
    return _of(tenancy.current_for(number), [number.pk], at=at).get(number.pk, NOBODY)


def ask(number_id: int, *, at: datetime) -> Callable[[], Holding]:
    """Ask who holds and who will hold a number, together with the last statement of this click; return what gives the
    answer then."""
    last = submissions.at_last(submissions.Along(_HOLDERS, _asked(tenancy.current(), [number_id], at)))
    return lambda: _found(last.rows, at).get(number_id, NOBODY)


def _of(tenant_id: int, number_ids: Collection[int], *, at: datetime) -> dict[int, Holding]:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, _asked(tenant_id, number_ids, at))
        return _found(cursor.fetchall(), at)


def _asked(tenant_id: int, number_ids: Collection[int], at: datetime) -> list[Any]:
    return [tenant_id, lookups.keys(number_ids), at, berlin.day(at)]


def _found(rows: Iterable[tuple[Any, ...]], at: datetime) -> dict[int, Holding]:
    found: dict[int, Holding] = {}
    for row in rows:
        holder = Holder(*row)
        held = found.setdefault(holder.number_id, Holding())
        (held.ahead if holder.from_at > at else held.present).append(holder)
    return found


def history(number: PhoneNumber, *, at: datetime, most: int = 60) -> tuple[Holding, list[Holder]]:
    """Return who has and will have this number, and who had it before (the last one first), in one query."""
    last = number.last_active_on
    planned = berlin.inactive_from(last) if last and number.is_due(at) else None  # the job has not ended these yet
    rows = [_ending(h, planned) for h in _holders(Assignment.objects.filter(number=number).order_by("-from_at")[:most])]
    past = sorted((h for h in rows if h.until_at and h.until_at <= at), key=lambda h: h.from_at, reverse=True)
    open_ones = [h for h in reversed(rows) if not h.until_at or h.until_at > at]
    now = [h for h in open_ones if h.from_at <= at]
    return Holding(now, [h for h in open_ones if h.from_at > at]), [h for h in past if h.from_at < (h.until_at or at)]


def read(number_id: int, held: Any, *, at: datetime) -> Holding:
    """Return what `HELD` found for a number."""
    if not held:
        return NOBODY
    holding = Holding([], [])
    for member_id, name, from_at, until_at in held:
        begin, until = datetime.fromisoformat(from_at), datetime.fromisoformat(until_at) if until_at else None
        holder = Holder(number_id, member_id, name, begin, until)
        (holding.ahead if begin > at else holding.present).append(holder)
    return holding


def until_of(assignment: Assignment) -> datetime | None:
    """Return when an interval ends, by its date or by that of its number (loaded), whatever the job has done."""
    last = assignment.number.last_active_on
    ends = [assignment.until_at, berlin.inactive_from(last) if last else None]
    return min((until for until in ends if until), default=None)


def _holders(rows: "QuerySet[Assignment]") -> list[Holder]:
    values = rows.values_list("number_id", "staff_member_id", "staff_member__name", "from_at", "until_at")
    return [Holder(*row) for row in values]


def _ending(holder: Holder, planned: datetime | None) -> Holder:
    if planned is None:
        return holder
    return replace(holder, until_at=min(planned, holder.until_at or planned))
