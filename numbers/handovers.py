"""Dated hand-overs, and what comes with them: the job's part, and the end of assignments with their number.

Who holds a number follows from dates alone (`numbers.holders`); this only materialises what goes with it: forwardings
of the one who had it are removed, one event is written, both are told. All is booked on the planned instant (rule A9).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from numbers import attachments, effects, staff_mail
from numbers.attachments import Hanging, Snapshots, ends_at
from numbers.models import Assignment, LockedNumber, PhoneNumber
from portal import audit, berlin
from portal.models import User

JOB = "apply_handovers"
BATCH = 1_000
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a run of the job has come: instant and id of the last hand-over it looked at."""

    from_at: datetime = BEFORE_ALL
    assignment_id: int = 0


def due(at: datetime) -> Any:
    """Return the assignments that have begun and whose effects are still to be materialised."""
    return Assignment.objects.filter(settled_at=None, from_at__lte=at)


def settle(numbers: Sequence[LockedNumber], *, at: datetime) -> int:
    """Materialise the hand-overs of these locked numbers that have begun; return how many.

    Called by the job and by every operation on assignments before it decides.
    """
    effects.settle(numbers, at=at)
    own = {number.pk: number for number in numbers}
    begun = list(due(at).filter(number__any=own).select_related("staff_member").order_by("from_at", "pk"))
    if not begun:
        return 0
    instants = {(a.number_id, a.from_at) for a in begun}
    ended = Assignment.objects.filter(number__any=own, until_at__in=[a.from_at for a in begun], shared=False)
    left = {
        (a.number_id, a.until_at): a
        for a in ended.select_related("staff_member")
        if (a.number_id, a.until_at) in instants
    }
    removed = clear_forwardings({number_id: until for number_id, until in left if until})
    Assignment.objects.filter(pk__in=[a.pk for a in begun]).update(settled_at=at)
    entries = []
    for a in begun:
        number, before = own[a.number_id], named(left.get((a.number_id, a.from_at)))
        before = with_forwardings(before, removed.get(number.pk, []) if before else [])
        entries.append(audit.Entry("number", number.pk, number.e164, before, named(a), number.tenant_id))
    audit.record("number.assigned", entries, by=JOB, at=at)
    still = [a for a in begun if a.until_at is None or a.until_at > at]
    staff_mail.tell("numbers/assigned", [(a.staff_member, own[a.number_id]) for a in still], at=at)
    attachments.end_rights([(a.number_id, a.staff_member_id) for a in left.values()], by=JOB, at=at)
    gone = [(a.staff_member, own[a.number_id]) for a in left.values()]
    staff_mail.tell("numbers/unassigned", gone, at=at)
    return len(begun)


def take_effect(*, at: datetime, after: Cursor) -> tuple[int, Cursor | None]:
    """Settle the next batch of hand-overs of all tenants, skipping numbers that others have locked.

    Returns how many were settled and the new cursor, None once nothing is left. Needs the operator's role and
    `tenancy.every_tenant()`.
    """
    rows = due(at).filter(Q(from_at__gt=after.from_at) | Q(from_at=after.from_at, pk__gt=after.assignment_id))
    free = rows.select_related("number").select_for_update(no_key=True, skip_locked=True, of=("number",))
    batch = [(a.from_at, a.pk, a.number_id) for a in free.order_by("from_at", "pk")[:BATCH]]
    if not batch:
        return 0, None
    numbers = PhoneNumber.objects.locked({number_id for _from_at, _pk, number_id in batch})
    return settle(numbers, at=at), Cursor(*batch[-1][:2])


def clear_forwardings(left: Mapping[int, datetime]) -> dict[int, list[dict[str, Any]]]:
    """Remove the own forwardings of numbers that changed hands, as far as they were set up before (rule A8).

    Returns what was removed, by number, for the trace.
    """
    removed: dict[int, list[dict[str, Any]]] = {}
    if left:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM numbers_forwarding AS f USING unnest(%s::bigint[], %s::timestamptz[]) AS l (id, at)"
                ' WHERE f.number_id = l.id AND f.changed_at < l.at RETURNING f.number_id, f."when", f.destination',
                [list(left), list(left.values())],
            )
            for number_id, when, destination in cursor:
                removed.setdefault(number_id, []).append({"when": when, "destination": destination})
    return removed


def with_forwardings(before: dict[str, Any], removed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the trace keeps of before, with the forwardings that were removed."""
    return before | {"forwarding": list(removed)} if removed else before


def named(assignment: Assignment | None) -> dict[str, Any]:
    """Return an interval as the trace keeps it."""
    if assignment is None:
        return {}
    return {
        "staff_member": assignment.staff_member.name,
        "staff_member_id": assignment.staff_member_id,
        "from_on": berlin.day(assignment.from_at).isoformat(),
    }


def _standing(numbers: Sequence[PhoneNumber], at: datetime) -> list[tuple[Assignment, datetime]]:
    """Return the intervals that are not over when their number's settings end, each with that instant.

    The tenant is compared although the key says it all: the index that finds thousands of numbers leads with it.
    """
    instants = {last: ends_at(last, at=at) for last in {number.last_active_on for number in numbers}}
    of_number = {number.pk: instants[number.last_active_on] for number in numbers}
    rows = Assignment.objects.filter(number__any=of_number, tenant=F("number__tenant")).filter(
        Q(until_at=None) | Q(until_at__gt=min(instants.values(), default=at))
    )
    found = [(a, of_number[a.number_id]) for a in rows.select_related("staff_member").order_by("from_at", "pk")]
    return [(a, instant) for a, instant in found if a.until_at is None or a.until_at > instant]


class _Assignments:
    name = "assignment"
    models: tuple[str, ...] = ("numbers.Assignment",)
    ends_with_deactivation = True

    def describe(self, numbers: Sequence[PhoneNumber], *, at: datetime) -> list[Hanging]:
        ahead = Assignment.objects.filter(number=OuterRef("number"), settled_at=None, from_at=OuterRef("until_at"))
        rows = Assignment.objects.filter(Q(until_at=None) | Q(settled_at=None) | Exists(ahead))
        standing = rows.filter(number__in=[n.pk for n in numbers]).select_related("staff_member")
        return [Hanging(a.number_id, self._sentence(a), named(a)) for a in standing.order_by("from_at", "pk")]

    def detach(self, numbers: Sequence[PhoneNumber], *, by: User | str, at: datetime) -> Snapshots:
        standing = _standing(numbers, at)
        if not standing:
            return {}
        never = [a.pk for a, instant in standing if a.from_at >= instant]
        ending = [(a, instant) for a, instant in standing if a.from_at < instant]
        Assignment.objects.filter(pk__in=never).delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE numbers_assignment AS a SET until_at = e.until_at, settled_at = coalesce(a.settled_at, %s)"
                " FROM unnest(%s::bigint[], %s::timestamptz[]) AS e (id, until_at) WHERE a.id = e.id",
                [at, [a.pk for a, _at in ending], [instant for _a, instant in ending]],
            )
        ended: Snapshots = {}
        for a, _instant_of in standing:
            ended.setdefault(a.number_id, []).append(named(a))
        own = {number.pk: number for number in numbers}
        staff_mail.tell("numbers/unassigned", [(a.staff_member, own[a.number_id]) for a, _at in ending], at=at)
        return ended

    def _sentence(self, assignment: Assignment) -> str:
        words = {
            "name": assignment.staff_member.name,
            "day": date_format(berlin.day(assignment.from_at), "SHORT_DATE_FORMAT"),
        }
        if assignment.settled_at is None:
            return _("assigned to %(name)s from %(day)s on") % words
        return _("assigned to %(name)s") % words


ATTACHMENT = _Assignments()
