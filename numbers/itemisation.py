"""The order of the itemised bill, with the declaration it needs (rule T5).

| state     | by       | becomes   | what may be listed                                                       |
|-----------|----------|-----------|--------------------------------------------------------------------------|
| –         | order    | ordered   | months that begin after the order                                        |
| ordered   | order    | ordered   | – (already ordered; to change the masking, withdraw first)               |
| ordered   | withdraw | withdrawn | months that had ended before the withdrawal                              |
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from numbers import call_mail, call_months
from numbers.models import ItemisationOrder
from portal import audit, berlin, tenancy
from portal.models import User
from portal.refusals import Refused

DECLARATION = "2026-11"  # the version of the text in templates/numbers/itemised/_declaration.html


class OrderRefused(Refused):
    """The itemised bill cannot be ordered; `reason` says why and what to do next."""


@dataclass(frozen=True, slots=True)
class Span:
    """Whole months that may be listed: `first` until before `end` (None: still), and how numbers are written."""

    first: date
    end: date | None
    masked: bool

    def covers(self, month: date) -> bool:
        return self.first <= month and (self.end is None or month < self.end)


def order(*, masked: bool, declaration: str, by: User, at: datetime) -> ItemisationOrder:
    """Order the itemised bill for months that begin from now on, and tell all administrators by mail.

    Raises OrderRefused if the declaration is not the present one or a bill is ordered already. Rule T5.
    """
    if declaration != DECLARATION:
        raise OrderRefused(_("The declaration has changed. Please read it and confirm again."))
    if present():
        raise OrderRefused(_("The itemised bill is ordered already. To change the order, withdraw it first."))
    row: ItemisationOrder = ItemisationOrder.objects.create(
        masked=masked, declaration=declaration, ordered_by=by, ordered_at=at
    )
    after = {"masked": masked, "declaration": declaration, "from": span(row).first.isoformat()}
    entry = audit.Entry("itemised_bill", row.pk, "", {}, after, tenancy.current())
    audit.record("itemised_bill.ordered", [entry], by=by, at=at)
    call_mail.tell("numbers/itemisation_ordered", by=by, at=at, **after)
    return row


def withdraw(*, by: User, at: datetime) -> bool:
    """Withdraw declaration and order, and tell all administrators by mail; return False if there was none.

    This month's bill and later ones end with it (rule T5).
    """
    row = present()
    if row is None:
        return False
    row.withdrawn_by, row.withdrawn_at = by, at
    row.save(update_fields=["withdrawn_by", "withdrawn_at"])
    entry = audit.Entry(
        "itemised_bill", row.pk, "", {"declaration": row.declaration}, {"withdrawn": True}, row.tenant_id
    )
    audit.record("itemised_bill.withdrawn", [entry], by=by, at=at)
    call_mail.tell("numbers/itemisation_withdrawn", by=by, at=at)
    return True


def present() -> ItemisationOrder | None:
    """Return the order that holds now, if there is one."""
    found: ItemisationOrder | None = (
        ItemisationOrder.objects.filter(withdrawn_at=None).select_related("ordered_by").first()
    )
    return found


def span(row: ItemisationOrder) -> Span:
    """Return the months that an order covers."""
    first = berlin.next_month(call_months.of(row.ordered_at))
    return Span(first, call_months.of(row.withdrawn_at) if row.withdrawn_at else None, row.masked)


def spans() -> list[Span]:
    """Return all months of the announced tenant that may be listed (one query); empty ones are left out."""
    found = [span(row) for row in ItemisationOrder.objects.order_by("ordered_at")]
    return [each for each in found if each.end is None or each.first < each.end]


def span_of(month: date) -> Span | None:
    """Return the span a month lies in, or None where its calls may not be listed."""
    return next((each for each in spans() if each.covers(month)), None)
