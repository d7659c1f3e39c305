"""Purge: the calls of a number in one person's interval go, together with the reassignment (rules T1–T3).

| the interval                     | purge    | effect                                                              |
|----------------------------------|----------|---------------------------------------------------------------------|
| touched by an open dispute       | refused  | –                                                                   |
| has other calls than were shown  | refused  | – (asks again)                                                      |
| else                             | done     | usage totalled, calls deleted, one `Purge` row, one event in the trace |

Calls in this interval that come in later are totalled and not stored, so a purge is never lost. No export is kept
anywhere: lists as CSV or PDF are made when somebody asks and are gone with the answer.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, QuerySet
from django.utils.translation import gettext_lazy as _

from numbers import disputes, totals
from numbers.models import Assignment, CallRecord, LockedNumber, Purge
from portal import audit
from portal.models import User
from portal.refusals import Refused

NOTICE = "2026-11"  # the version of the text in templates/numbers/purge/_notice.html


class PurgeRefused(Refused):
    """Nothing was purged; `reason` says why and what to do next."""


class Disputed(PurgeRefused):
    """A dispute over a month of the interval is open (rule T4)."""


class NoticeChanged(PurgeRefused):
    """The notice that was accepted is not the present one."""


class CountChanged(PurgeRefused):
    """There are more or fewer calls than were shown: `count` now."""

    def __init__(self, count: int) -> None:
        super().__init__(
            _("There are %(count)s calls in this period now. Please look at it and confirm again.") % {"count": count}
        )
        self.count = count


DISPUTED = _(
    "A dispute over a bill of this period is open, so its calls must stay. Reassign without deleting, or ask our "
    "hotline when the dispute will be closed."
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a purge would delete: `count` calls between `first_at` and `last_at` of the interval [from_at, until_at).

    `refusal` is empty, or says why it is not possible and what to do.
    """

    count: int
    from_at: datetime
    until_at: datetime
    first_at: datetime | None
    last_at: datetime | None
    refusal: str


@dataclass(frozen=True, slots=True)
class Purged:
    """What was deleted."""

    count: int


def preview(assignment: Assignment, *, at: datetime) -> Preview:
    """Return what `purge` would delete for this assignment's interval, up to its end or now."""
    until = _until(assignment, at)
    found = _calls(assignment, until).aggregate(count=Count("pk"), first=Min("started_at"), last=Max("started_at"))
    return Preview(
        found["count"],
        assignment.from_at,
        until,
        found["first"],
        found["last"],
        str(DISPUTED) if _is_disputed(assignment, until) else "",
    )


def purge(
    number: LockedNumber, assignment: Assignment, *, count_seen: int, notice: str, by: User, at: datetime
) -> Purged:
    """Delete this locked number's calls within the assignment's interval, totalling their usage first.

    Belongs into the transaction of the reassignment, before or after the interval was ended. Raises Disputed,
    CountChanged or NoticeChanged (all PurgeRefused) and changes nothing then. Rules T1–T3.
    """
    until = _until(assignment, at)
    if notice != NOTICE:
        raise NoticeChanged(_("The notice has changed. Please read it and confirm again."))
    if _is_disputed(assignment, until):
        raise Disputed(DISPUTED)
    if (present := _calls(assignment, until).count()) != count_seen:
        raise CountChanged(present)
    interval = {"from_at": assignment.from_at, "until_at": until}
    count = totals.purge_interval(number_id=number.pk, holder_id=assignment.staff_member_id, **interval)
    row = Purge(number=number, staff_member_id=assignment.staff_member_id, **interval)
    row.count, row.notice, row.by, row.at = count, notice, by, at
    row.save()
    after = {"count": count, "notice": notice} | {name: moment.isoformat() for name, moment in interval.items()}
    entry = audit.Entry("number", number.pk, number.e164, {}, after, number.tenant_id)
    audit.record("calls.purged", [entry], by=by, at=at)
    return Purged(count)


def _until(assignment: Assignment, at: datetime) -> datetime:
    return min(assignment.until_at or at, at)


def _calls(assignment: Assignment, until: datetime) -> "QuerySet[CallRecord]":
    rows: QuerySet[CallRecord] = CallRecord.objects.filter(
        number=assignment.number_id,
        holder=assignment.staff_member_id,
        started_at__gte=assignment.from_at,
        started_at__lt=until,
    )
    return rows


def _is_disputed(assignment: Assignment, until: datetime) -> bool:
    return disputes.holding(assignment.number_id, from_at=assignment.from_at, until_at=until).exists()
