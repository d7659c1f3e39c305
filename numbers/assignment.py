"""Who holds a number: dated, half-open intervals (rules A1–A3).

| holder at `at`                    | interval                              |
|-----------------------------------|---------------------------------------|
| of voice, conference, personal fax| the one with from_at ≤ at < until_at  |
| of a shared fax                   | all of these                          |
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from numbers.attachments import Hanging, Snapshots
from numbers.models import Assignment, PhoneNumber
from portal.models import User


def present(at: datetime) -> "QuerySet[Assignment]":
    """Return the assignments that hold at an instant."""
    rows: QuerySet[Assignment] = Assignment.objects.filter(from_at__lte=at).filter(
        Q(until_at=None) | Q(until_at__gt=at)
    )
    return rows


def _ending(numbers: Sequence[PhoneNumber]) -> "QuerySet[Assignment]":
    rows: QuerySet[Assignment] = Assignment.objects.filter(number__in=[n.pk for n in numbers], until_at=None)
    return rows.select_related("staff_member")


class _Assignments:
    name = "assignment"
    models: tuple[str, ...] = ("numbers.Assignment",)
    ends_with_deactivation = True

    def describe(self, numbers: Sequence[PhoneNumber]) -> list[Hanging]:
        return [
            Hanging(a.number_id, _("assigned to %(name)s") % {"name": a.staff_member.name}, self._snapshot(a))
            for a in _ending(numbers)
        ]

    def detach(self, numbers: Sequence[PhoneNumber], *, by: User | str, at: datetime) -> Snapshots:
        ended: Snapshots = {}
        for assignment in _ending(numbers):
            ended.setdefault(assignment.number_id, []).append(self._snapshot(assignment))
        if ended:
            Assignment.objects.filter(number__in=list(ended), until_at=None).update(until_at=at)
        return ended

    def _snapshot(self, assignment: Assignment) -> dict[str, str]:
        return {"staff_member": assignment.staff_member.name, "from_at": assignment.from_at.isoformat()}


ATTACHMENT = _Assignments()
