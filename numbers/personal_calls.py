"""What is known about a person by their numbers: which they had, and the calls of the time they had them.

Single calls are the person's own to read, and only if the tenant lets staff see theirs (rule T5): an administrator gets
what they came to per number and month.
"""

from datetime import datetime
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _

from numbers import calls, disputes, holders, totals
from numbers.models import Assignment, CallRecord, Purge
from numbers.personal import Decided, Row
from portal import berlin
from portal.models import User
from staff.models import LockedMember, StaffMember


class _Numbers:
    name, title = "numbers", _("Phone numbers and since when")
    models: tuple[str, ...] = ("numbers.Assignment", "numbers.BulkItem")  # a bulk run says who got what, no more
    columns: tuple[str, ...] = ("number", "from_at", "until_at")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        found = Assignment.objects.filter(staff_member=member).select_related("number").order_by("from_at", "pk")
        return [{"number": a.number.e164, "from_at": a.from_at, "until_at": holders.until_of(a)} for a in found]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        return [Decided(False, "who_had_it", Assignment.objects.filter(staff_member=member).count())]


class _Usage:
    name, title = "usage", _("Calls per number and month")
    models: tuple[str, ...] = ("numbers.CallRecord",)
    columns: tuple[str, ...] = ("number", "month", "calls", "seconds")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        month = TruncMonth("started_at", tzinfo=berlin.BERLIN)
        found = CallRecord.objects.filter(holder=member).annotate(month=month).values("number__e164", "month")
        counted = found.annotate(calls=Count("pk"), seconds=Sum("talk_seconds")).order_by("number__e164", "month")
        return [
            {"number": row["number__e164"], "month": f"{row['month']:%Y-%m}"}
            | {"calls": row["calls"], "seconds": row["seconds"]}
            for row in counted
        ]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        """Total and delete the person's calls; only what an open dispute holds stays (rules T2 and T4).

        Needs the locks of the numbers the person had, so that no call can come in meanwhile.
        """
        count = sum(_purge(a, notice=notice, by=by, at=at) for a in _undisputed(member, at=at))
        held = [(dispute.number_id, dispute.month) for dispute in disputes.open_now()]
        count += totals.purge_person(holder_id=member.pk, held=held)
        kept = CallRecord.objects.filter(holder=member).count()
        return [Decided(True, "not_needed", count)] + ([Decided(False, "disputed", kept)] if kept else [])


class _Calls:
    name, title = "calls", _("Single calls")
    models: tuple[str, ...] = ("numbers.CallRecord",)
    columns: tuple[str, ...] = ("at", "direction", "number", "other_number", "seconds", "result")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row] | None:
        if not own or not calls.allowed_to_staff():
            return None
        return [
            {"at": call.at, "direction": call.direction, "number": call.e164, "other_number": call.peer_e164}
            | {"seconds": call.seconds, "result": call.result}
            for call in calls.all_of(calls.of_person(member), None)
        ]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        return []  # with the usage


class _Purges:
    name, title = "deletions", _("Deletions of calls")
    models: tuple[str, ...] = ("numbers.Purge",)
    columns: tuple[str, ...] = ("number", "from_at", "until_at", "count", "at")

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row]:
        found: Any = Purge.objects.filter(staff_member=member).order_by("pk")
        return [
            {"number": row.number.e164} | {name: getattr(row, name) for name in self.columns[1:]}
            for row in found.select_related("number")
        ]

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        return [Decided(False, "proof", Purge.objects.filter(staff_member=member).count())]


def _undisputed(member: StaffMember, *, at: datetime) -> list[Assignment]:
    """Return the intervals in which nobody else held the number and that no open dispute touches."""
    found = Assignment.objects.filter(staff_member=member, shared=False, from_at__lt=at).order_by("from_at", "pk")
    return [
        a for a in found if not disputes.holding(a.number_id, from_at=a.from_at, until_at=a.until_at or at).exists()
    ]


def _purge(assignment: Assignment, *, notice: str, by: User, at: datetime) -> int:
    """Total and delete the calls of an interval, and note it, so that calls that come in later are only totalled."""
    interval = {"from_at": assignment.from_at, "until_at": min(assignment.until_at or at, at)}
    person, number = assignment.staff_member_id, assignment.number_id
    count = totals.purge_interval(number_id=number, holder_id=person, **interval)
    row = Purge(number_id=number, staff_member_id=person, count=count, notice=notice, by=by, at=at, **interval)
    row.save()
    return count


KINDS = (_Numbers(), _Usage(), _Calls(), _Purges())
