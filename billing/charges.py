"""What is charged once: the fee for ordering numbers. Append-only; a mistake is put right by the invoice run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.models import OneOffCharge
from portal import berlin


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be charged: `count` things named by `label` (said the same in every language), net EUR together."""

    kind: OneOffCharge.Kind
    label: str
    count: int
    net: Decimal
    vat_rate: Decimal


def charge(items: Sequence[Item], *, tenant_id: int, on: date) -> None:
    """Charge these items on a Berlin day. What costs nothing leaves no charge."""
    OneOffCharge.objects.bulk_create(
        OneOffCharge(
            tenant_id=tenant_id,
            kind=item.kind,
            label=item.label,
            count=item.count,
            on=on,
            net=item.net,
            vat_rate=item.vat_rate,
        )
        for item in items
        if item.net
    )


def within(month: date, *, months: int = 1) -> list[OneOffCharge]:
    """Return what the announced tenant is charged once in so many months from this one (its first day) on."""
    end = berlin.next_month(month, months)
    return list(OneOffCharge.objects.filter(on__gte=month, on__lt=end).order_by("on", "pk"))
