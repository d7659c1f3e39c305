"""A reassignment together with the purge that was ticked: both or neither, in one transaction (rules A2, T1, T2)."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from numbers import assignment, holders, purge
from numbers.models import LockedNumber
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
    number: LockedNumber,
    *,
    to: StaffMember | None,
    from_at: datetime | None = None,
    ticked: Ticked | None = None,
    by: User,
    at: datetime,
) -> Outcome:
    """Give a number to a person, or (None) take it from its holder, and purge the holder's calls if that was ticked.

    Nothing is purged unless the number really leaves its holder. Raises PurgeRefused when the purge cannot be done as
    it was shown; the caller rolls back then.
    """
    before = holders.present(at).filter(number=number, shared=False).order_by("-from_at").first()
    if to is None:
        [outcome] = assignment.unassign([number], by=by, at=at)
    else:
        [outcome] = assignment.assign([number], staff_member=to, from_at=from_at, by=by, at=at)
    if ticked is None or outcome.result != Result.DONE:
        return outcome
    if before is None or before.pk != ticked.interval:
        raise PurgeRefused(_("Somebody else has the number now. Please look at it and confirm again."))
    before.refresh_from_db()
    until = before.until_at or at  # a moment after `at` if another change came in between
    purge.purge(number, before, count_seen=ticked.count_seen, notice=ticked.notice, by=by, at=max(at, until))
    return outcome
