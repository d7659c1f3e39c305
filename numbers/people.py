"""A person and their numbers together: who comes gets some, who is locked or leaves gives all away (rules A1 and A4).

| per number            | effect                                                            |
|-----------------------|-------------------------------------------------------------------|
| given to a colleague  | their interval begins where the other one ends                    |
| taken back            | the interval ends, its forwardings go with it (rule A8)           |
| forwarded             | the same, and its calls go elsewhere for some days, then nowhere  |

What was planned for the person is called off. Then they are locked or leave, all in one transaction: nothing keeps
routing to somebody who left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Q, QuerySet

from numbers import assignment, detail, forwarding, holders, messages
from numbers.detail import Rule
from numbers.forwarding import ForwardingRefused
from numbers.models import Assignment, Forwarding, LockedNumber
from numbers.outcomes import Result
from numbers.reassign import Ticked, reassign
from portal import berlin
from portal.models import Role, User
from portal.refusals import Refused
from staff import invitations, members, settings
from staff.members import Person
from staff.models import LockedMember, StaffMember


class Then(StrEnum):
    """What happens to the person once their numbers are given away."""

    LOCK = "lock"
    LEAVE = "leave"


class HireRefused(Refused):
    """Somebody could not be taken in with these numbers; `reason` names the number and says what to do next."""


@dataclass(frozen=True, slots=True)
class Hired:
    """A person who was taken in; `note` says why they were not invited, if they should have been and were not."""

    member: StaffMember
    invited: bool
    note: str


class ReleaseRefused(Refused):
    """Somebody could not be let go; `reason` says why, for people. Whoever called rolls back."""


@dataclass(frozen=True, slots=True)
class Held:
    """A number that a person has or will have (`begins` set), written for people."""

    number_id: int
    number: str
    text: str
    since: date
    begins: bool


def open_of(member_ids: Sequence[int], *, at: datetime) -> "QuerySet[Assignment]":
    """Return all intervals of these people that the trace has open: those ahead, and those of overdue numbers, whose
    end the job has not written yet."""
    rows: QuerySet[Assignment] = Assignment.objects.filter(staff_member__in=list(member_ids))
    return rows.filter(Q(until_at=None) | Q(until_at__gt=at))


def held_by(member: StaffMember, *, at: datetime) -> list[Held]:
    """Return the numbers that a person has or will have."""
    rows = _held(open_of([member.pk], at=at), at=at)
    return [
        Held(
            a.number_id,
            messages.display(a.number),
            " · ".join(part for part in (a.number.label, str(a.number.get_usage_display())) if part),
            berlin.day(a.from_at),
            a.from_at > at,
        )
        for a in rows.select_related("number__area").order_by("number__e164")
    ]


def _held(rows: "QuerySet[Assignment]", *, at: datetime) -> "QuerySet[Assignment]":
    """Leave out what has ended with its number's last active day (rule C3)."""
    return rows.exclude(number__last_active_on__lt=berlin.day(at))


@dataclass(frozen=True, slots=True)
class Mine:
    """One of somebody's own numbers: since when it is theirs, and where its calls go."""

    number_id: int
    number: str
    e164: str
    text: str
    since: date
    rules: list[Rule]
    shared: bool


def mine(member: StaffMember, *, at: datetime) -> list[Mine]:
    """Return the numbers that a person has now, with their forwardings; a constant number of queries."""
    rows = holders.present(at).filter(staff_member=member).select_related("number__area").order_by("number__e164")
    found = list(rows)
    rules = detail.rules_of([a.number for a in found], at=at)
    return [
        Mine(
            a.number_id,
            messages.display(a.number),
            a.number.e164,
            " · ".join(part for part in (a.number.label, str(a.number.get_usage_display())) if part),
            berlin.day(a.from_at),
            rules[a.number_id],
            a.shared,
        )
        for a in found
    ]


def has(user: User, number_id: int, *, at: datetime) -> bool:
    """Return whether a number is with this person now, and with nobody beside them."""
    theirs = holders.present(at).filter(number=number_id, staff_member__user=user, shared=False)
    return bool(theirs.exists())


def may_forward() -> bool:
    """Return whether the tenant lets staff change the forwarding of their own numbers."""
    return bool(settings.of_tenant().edits_forwarding)


@dataclass(frozen=True, slots=True)
class Away:
    """Where the calls of a number go that its holder leaves behind, up to and including a day (in Berlin)."""

    destination: str
    last_on: date


def release(
    numbers: Sequence[LockedNumber],
    member: StaffMember,
    *,
    heirs: Mapping[int, StaffMember],
    away: Mapping[int, Away],
    then: Then,
    by: User,
    at: datetime,
) -> None:
    """Give these numbers of a person to `heirs` or take them back, then lock or dismiss the person.

    `heirs` and `away` (where calls go for some days instead) are by number id; `numbers` are all that the person has
    or will have, locked. Raises ReleaseRefused when a colleague cannot have a number, a destination is not possible,
    the person got another number meanwhile or may not go; nothing may stay of it then.
    """
    inherited = [number for number in numbers if number.pk in heirs]
    for outcome in assignment.assign_each(inherited, to=heirs, by=by, at=at):
        if outcome.result == Result.REFUSED:
            raise ReleaseRefused(outcome.sentence)
    assignment.unassign(numbers, staff_member=member, by=by, at=at)
    for number in numbers:
        if number.pk in away:
            _forward(number, away[number.pk], by=by, at=at)
    locked: list[LockedMember] = StaffMember.objects.locked([member.pk])
    act = members.lock if then == Then.LOCK else members.leave
    # an interval that began at this very instant ends a moment later, and only then nothing is held any more
    for gone in act(locked, by=by, at=at + 2 * assignment.MOMENT):
        if gone.result == Result.REFUSED:
            raise ReleaseRefused(str(gone.sentence))


def _forward(number: LockedNumber, away: Away, *, by: User, at: datetime) -> None:
    until = berlin.begin(away.last_on + timedelta(days=1))
    always, where = Forwarding.When.ALWAYS, away.destination
    try:
        forwarding.set_rule(number, when=always, destination=where, after_seconds=None, until_at=until, by=by, at=at)
    except ForwardingRefused as refused:
        raise ReleaseRefused(f"{messages.display(number)}: {refused.reason}") from refused


def hire(
    person: Person,
    numbers: Sequence[LockedNumber],
    *,
    role: Role | None,
    ticked: Mapping[int, Ticked],
    by: User,
    at: datetime,
) -> Hired:
    """Take a person in, give them these numbers at once, and invite them if they get a role; all or nothing.

    `ticked` are the purges of the present holders' calls, by number id (rule T1). Raises MemberRefused, HireRefused
    when a number cannot be theirs, and PurgeRefused; whoever called rolls back. Rule A1.
    """
    member = members.add(person, by=by, at=at)
    for number, outcome in zip(numbers, reassign(numbers, to=member, ticked=ticked, by=by, at=at), strict=True):
        if outcome.result == Result.REFUSED:
            raise HireRefused(f"{messages.display(number)}: {outcome.sentence}")
    if role is None:
        return Hired(member, invited=False, note="")
    [invited] = invitations.invite(StaffMember.objects.locked([member.pk]), role=role, by=by, at=at)
    return Hired(member, invited=invited.result == Result.DONE, note=invited.sentence)


class _Tie:
    """Numbers are what a person holds: nobody is locked or leaves while any is still theirs (rule A4).

    One past its last active day is not, whether or not the job has ended its interval (rule C3).
    """

    def held(self, member_ids: Sequence[int], *, at: datetime) -> dict[int, int]:
        rows = _held(open_of(member_ids, at=at), at=at).order_by().values_list("staff_member").annotate(Count("pk"))
        return dict(rows)


TIE = _Tie()
