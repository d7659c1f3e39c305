"""Disputes over a month's bill: while one is open, the calls it is about stay (rule T4).

| state  | by       | becomes | effect                                                     |
|--------|----------|---------|------------------------------------------------------------|
| –      | open_    | open    | nothing of the month (and number) is purged or retired     |
| open   | close    | closed  | what is due goes with the next night                       |
| closed | close    | closed  | –                                                          |
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from numbers import call_months
from numbers.models import Dispute, PhoneNumber
from portal import audit, berlin
from portal.models import User
from portal.refusals import Refused


class DisputeRefused(Refused):
    """The dispute cannot be opened; `reason` says why, for people."""


def open_(*, tenant_id: int, number: PhoneNumber | None, month: date, reason: str, by: User, at: datetime) -> Dispute:
    """Open a dispute over a month, of one number or of all; raise DisputeRefused where one is open or it cannot be."""
    month = berlin.month(month)
    if number and number.tenant_id != tenant_id:
        raise DisputeRefused(_("This number belongs to another tenant. Please choose one of this tenant's."))
    if month > call_months.of(at):
        raise DisputeRefused(_("This month lies ahead. Please choose a month that has begun."))
    if Dispute.objects.filter(tenant=tenant_id, number=number, month=month, closed_at=None).exists():
        raise DisputeRefused(_("This dispute is open already."))
    row: Dispute = Dispute.objects.create(tenant_id=tenant_id, number=number, month=month, reason=reason, opened_at=at)
    after = {"month": month.isoformat(), "number": number.e164 if number else "", "reason": reason}
    audit.record("dispute.opened", [audit.Entry("dispute", row.pk, str(row), {}, after, tenant_id)], by=by, at=at)
    return row


def close(disputes: Iterable[Dispute], *, by: User, at: datetime) -> int:
    """Close these disputes and return how many were open until now."""
    still = [row for row in disputes if row.closed_at is None]
    Dispute.objects.filter(pk__in=[row.pk for row in still], closed_at=None).update(closed_at=at)
    entries = [
        audit.Entry("dispute", row.pk, str(row), {"closed_at": None}, {"closed_at": at.isoformat()}, row.tenant_id)
        for row in still
    ]
    audit.record("dispute.closed", entries, by=by, at=at)
    return len(still)


def open_now() -> "QuerySet[Dispute]":
    """Return the disputes that hold something, of the announced tenant or of all."""
    rows: QuerySet[Dispute] = Dispute.objects.filter(closed_at=None)
    return rows


def holding(number_id: int, *, from_at: datetime, until_at: datetime) -> "QuerySet[Dispute]":
    """Return the open disputes that hold calls of this number within an interval."""
    months = Q(month__gte=call_months.of(from_at), month__lte=call_months.of(until_at))
    return open_now().filter(months).filter(Q(number=None) | Q(number=number_id))
