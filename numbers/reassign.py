"""A reassignment together with the purge that was ticked: both or neither, in one transaction (rules A2, T1, T2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from numbers import assignment, purge
from numbers.models import Assignment, LockedNumber
from numbers.outcomes import Outcome, Result
from numbers.purge import PurgeRefused
from portal.models import User
from staff.models import StaffMember


@dataclass(frozen=True, slots=True)
class Ticked:
    """The purge somebody ticked: whose interval (an assignment's id), how many calls they saw, which notice."""

    interval: int
    count_seen: int
    notice: str


def reassign(
    numbers: Sequence[LockedNumber],
    *,
    to: StaffMember | None,
    from_at: datetime | None = None,
    ticked: Mapping[int, Ticked],
    by: User,
    at: datetime,
) -> list[Outcome]:
    """Give numbers to a person, or (None) take them from their holders, and purge the calls that were ticked.

    `ticked` goes by number id. Nothing is purged of a number that does not really leave its holder. Raises PurgeRefused
    when a purge cannot be done as it was shown; the caller rolls back then.
    """
    before = _holding(numbers, at) if ticked else {}
    if to is None:
        found = assignment.unassign(numbers, by=by, at=at)
    else:
        found = assignment.assign(numbers, staff_member=to, from_at=from_at, by=by, at=at)
    done = {outcome.number_id for outcome in found if outcome.result == Result.DONE}
    for number in numbers:
        if number.pk in ticked and number.pk in done:
            _purge(number, before.get(number.pk), ticked[number.pk], by=by, at=at)
    return found


def _holding(numbers: Sequence[LockedNumber], at: datetime) -> dict[int, Assignment]:
    """Return the interval that a reassignment of each number ends.

    Not who has it at `at`: somebody else may have changed it while we waited for the lock, at a later instant.
    """
    ahead = Assignment.objects.filter(number=OuterRef("number"), settled_at=None, from_at=OuterRef("until_at"))
    standing = Assignment.objects.filter(Q(until_at=None) | Exists(ahead), shared=False)
    begun = standing.filter(Q(from_at__lte=at) | Q(settled_at__isnull=False))
    rows = begun.filter(number__in=[number.pk for number in numbers]).order_by("from_at")
    return {interval.number_id: interval for interval in rows}


def _purge(number: LockedNumber, interval: Assignment | None, ticked: Ticked, *, by: User, at: datetime) -> None:
    if interval is None or interval.pk != ticked.interval:
        raise PurgeRefused(_("Somebody else has the number now. Please look at it and confirm again."))
    interval.refresh_from_db()
    until = interval.until_at or at  # a moment after `at` if another change came in between
    purge.purge(number, interval, count_seen=ticked.count_seen, notice=ticked.notice, by=by, at=max(at, until))
