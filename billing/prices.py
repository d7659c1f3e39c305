"""The price list: what a slot costs on a day, and how a new version enters it (rules B2 and L1)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Price, PriceClass
from portal import audit, berlin
from portal.models import User

CENT = Decimal("0.01")


class NoPrice(LookupError):
    """The price list has no version that is valid on that day."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What an activation on `on` would cost. All money in EUR, net unless it says gross.

    `monthly` for whole months; `first_month` for the rest of this month, by the day; `order_fee` once, for ordering.
    """

    price_class: PriceClass
    on: date
    monthly: Decimal
    first_month: Decimal
    order_fee: Decimal
    vat_rate: Decimal

    @property
    def monthly_gross(self) -> Decimal:
        return gross(self.monthly, self.vat_rate)


def quote(price_class: str, *, on: date) -> Quote:
    """Return the price of a slot opened on this Berlin day; raise NoPrice if the list has none. Rules L1 and B2."""
    return quotes({price_class}, on=on)[PriceClass(price_class)]


def quotes(price_classes: set[str], *, on: date) -> dict[PriceClass, Quote]:
    """Return the quotes of several classes at once (one query); raise NoPrice if one is missing."""
    versions = (
        Price.objects.filter(price_class__in=price_classes, valid_from__lte=on)
        .order_by("price_class", "-valid_from")
        .distinct("price_class")
    )
    found = {PriceClass(version.price_class): version for version in versions}
    if missing := {PriceClass(name) for name in price_classes} - set(found):
        raise NoPrice(", ".join(sorted(missing)))
    return {
        name: Quote(name, on, price.monthly, prorated(price.monthly, on), price.order_fee, price.vat_rate)
        for name, price in found.items()
    }


def prorated(monthly: Decimal, from_on: date) -> Decimal:
    """Return the net price of the rest of a month from this day on: actual/actual, half-up to the cent (rule B2)."""
    first_of_next = berlin.next_month(from_on)
    days = (first_of_next - timedelta(days=1)).day
    return (monthly * (first_of_next - from_on).days / days).quantize(CENT, ROUND_HALF_UP)


def gross(net: Decimal, vat_rate: Decimal) -> Decimal:
    """Return net plus VAT, rounded half-up to the cent."""
    return (net * (100 + vat_rate) / 100).quantize(CENT, ROUND_HALF_UP)


class PriceRefused(ValueError):
    """The new version cannot enter the price list; `reason` says why, for people."""

    def __init__(self, reason: Promise | str) -> None:
        super().__init__(str(reason))
        self.reason = reason


def set_price(
    price_class: PriceClass,
    *,
    monthly: Decimal,
    order_fee: Decimal,
    vat_rate: Decimal,
    valid_from: date,
    by: User | str,
    at: datetime,
) -> Price:
    """Enter a version of the price list, in net EUR, valid from the beginning of a Berlin day.

    What people were shown or charged never changes: once a class has a price, a version begins tomorrow at the
    earliest, and only one that is not valid yet is replaced. Raises PriceRefused otherwise. Needs the operator's role.
    """
    if min(monthly, order_fee, vat_rate) < 0:
        raise PriceRefused(_("A price cannot be negative."))
    if any(value != value.quantize(CENT) for value in (monthly, order_fee)):
        raise PriceRefused(_("A price has at most two decimal places."))
    versions = Price.objects.filter(price_class=price_class)
    if valid_from <= berlin.day(at) and versions.exists():
        raise PriceRefused(_("A new price is valid from tomorrow at the earliest."))
    known = versions.filter(valid_from=valid_from).first()
    before = _version(known) if known else {}
    price = known or Price(price_class=price_class, valid_from=valid_from)
    price.monthly, price.order_fee, price.vat_rate = monthly, order_fee, vat_rate
    if before == _version(price):
        return price
    price.save()
    entry = audit.Entry("price", price.pk, str(PriceClass(price_class).label), before, _version(price))
    audit.record("price.set", [entry], by=by, at=at)
    return price


def _version(price: Price) -> dict[str, str]:
    return {
        "monthly": f"{price.monthly:.2f}",
        "order_fee": f"{price.order_fee:.2f}",
        "vat_rate": f"{price.vat_rate:.1f}",
        "valid_from": price.valid_from.isoformat(),
    }
