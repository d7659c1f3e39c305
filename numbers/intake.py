"""Taking calls in, from files and from the table a switch writes (rules T1–T4).

| the line                                        | becomes     | effect                                             |
|-------------------------------------------------|-------------|----------------------------------------------------|
| a call of a number that a tenant held then      | taken       | stored with the holder of that moment              |
| a call that came in already                     | duplicate   | –                                                  |
| a call of an interval that was purged           | purged      | totalled, not stored                               |
| a call older than the tenant keeps them         | too old     | – (would be deleted tonight)                       |
| cannot be read, or its number is nobody's       | quarantined | kept for the operator, with the reason             |

Holders are read while the numbers are locked against reassignment, so a purge cannot be overtaken. Needs the operator's
role and `tenancy.every_tenant()`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers import call_lines, call_months, retention, totals
from numbers.call_lines import CallLine, Unusable
from numbers.models import Assignment, CallRecord, IntakeLine, NumberState, PhoneNumber, Purge
from numbers.totals import Usage
from portal import audit
from portal.models import User

BATCH = 1_000
REASONS: Mapping[str, Promise] = {
    "no_id": _("The line has no id of its source."),
    "bad_line": _("The line cannot be read."),
    "bad_number": _("The own number cannot be read."),
    "bad_peer": _("The other number cannot be read."),
    "bad_time": _("The time of the call cannot be read or has no zone."),
    "future": _("The call lies in the future."),
    "unknown_number": _("No tenant holds this number."),
    "number_gone": _("The number was given up; when, compared with the call, has to be checked."),
}
_KEYS = """
INSERT INTO numbers_callkey (tenant_id, key, month)
SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::date[]) ON CONFLICT (tenant_id, key) DO NOTHING RETURNING key
"""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A call whose number is known."""

    line: CallLine
    number: PhoneNumber
    key: UUID
    month: date


def take(given: Sequence[Mapping[str, Any]], *, source: str, at: datetime) -> Counter[str]:
    """Take these lines in; return how many were taken, duplicate, purged, too_old, quarantined.

    Lines in quarantine are kept once, however often a file is read.
    """
    counts: Counter[str] = Counter()
    lines, unusable = _readable(given, source, at)
    placed, homeless = _place(lines, source)
    counts["quarantined"] = _quarantine(unusable + homeless, source, at)
    counts["duplicate"] = len(lines) - len(homeless) - len(placed)
    limits = retention.limits({p.number.tenant_id for p in placed}, at=at)
    young = [p for p in placed if p.line.started_at >= limits[p.number.tenant_id]]
    counts["too_old"] = len(placed) - len(young)
    fresh = _new(young)
    counts["duplicate"] += len(young) - len(fresh)
    purged = _purged(fresh)
    totals.add([_usage(p) for p in fresh if p.key in purged])
    counts["purged"] = len(purged)
    counts["taken"] = _store([p for p in fresh if p.key not in purged])
    return +counts  # without what did not occur


def deliver(given: Iterable[Mapping[str, Any]], *, source: str, at: datetime) -> int:
    """Put lines into the intake table, as a switch would; a line that waits or is in quarantine stays as it is."""
    rows = [
        IntakeLine(source=source, source_id=str(row.get("id") or f"line-{place}")[:80], line=dict(row), received_at=at)
        for place, row in enumerate(given)
    ]
    return len(IntakeLine.objects.bulk_create(rows, ignore_conflicts=True))


def sweep(*, at: datetime) -> tuple[int, Counter[str]]:
    """Take the next batch of waiting lines in; return how many were handled and what became of them."""
    waiting = IntakeLine.objects.filter(reason="").order_by("pk")
    rows = list(waiting.select_for_update(skip_locked=True)[:BATCH])
    IntakeLine.objects.filter(pk__in=[row.pk for row in rows]).delete()
    counts: Counter[str] = Counter()
    for source in sorted({row.source for row in rows}):
        counts += take([row.line for row in rows if row.source == source], source=source, at=at)
    return len(rows), counts


def try_again(lines: Iterable[IntakeLine], *, by: User, at: datetime) -> int:
    """Let lines in quarantine wait for the next sweep (the operator's act); return how many."""
    rows = [line for line in lines if line.reason]
    count = IntakeLine.objects.filter(pk__in=[row.pk for row in rows]).update(reason="")
    entries = [audit.Entry("intake", row.pk, str(row), {"reason": row.reason}, {"reason": ""}) for row in rows]
    audit.record("intake.tried_again", entries, by=by, at=at)
    return count


def _readable(
    given: Sequence[Mapping[str, Any]], source: str, at: datetime
) -> tuple[list[tuple[CallLine, Mapping[str, Any]]], list[tuple[Mapping[str, Any], str]]]:
    lines: list[tuple[CallLine, Mapping[str, Any]]] = []
    unusable: list[tuple[Mapping[str, Any], str]] = []
    for row in given:
        try:
            line = call_lines.read(row)
            if line.started_at > at + timedelta(hours=1):
                raise Unusable("future")
            lines.append((line, row))
        except Unusable as error:
            unusable.append((row, error.reason))
    return lines, unusable


def _place(
    lines: Sequence[tuple[CallLine, Mapping[str, Any]]], source: str
) -> tuple[list[_Placed], list[tuple[Mapping[str, Any], str]]]:
    """Find the number each call belongs to, locked against reassignment; the same call twice is placed once."""
    e164s = {line.number for line, _ in lines}
    held = PhoneNumber.objects.filter(e164__in=e164s).order_by("pk")
    with connection.cursor() as cursor:  # FOR SHARE, which the ORM cannot say; a reassignment's lock waits for it
        cursor.execute("SELECT id FROM numbers_phonenumber WHERE e164 = ANY(%s) ORDER BY id FOR SHARE", [list(e164s)])
    by_e164: dict[str, list[PhoneNumber]] = {}
    for number in held:
        by_e164.setdefault(number.e164, []).append(number)
    placed: dict[UUID, _Placed] = {}
    homeless: list[tuple[Mapping[str, Any], str]] = []
    for line, row in lines:
        candidates = [n for n in by_e164.get(line.number, []) if n.allocated_at <= line.started_at]
        number = max(candidates, key=lambda n: n.allocated_at, default=None)
        if number is None:
            homeless.append((row, "unknown_number"))
        elif number.state in (NumberState.RETURNED, NumberState.PORTED_OUT):
            homeless.append((row, "number_gone"))
        else:
            key = call_lines.key(source, line.source_id)
            placed.setdefault(key, _Placed(line, number, key, call_months.of(line.started_at)))
    return list(placed.values()), homeless


def _new(placed: Sequence[_Placed]) -> list[_Placed]:
    """Note the keys of these calls and return those nobody had noted before."""
    if not placed:
        return []
    ordered = sorted(placed, key=lambda p: (p.number.tenant_id, p.key))  # two imports wait for, never kill each other
    with connection.cursor() as cursor:
        cursor.execute(
            _KEYS, [[p.number.tenant_id for p in ordered], [p.key for p in ordered], [p.month for p in ordered]]
        )
        noted = {key for (key,) in cursor.fetchall()}
    return [p for p in placed if p.key in noted]


def _purged(placed: Sequence[_Placed]) -> set[UUID]:
    """Return which of these calls lie in an interval that was purged."""
    intervals: dict[int, list[Purge]] = {}
    for row in Purge.objects.filter(number__in={p.number.pk for p in placed}):
        intervals.setdefault(row.number_id, []).append(row)
    return {
        p.key
        for p in placed
        if any(row.from_at <= p.line.started_at < row.until_at for row in intervals.get(p.number.pk, []))
    }


def _store(placed: Sequence[_Placed]) -> int:
    call_months.ensure({p.month for p in placed})
    holders: dict[int, list[Assignment]] = {}
    for row in Assignment.objects.filter(number__in={p.number.pk for p in placed}, shared=False):
        holders.setdefault(row.number_id, []).append(row)
    CallRecord.objects.bulk_create(
        CallRecord(
            tenant_id=p.number.tenant_id,
            number=p.number,
            holder_id=_holder(holders.get(p.number.pk, []), p.line.started_at),
            **{name: getattr(p.line, name) for name in _STORED},
        )
        for p in placed
    )
    return len(placed)


_STORED = (
    *("direction", "peer", "started_at", "ring_seconds", "talk_seconds", "result", "cost_micro", "reverse_charged"),
)


def _holder(assignments: Sequence[Assignment], at: datetime) -> int | None:
    for row in assignments:
        if row.from_at <= at and (row.until_at is None or at < row.until_at):
            return int(row.staff_member_id)
    return None


def _usage(placed: _Placed) -> tuple[int, int, date, Usage]:
    usage = Usage(1, placed.line.talk_seconds, placed.line.cost_micro)
    return placed.number.tenant_id, placed.number.pk, placed.month, usage


def _quarantine(rows: Sequence[tuple[Mapping[str, Any], str]], source: str, at: datetime) -> int:
    lines = [
        IntakeLine(
            source=source,
            source_id=str(row.get("id") or call_lines.key(source, repr(sorted(row.items()))))[:80],
            line=dict(row),
            reason=reason,
            received_at=at,
        )
        for row, reason in rows
    ]
    IntakeLine.objects.bulk_create(lines, ignore_conflicts=True)
    return len(lines)
