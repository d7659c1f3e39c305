"""Erasing a person who left, except what law keeps, with a log of every decision (rule T6).

| what                              | becomes | because                                                            |
|-----------------------------------|---------|--------------------------------------------------------------------|
| entry in the list, invitations    | erased  | nobody needs them any more; the row stays without name and address |
| calls                             | erased  | totalled first (T2); what an open dispute holds stays (T4)          |
| who had which number when         | kept    | it has to stay provable, without a name from now on                |
| deletions of calls, trace, mails  | kept    | they prove what was done; mails are forgotten after 90 days        |
| the login                         | kept    | it is the person's own and ended here when they left               |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers import call_mail, personal, purge
from numbers.models import Assignment, CallRecord, ErasureDecision, LockedNumber
from portal import audit
from portal.models import User
from portal.refusals import Refused
from staff import messages
from staff.models import LockedMember, StaffMember, StaffState

REASONS: Mapping[str, Promise] = {
    "not_needed": _("Not needed any more since the person left."),
    "own_login": _("The login is the person's own. For this company it ended when they left."),
    "mail_log": _("Mails are kept as a proof of sending and forgotten 90 days after they were sent."),
    "accountable": _("The trace of changes has to stay as it was, so that every change can be accounted for."),
    "who_had_it": _("Who had which number when has to stay provable. From now on it says so without a name."),
    "proof": _("The proof that calls were deleted. It holds no called numbers."),
    "disputed": _("Held by an open dispute over a bill. Deleted at night once it is closed and the time is over."),
}


class ErasureRefused(Refused):
    """Nothing was erased; `reason` says why and what to do next."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would delete of calls, and why it is not possible now, or an empty text."""

    count: int
    obstacle: str


@dataclass(frozen=True, slots=True)
class Line:
    """One decision of the log, for people."""

    what: str
    is_erased: bool
    reason: str
    count: int
    at: datetime


def preview(member: StaffMember) -> Preview:
    """Return what erasing this person would delete, or why it cannot be done."""
    return Preview(CallRecord.objects.filter(holder=member).count(), str(_obstacle(member) or ""))


def numbers_of(member_id: int) -> list[int]:
    """Return the ids of all numbers a person ever had: their locks come before the person's."""
    return list(Assignment.objects.filter(staff_member=member_id).values_list("number", flat=True).distinct())


def erase(
    numbers: Sequence[LockedNumber], member: LockedMember, *, count_seen: int, notice: str, by: User, at: datetime
) -> list[ErasureDecision]:
    """Erase what is known about a person except what law keeps, and log each decision.

    `numbers` are all the person ever had, locked before them. Raises ErasureRefused when the person has not left, was
    erased already, or calls or notice are not those shown. The person and all administrators are told by mail; the
    administrators' mail names nobody.
    """
    if reason := _obstacle(member):
        raise ErasureRefused(reason)
    if {*numbers_of(member.pk)} - {number.pk for number in numbers}:
        raise ErasureRefused(_("The person's phone numbers changed meanwhile. Please look at it and confirm again."))
    if notice != purge.NOTICE:
        raise ErasureRefused(_("The notice has changed. Please read it and confirm again."))
    if (present := CallRecord.objects.filter(holder=member).count()) != count_seen:
        raise purge.CountChanged(present)
    messages.tell("erased", member, at=at)
    rows = [
        ErasureDecision(
            tenant_id=member.tenant_id,
            staff_member_id=member.pk,
            kind=kind.name,
            decision=ErasureDecision.Decision.ERASED if each.is_erased else ErasureDecision.Decision.KEPT,
            reason=each.reason,
            count=each.count,
            by=by,
            at=at,
        )
        for kind in personal.kinds()
        for each in kind.erase(member, notice=notice, by=by, at=at)
    ]
    ErasureDecision.objects.bulk_create(rows)
    after = {f"{row.kind} {row.decision}": f"{row.reason} ({row.count})" for row in rows}
    entry = audit.Entry("staff_member", member.pk, member.name, {}, after, member.tenant_id)
    audit.record("staff.erased", [entry], by=by, at=at)
    call_mail.tell("numbers/person_erased", by=by, at=at, person=member.pk)
    return rows


def log(member: StaffMember) -> list[Line]:
    """Return what was decided when a person was erased, in the reader's language; empty if they were not."""
    titles = {kind.name: str(kind.title) for kind in personal.kinds()}
    return [
        Line(
            titles.get(row.kind, row.kind),
            row.decision == ErasureDecision.Decision.ERASED,
            str(REASONS.get(row.reason, "")),
            row.count,
            row.at,
        )
        for row in ErasureDecision.objects.filter(staff_member=member).order_by("pk")
    ]


def _obstacle(member: StaffMember) -> Promise | None:
    if member.state != StaffState.LEFT:
        return _("Only who has left can be erased. Please remove the person first, then come back.")
    if ErasureDecision.objects.filter(staff_member=member).exists():
        return _("This person was erased already. What was kept, and why, stands below.")
    return None
