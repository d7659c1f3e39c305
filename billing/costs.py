"""What a tenant's slots cost in a month (rules B1 and B2): EUR, net unless it says gross; days are Berlin days.

| slot in a month                  | charge                                                        |
|----------------------------------|---------------------------------------------------------------|
| runs from the first day          | the whole month, at the version valid on the first            |
| begins within the month          | the rest by the day, at the version valid on the day it begins|
| ends (always with a month)       | that month whole, nothing afterwards                          |

Dates alone decide: neither when a job ran nor what it wrote changes a cent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet

from billing import prices
from billing.models import OneOffCharge, Price, Slot, SlotMove
from portal import berlin


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the price list: net EUR per month, VAT in percent, from a day on until the next version."""

    price_class: str
    valid_from: date
    monthly: Decimal
    vat_rate: Decimal


@dataclass(frozen=True, slots=True)
class Place:
    """`count` slots alike: of one class, paid from `from_on` until before `until_on` (None = still)."""

    price_class: str
    from_on: date
    until_on: date | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Charge:
    """What one slot costs in one month: `net` EUR, charged from `from_on`; `whole` if that is the first."""

    from_on: date
    whole: bool
    monthly: Decimal
    vat_rate: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """The sum of a month: how many slots, net, VAT per rate (percent: EUR, half-up on the total of the rate), gross."""

    month: date
    slots: int
    net: Decimal
    vat: Mapping[Decimal, Decimal]
    gross: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """A slot in the list of a month. `label` is what it showed at the end of the month, `moved` what it showed before
    a swap within the month: (first day of the new label, old label)."""

    label: str
    price_class: str
    charge: Charge
    last_on: date | None
    moved: Sequence[tuple[date, str]]


def charge(place: Place, month: date, versions: Sequence[Version]) -> Charge | None:
    """Return what one slot of this place costs in the month (its first day), or None if it is not charged.

    Raises prices.NoPrice if the price list has no version for the first charged day.
    """
    begins = max(place.from_on, month)
    if begins >= berlin.next_month(month) or (place.until_on is not None and begins >= place.until_on):
        return None
    version = _valid(place.price_class, begins, versions)
    whole = begins == month
    net = version.monthly if whole else prices.prorated(version.monthly, begins)
    return Charge(begins, whole, version.monthly, version.vat_rate, net)


def month(
    month: date, places: Iterable[Place], versions: Sequence[Version], *, once: Iterable[OneOffCharge] = ()
) -> Bill:
    """Return the sum of a month (its first day) over these slots and what is charged `once` within it.

    VAT is on the total of each rate (rule B2).
    """
    slots, nets = 0, dict[Decimal, Decimal]()
    for single in once:
        if berlin.month(single.on) == month:
            nets[single.vat_rate] = nets.get(single.vat_rate, Decimal(0)) + single.net
    for place in places:
        if one := charge(place, month, versions):
            slots += place.count
            nets[one.vat_rate] = nets.get(one.vat_rate, Decimal(0)) + one.net * place.count
    vat = {rate: prices.gross(net, rate) - net for rate, net in sorted(nets.items())}
    net = sum(nets.values(), Decimal("0.00"))
    return Bill(month, slots, net, vat, net + sum(vat.values(), Decimal("0.00")))


def versions() -> list[Version]:
    """Return the whole price list, past and to come."""
    fields = ("price_class", "valid_from", "monthly", "vat_rate")
    return [Version(*row) for row in Price.objects.order_by("price_class", "valid_from").values_list(*fields)]


def places() -> list[Place]:
    """Return the tenant's slots, counted together where they are alike (one statement, a few hundred rows)."""
    alike = Slot.objects.values_list("price_class", "from_on", "until_on").annotate(count=Count("pk")).order_by()
    return [Place(*row) for row in alike]


def bills(
    first: date, count: int, *, of: Sequence[Place], at: Sequence[Version], once: Sequence[OneOffCharge] = ()
) -> list[Bill]:
    """Return the sums of `count` months from `first` on; months to come as they are known now."""
    return [month(berlin.next_month(first, ahead), of, at, once=once) for ahead in range(count)]


def charged(month: date) -> QuerySet[Slot]:
    """Return the tenant's slots that cost something in the month, by label."""
    ends = Q(until_on=None) | Q(until_on__gt=month)
    found: QuerySet[Slot] = Slot.objects.filter(ends, from_on__lt=berlin.next_month(month)).order_by("label", "pk")
    return found


def lines(slots: Iterable[Slot], month: date, versions: Sequence[Version]) -> list[Line]:
    """Return the lines of these slots in the month (one statement for all swaps of them)."""
    rows = list(slots)
    moves: dict[int, list[Any]] = {}
    for move in SlotMove.objects.filter(slot__in=[slot.pk for slot in rows]).order_by("-on", "-pk"):
        moves.setdefault(move.slot_id, []).append(move)
    found = ((slot, charge(Place(slot.price_class, slot.from_on, slot.until_on), month, versions)) for slot in rows)
    return [_line(slot, one, month, moves.get(slot.pk, [])) for slot, one in found if one]


def _line(slot: Slot, one: Charge, month: date, moves: Sequence[SlotMove]) -> Line:
    """`moves` of the slot, latest first: those after the month are taken back, those within it are told."""
    label, told = slot.label, list[tuple[date, str]]()
    for move in moves:
        if move.on >= berlin.next_month(month):
            label = move.from_label
        elif move.on >= month:
            told.append((move.on, move.from_label))
    return Line(label, slot.price_class, one, slot.until_on and _day_before(slot.until_on), told)


def _valid(price_class: str, on: date, versions: Sequence[Version]) -> Version:
    fitting = [v for v in versions if v.price_class == price_class and v.valid_from <= on]
    if not fitting:
        raise prices.NoPrice(f"{price_class} {on}")
    return max(fitting, key=lambda version: version.valid_from)


def _day_before(on: date) -> date:
    return date.fromordinal(on.toordinal() - 1)
