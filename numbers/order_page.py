"""What the pages of an order show, shaped before the template."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from billing import prices, written
from billing.models import PriceClass
from numbers import addresses, notation, orders, overview, pool
from numbers.models import Address, LocalArea, NumberOrder, OrderKind, PhoneNumber
from numbers.orders import Price
from numbers.pool import Free

OFFERED = 60  # singles on the page; a pattern brings others
RUNS = 12


def areas(*, at: datetime) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
    """Return the areas to order in (code, name), and those of the tenant whose address is still to be verified."""
    verified = addresses.verified_areas(at)
    own = {code for code, _name in overview.areas()}
    pending = set(Address.objects.current().values_list("area_id", flat=True))
    rows = list(LocalArea.objects.filter(area_code__in=own) | LocalArea.objects.filter(pk__in=verified | pending))
    rows.sort(key=lambda area: area.sort_key)
    chosen = [(area.area_code, str(area)) for area in rows if area.pk in verified]
    return chosen, [{"pk": area.pk, "name": str(area)} for area in rows if area.pk not in verified]


def offers(wanted: dict[str, Any], area: LocalArea, *, at: datetime) -> list[dict[str, Any]]:
    """Return what can be had: single numbers, or runs of neighbours by their first number, as the page lists them."""
    if wanted["kind"] == OrderKind.SINGLE:
        pattern = pool.expression(wanted["q"], area.area_code)
        found = pool.numbers(area.pk, pattern=pattern, most=OFFERED, at=at)
        return [_offer(free, area) for free in found]
    count, aligned = wanted["count"], wanted["kind"] == OrderKind.BLOCK
    firsts = pool.runs(area.pk, length=count, aligned=aligned, most=RUNS, at=at)
    return [{"value": first, "text": _run(first, count, area, aligned=aligned)} for first in firsts]


def price(cost: Price) -> dict[str, Any]:
    """Return what an order costs, as it is written."""
    return {
        "net": written.euros(cost.net),
        "gross": written.euros(cost.gross),
        "monthly": [
            {
                "class_label": PriceClass(fee.price_class).label,
                "count": fee.count,
                "fee": written.euros(fee.fee),
                "monthly": written.euros(fee.monthly),
                "monthly_gross": written.euros(prices.gross(fee.monthly, fee.vat_rate)),
            }
            for fee in cost.fees
        ],
    }


def listed(e164s: Iterable[str], area: LocalArea) -> list[str]:
    """Return numbers as people write them."""
    return [notation.national(e164, area.area_code) for e164 in e164s]


def order(order: NumberOrder) -> dict[str, Any]:
    """Return what the page of an order shows; its `area` and `by` must be loaded."""
    held = dict(PhoneNumber.objects.held().filter(e164__in=order.numbers).values_list("e164", "pk"))
    named = zip(order.numbers, listed(order.numbers, order.area), strict=True)
    return {
        "order": order,
        "fee": written.euros(order.fee),
        "numbers": [{"number": text, "pk": held.get(e164)} for e164, text in named],
        "count": len(order.numbers),
    }


def rows(found: Sequence[NumberOrder]) -> list[dict[str, Any]]:
    """Return the lines of the list of orders; `area` and `by` must be loaded."""
    return [{"order": one, "count": len(one.numbers), "fee": written.euros(one.fee)} for one in found]


def waits(area_id: int, count: int) -> bool:
    return orders.needs_proof(area_id, count)


def _offer(free: Free, area: LocalArea) -> dict[str, Any]:
    premium = free.price_class == PriceClass.PREMIUM
    return {"value": free.e164, "text": notation.national(free.e164, area.area_code), "premium": premium}


def _run(first: str, count: int, area: LocalArea, *, aligned: bool) -> str:
    digits = len(str(count)) - 1 if aligned else 0
    last = f"+{int(first[1:]) + count - 1}"
    if digits:
        base = first[:-digits]
        begin = notation.national(first, area.area_code, base_number=base, extension=first[-digits:])
        return f"{begin} – {last[-digits:]}"
    return f"{notation.national(first, area.area_code)} – {notation.national(last, area.area_code)}"
