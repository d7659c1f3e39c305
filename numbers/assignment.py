"""Giving numbers to staff members and taking them back: dated, half-open intervals (rules A1–A3, A8).

| usage                           | intervals      | verb              | effect                             |
|---------------------------------|----------------|-------------------|------------------------------------|
| voice, conference, personal fax | one open       | assign            | the present one ends, one begins   |
| the same, from a later day on   | one, then next | assign (from_at)  | the present one ends on that day   |
| shared fax                      | one per person | assign            | one more begins                    |
| any                             |                | unassign          | ends                               |
| any                             | ahead          | withdraw_handover | goes; the present one goes on      |
| any, inactive or swapped        |                | (attachment)      | ends as planned; what is ahead goes|

What somebody leaves behind goes with them: when a number changes hands its own forwardings are removed, for they lead
to the one who had it. Numbers are locked before staff members, always.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from numbers import attachments, effects, handovers, holders, outcomes, staff_mail
from numbers.models import Assignment, LockedNumber, NumberState, PhoneNumber, Usage
from numbers.outcomes import Outcome, Reason
from portal import audit, berlin
from portal.models import User
from staff.models import StaffMember, StaffState

present = holders.present
until_of = holders.until_of
MOMENT = timedelta(microseconds=1)  # the shortest time somebody can hold a number
GONE = (NumberState.RETURNED, NumberState.PORTED_OUT)


@dataclass(slots=True)
class _Plan:
    """What an operation is going to write, collected number by number."""

    ends: list[tuple[Assignment, datetime | None]] = field(default_factory=list)
    goes: list[Assignment] = field(default_factory=list)
    begins: list[Assignment] = field(default_factory=list)
    left: dict[int, datetime] = field(default_factory=dict)  # numbers whose one holder goes, and when


@dataclass(frozen=True, slots=True)
class _Standing:
    """The intervals of one number that are not over: begun, and ahead; `moment` is when a change may begin."""

    begun: list[Assignment]
    ahead: list[Assignment]
    moment: datetime


def assign(
    numbers: Sequence[LockedNumber],
    *,
    staff_member: StaffMember,
    from_at: datetime | None = None,
    by: User,
    at: datetime,
) -> list[Outcome]:
    """Give these numbers to one person, now or (a dated hand-over) from a later instant on.

    Returns one outcome per number: done, unchanged (it is theirs already) or refused: not active, porting, the person
    is locked or left, the number is inactive by then. Whoever had it is told, as is whoever gets it (A1, A5, A8).
    """
    return assign_each(numbers, to={n.pk: staff_member for n in numbers}, from_at=from_at, by=by, at=at)


def assign_each(
    numbers: Sequence[LockedNumber],
    *,
    to: Mapping[int, StaffMember],
    from_at: datetime | None = None,
    by: User,
    at: datetime,
) -> list[Outcome]:
    """Give each of these numbers to the person that `to` names for it, as `assign` does; set-based."""
    planned = from_at if from_at and from_at > at else None
    standing = _standing(numbers, at=at)
    members = {member.pk: member for member in StaffMember.objects.locked({m.pk for m in to.values()})}
    plan, found = _Plan(), []
    for number in numbers:
        member = members.get(to[number.pk].pk)
        outcome = _obstacle(number, member, planned)
        if outcome is None and member:  # who is not there is an obstacle
            outcome = _enter(number, member, standing[number.pk], planned, plan)
        found.append(outcome or outcomes.refused(number.pk, Reason.PERSON_LEFT))
    _write(plan, numbers, by=by, at=at)
    return found


def unassign(
    numbers: Sequence[LockedNumber], *, staff_member: StaffMember | None = None, by: User, at: datetime
) -> list[Outcome]:
    """Take these numbers from whoever has them, or from this one person; a hand-over to somebody else stays planned.

    Returns one outcome per number: done, or unchanged (nobody, or not that person, has it). Rules A4 and A5.
    """
    standing = _standing(numbers, at=at)
    plan, found = _Plan(), []
    for number in numbers:
        stands = standing[number.pk]
        theirs = [a for a in stands.begun if staff_member is None or a.staff_member_id == staff_member.pk]
        planned = [a for a in stands.ahead if staff_member and a.staff_member_id == staff_member.pk]
        plan.ends += [(a, max(stands.moment, a.from_at + MOMENT)) for a in theirs]
        if theirs and len(theirs) == len(stands.begun):
            plan.left[number.pk] = stands.moment
        _call_off(number, planned, stands, plan)
        done = theirs or planned
        found.append(outcomes.done(number.pk) if done else outcomes.unchanged(number.pk, Reason.NOT_ASSIGNED))
    _write(plan, numbers, by=by, at=at)
    return found


def withdraw_handover(numbers: Sequence[LockedNumber], *, by: User, at: datetime) -> list[Outcome]:
    """Call off what is planned for these numbers; whoever has them keeps them.

    Returns one outcome per number: done, or unchanged (nothing is planned any more).
    """
    standing = _standing(numbers, at=at)
    plan, found = _Plan(), []
    for number in numbers:
        stands = standing[number.pk]
        _call_off(number, stands.ahead, stands, plan)
        none = outcomes.unchanged(number.pk, Reason.NO_HANDOVER)
        found.append(outcomes.done(number.pk) if stands.ahead else none)
    _write(plan, numbers, by=by, at=at)
    return found


def usage_refusal(number: LockedNumber, usage: Usage, *, at: datetime) -> Outcome | None:
    """Return why a number cannot get another usage because of who holds it, or None. Needs the number's lock."""
    if (number.usage == Usage.FAX_SHARED) == (usage == Usage.FAX_SHARED):
        return None
    stands = _standing([number], at=at)[number.pk]
    if stands.ahead:
        return outcomes.refused(number.pk, Reason.HANDOVER_AHEAD)
    return outcomes.refused(number.pk, Reason.SEVERAL_HOLDERS) if len(stands.begun) > 1 else None


def share(number: LockedNumber, *, shared: bool) -> None:
    """Let the present interval of a number allow others beside it, or none, after its usage changed."""
    Assignment.objects.filter(number=number, until_at=None).exclude(shared=shared).update(shared=shared)


def _standing(numbers: Sequence[LockedNumber], *, at: datetime) -> dict[int, _Standing]:
    """Settle what is due, and return how these numbers stand then.

    Somebody else's change may have been made while we waited for the lock and bear a later instant than ours: a change
    never begins before what stands.
    """
    effects.settle(numbers, at=at)
    handovers.settle(numbers, at=at)
    rows: dict[int, list[Assignment]] = {n.pk: [] for n in numbers}
    found = Assignment.objects.filter(number__any=rows).filter(Q(until_at=None) | Q(until_at__gt=at))
    for row in found.select_related("staff_member").order_by("from_at", "pk"):
        rows[row.number_id].append(row)
    return {number.pk: _sorted(number, rows[number.pk], at) for number in numbers}


def _sorted(number: PhoneNumber, rows: Sequence[Assignment], at: datetime) -> _Standing:
    ahead = [a for a in rows if a.settled_at is None]
    later = {a.from_at for a in ahead}
    settled = [a for a in rows if a.settled_at is not None]
    begun = [a for a in settled if a.until_at is None or a.until_at in later]
    ended = [a.until_at for a in settled if a.until_at and a.until_at not in later]
    exclusive = [a.from_at + MOMENT for a in begun] if number.usage != Usage.FAX_SHARED else []
    return _Standing(begun, ahead, max([at, *ended, *exclusive]))


def _obstacle(number: LockedNumber, member: StaffMember | None, planned: datetime | None) -> Outcome | None:
    last = number.last_active_on
    obstacles = (
        (number.state == NumberState.PORT_IN_PENDING, Reason.PORTING),
        (number.state in GONE, Reason.GONE),
        (number.state == NumberState.INACTIVE, Reason.NOT_ASSIGNABLE),
        (member is None or member.state == StaffState.LEFT, Reason.PERSON_LEFT),
        (member is not None and member.state == StaffState.LOCKED, Reason.PERSON_LOCKED),
        (bool(planned and last and planned >= berlin.inactive_from(last)), Reason.INACTIVE_BY_THEN),
    )
    return next((outcomes.refused(number.pk, reason) for stands, reason in obstacles if stands), None)


def _enter(
    number: LockedNumber, member: StaffMember, stands: _Standing, planned: datetime | None, plan: _Plan
) -> Outcome:
    """Plan the interval of this person; return what becomes of the number."""
    if number.usage == Usage.FAX_SHARED:
        return _join(number, member, stands, planned, plan)
    if any(a.staff_member_id == member.pk for a in stands.begun):
        return outcomes.unchanged(number.pk, Reason.ALREADY_ASSIGNED)
    if planned:
        if any((a.staff_member_id, a.from_at) == (member.pk, planned) for a in stands.ahead):
            return outcomes.unchanged(number.pk, Reason.ALREADY_PLANNED)
        plan.goes += stands.ahead
        plan.ends += [(a, planned) for a in stands.begun]
        plan.begins.append(_interval(number, member, planned, settled_at=None))
        return outcomes.done(number.pk)
    theirs = [a for a in stands.ahead if a.staff_member_id == member.pk]
    others = [a for a in stands.ahead if a.staff_member_id != member.pk]
    plan.goes += theirs
    plan.ends += [(a, stands.moment) for a in stands.begun]
    until = min((a.from_at for a in others), default=None)
    plan.begins.append(_interval(number, member, stands.moment, until_at=until, settled_at=stands.moment))
    if stands.begun:
        plan.left[number.pk] = stands.moment
    return outcomes.done(number.pk)


def _join(
    number: LockedNumber, member: StaffMember, stands: _Standing, planned: datetime | None, plan: _Plan
) -> Outcome:
    """Plan one more holder of a shared fax."""
    if any(a.staff_member_id == member.pk for a in stands.begun):
        return outcomes.unchanged(number.pk, Reason.ALREADY_ASSIGNED)
    ahead = [a for a in stands.ahead if a.staff_member_id == member.pk]
    if planned and any(a.from_at == planned for a in ahead):
        return outcomes.unchanged(number.pk, Reason.ALREADY_PLANNED)
    plan.goes += ahead
    begin = planned or stands.moment
    plan.begins.append(_interval(number, member, begin, settled_at=None if planned else begin))
    return outcomes.done(number.pk)


def _interval(
    number: LockedNumber,
    member: StaffMember,
    from_at: datetime,
    *,
    until_at: datetime | None = None,
    settled_at: datetime | None,
) -> Assignment:
    return Assignment(
        tenant_id=number.tenant_id,
        number=number,
        staff_member=member,
        from_at=from_at,
        until_at=until_at,
        shared=number.usage == Usage.FAX_SHARED,
        settled_at=settled_at,
    )


def _call_off(number: LockedNumber, ahead: Sequence[Assignment], stands: _Standing, plan: _Plan) -> None:
    """Plan that these hand-overs go, and that whoever would have made room for them does not."""
    plan.goes += ahead
    if ahead and number.usage != Usage.FAX_SHARED and number.pk not in plan.left:
        plan.ends += [(a, None) for a in stands.begun]


def _write(plan: _Plan, numbers: Sequence[LockedNumber], *, by: User, at: datetime) -> None:
    if not (plan.ends or plan.goes or plan.begins):
        return
    _end(plan)
    Assignment.objects.bulk_create(plan.begins)
    removed = handovers.clear_forwardings(plan.left)
    own = {number.pk: number for number in numbers}
    _trace(plan, own, removed, by=by, at=at)
    moved = [(a.staff_member, own[a.number_id]) for a in plan.begins if a.settled_at]
    ended = [a for a, until in plan.ends if until and _is_now(a, until, plan)]
    attachments.end_rights([(a.number_id, a.staff_member_id) for a in ended], by=by, at=at)
    taken = [(a.staff_member, own[a.number_id]) for a in ended]
    staff_mail.tell("numbers/assigned", moved, at=at)
    staff_mail.tell("numbers/unassigned", taken, at=at)


def _is_now(assignment: Assignment, until: datetime, plan: _Plan) -> bool:
    """Return whether an interval ends by this act itself and not on the day of a hand-over."""
    planned = {(a.number_id, a.from_at) for a in plan.begins if a.settled_at is None}
    return (assignment.number_id, until) not in planned


def _end(plan: _Plan) -> None:
    """Write the new ends and drop what never came to be: first of all, for intervals may not overlap."""
    Assignment.objects.filter(pk__in=[a.pk for a in plan.goes]).delete()
    if plan.ends:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE numbers_assignment AS a SET until_at = e.until_at"
                " FROM unnest(%s::bigint[], %s::timestamptz[]) AS e (id, until_at) WHERE a.id = e.id",
                [[a.pk for a, _until in plan.ends], [until for _a, until in plan.ends]],
            )


def _trace(
    plan: _Plan,
    own: Mapping[int, LockedNumber],
    removed: Mapping[int, Sequence[dict[str, Any]]],
    *,
    by: User,
    at: datetime,
) -> None:
    """One event per number and verb: who had it, who gets it, and the forwardings that went with them."""
    ended = [a for a, until in plan.ends if until and _is_now(a, until, plan)]
    begun = [a for a in plan.begins if a.settled_at]
    had = {a.number_id: _had(a, removed) for a in ended if not a.shared}
    taken_over = {a.number_id for a in begun if not a.shared}
    kept = {(a.number_id, a.staff_member_id) for a in plan.begins}
    told: tuple[tuple[str, list[tuple[Assignment, dict[str, Any], dict[str, Any]]]], ...] = (
        ("number.assigned", [(a, had.get(a.number_id, {}), handovers.named(a)) for a in begun]),
        ("number.unassigned", [(a, _had(a, removed), {}) for a in ended if a.number_id not in taken_over]),
        ("number.handover_planned", [(a, {}, handovers.named(a)) for a in plan.begins if not a.settled_at]),
        (
            "number.handover_withdrawn",
            [(a, handovers.named(a), {}) for a in plan.goes if (a.number_id, a.staff_member_id) not in kept],
        ),
    )
    for verb, rows in told:
        entries = [
            audit.Entry("number", a.number_id, own[a.number_id].e164, before, after, a.tenant_id)
            for a, before, after in rows
        ]
        audit.record(verb, entries, by=by, at=at)


def _had(assignment: Assignment, removed: Mapping[int, Sequence[dict[str, Any]]]) -> dict[str, Any]:
    return handovers.with_forwardings(handovers.named(assignment), removed.get(assignment.number_id, []))
