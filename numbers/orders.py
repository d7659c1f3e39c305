"""Ordering numbers from the operator's pool (rules V1, O1, O2, O3).

| from   | verb    | to        | effect                                                                  |
|--------|---------|-----------|-------------------------------------------------------------------------|
| –      | place   | fulfilled | the numbers are in the inventory, inactive; the order fee is charged    |
| –      | place   | placed    | above the limit of the area: kept for the operator's decision (rule O3) |
| placed | approve | fulfilled | as above                                                                |
| placed | reject  | rejected  | the numbers go back into the pool; nothing is charged                   |
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from billing import charges, prices
from billing.models import OneOffCharge, PriceClass
from numbers import addresses, inventory, messages, pool
from numbers.inventory import NewNumber
from numbers.models import NumberOrder, OrderKind, OrderState, PhoneNumber
from numbers.pool import Free
from portal import audit, berlin, outbox, tenancy, wake
from portal.models import User
from portal.refusals import Refused

TOO_LATE = _("Somebody else was faster: these numbers are no longer free. Please choose again.")
BLOCK_SIZES = (10, 100)
FOREVER = datetime(9000, 1, 1, tzinfo=UTC)  # until the operator decides


class OrderRefused(Refused):
    """The order cannot be placed like this; `reason` says why, for people, `field` where."""


class FeeChanged(Exception):
    """The order fee shown is no longer the fee; `price` is the present one."""

    def __init__(self, price: "Price") -> None:
        super().__init__("fee changed")
        self.price = price


@dataclass(frozen=True, slots=True)
class Fee:
    """So many numbers of a price class: net EUR for ordering one of them and for a month of it, VAT rate in percent."""

    price_class: PriceClass
    count: int
    fee: Decimal
    monthly: Decimal
    vat_rate: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """What an order costs: once and now; the monthly fees only from an activation on. EUR."""

    fees: Sequence[Fee]

    @property
    def net(self) -> Decimal:
        return sum((fee.fee * fee.count for fee in self.fees), Decimal("0.00"))

    @property
    def gross(self) -> Decimal:
        return sum((prices.gross(fee.fee * fee.count, fee.vat_rate) for fee in self.fees), Decimal("0.00"))


def price(numbers: Sequence[Free], *, on: date) -> Price:
    """Return what ordering these numbers costs on a Berlin day."""
    counted = Counter(number.price_class for number in numbers)
    quotes = prices.quotes(set(counted), on=on)
    return Price(
        [
            Fee(name, counted[name], quote.order_fee, quote.monthly, quote.vat_rate)
            for name, quote in sorted(quotes.items(), reverse=True)
        ]
    )


def needs_proof(area_id: int, count: int) -> bool:
    """Return whether so many more numbers of an area are above what a tenant has without a proof (rule O3)."""
    held = PhoneNumber.objects.held().filter(area=area_id).count()
    waiting = NumberOrder.objects.waiting().filter(area=area_id).values_list("numbers", flat=True)
    return bool(held + sum(map(len, waiting)) + count > settings.ORDER_LIMIT)


def place(
    basket_key: UUID, *, kind: OrderKind, count_seen: int, fee_seen: Decimal, proof: str = "", by: User, at: datetime
) -> NumberOrder:
    """Order what was reserved under this key; return the order, fulfilled or (rule O3) waiting for the operator.

    `count_seen` and `fee_seen` (net EUR, together) are what was agreed to, `proof` the name of the kept document.
    A block has to be whole, consecutive numbers have to be neighbours.
    Raises OrderRefused with the field it concerns, FeeChanged when the fee is another by now.
    """
    basket = pool.basket(basket_key)
    if basket is None or len(basket.numbers) != count_seen:
        raise OrderRefused(TOO_LATE, "numbers")
    _expect_together(kind, [int(number.e164[1:]) for number in basket.numbers])
    tenant_id = tenancy.current()
    inventory.take_turns(tenant_id)  # or two orders at a time would each stay below the limit
    if basket.area_id not in addresses.verified_areas(at):
        raise OrderRefused(_("There is no verified address in this local area. Please verify one first."), "area")
    cost = price(basket.numbers, on=berlin.day(at))
    if cost.net != fee_seen:
        raise FeeChanged(cost)
    waits = needs_proof(basket.area_id, len(basket.numbers))
    if waits and not proof:
        raise OrderRefused(_("So many numbers need a proof. Please upload it."), "proof")
    order = NumberOrder(
        tenant_id=tenant_id,
        area_id=basket.area_id,
        kind=kind,
        numbers=[number.e164 for number in basket.numbers],
        fee=cost.net,
        fees=[_kept(fee) for fee in cost.fees],
        state=OrderState.PLACED if waits else OrderState.FULFILLED,
        by=by,
        placed_at=at,
        decided_at=None if waits else at,
        proof=proof if waits else "",
        reservation=uuid4() if waits else basket_key,
    )
    order.save()
    after = {"state": order.state, "count": len(order.numbers), "area": str(order.area), "fee": str(order.fee)}
    audit.record("order.placed", [_entry(order, {}, after)], by=by, at=at, tenant_id=tenant_id)
    if waits:
        pool.hold(basket_key, until=FOREVER, renamed=order.reservation)
        _tell_of_waiting(order, at=at)
    else:
        _fulfil(order, basket.numbers, by=by, at=at)
    return order


def approve(order: NumberOrder, *, by: User, at: datetime) -> None:
    """Let a waiting, locked order through (the operator's act, within the tenant's transaction).

    Raises OrderRefused when it waits no more, or a number of it is no longer there.
    """
    _expect_waiting(order)
    basket = pool.basket(order.reservation)
    order.state, order.decided_at = OrderState.FULFILLED, at
    order.save(update_fields=["state", "decided_at"])
    entry = _entry(order, {"state": OrderState.PLACED}, {"state": order.state})
    audit.record("order.approved", [entry], by=by, at=at, tenant_id=order.tenant_id)
    _fulfil(order, basket.numbers if basket else [], by=by, at=at)


def reject(order: NumberOrder, *, reason: str, by: User, at: datetime) -> None:
    """Reject a waiting, locked order with a reason the tenant reads; its numbers go back into the pool.

    Raises OrderRefused when it waits no more or no reason is given.
    """
    _expect_waiting(order)
    if not reason.strip():
        raise OrderRefused(_("Please say why, so that the customer knows what to do."), "reason")
    order.state, order.decided_at, order.reason = OrderState.REJECTED, at, reason.strip()
    order.save(update_fields=["state", "decided_at", "reason"])
    pool.release(order.reservation, at=at)
    entry = _entry(order, {"state": OrderState.PLACED}, {"state": order.state, "reason": order.reason})
    audit.record("order.rejected", [entry], by=by, at=at, tenant_id=order.tenant_id)
    outbox.later([_mail("numbers/order_rejected", order)], at=at)


def _expect_together(kind: OrderKind, values: Sequence[int]) -> None:
    """Refuse neighbours that are none, and a block (rule O1) that is not whole."""
    neighbours = list(values) == list(range(values[0], values[0] + len(values)))
    whole = len(values) in BLOCK_SIZES and values[0] % len(values) == 0
    if kind != OrderKind.SINGLE and not (neighbours and (whole or kind != OrderKind.BLOCK)):
        raise OrderRefused(_("These numbers do not belong together. Please choose again."), "numbers")


def _expect_waiting(order: NumberOrder) -> None:
    if order.state != OrderState.PLACED:
        raise OrderRefused(_("This order waits no longer; somebody has decided on it already."))


def _fulfil(order: NumberOrder, numbers: Sequence[Free], *, by: User, at: datetime) -> None:
    """Take the numbers out of the pool into the inventory and charge the fee; all of them or, by OrderRefused, none."""
    class_of = {number.e164: number.price_class for number in numbers}
    claimed = pool.claim(order.reservation)
    entries = [_new(order, e164, class_of[e164]) for e164 in claimed]
    added = inventory.add(entries, tenant_id=order.tenant_id, by=by, at=at)
    if sorted(number.e164 for number in added) != sorted(order.numbers):
        raise OrderRefused(TOO_LATE, "numbers")
    charges.charge([_item(order, fee) for fee in order.fees], tenant_id=order.tenant_id, on=berlin.day(at))
    wake.later("numbers.tasks.watch_pool")
    mail = messages.notice("numbers/ordered", added, people=[order.by], fee=order.fee)
    outbox.later(mail, at=at)


def _new(order: NumberOrder, e164: str, price_class: str) -> NewNumber:
    """Return the number as it enters the inventory: in a block with its split, else on its own (rule N1)."""
    digits = len(str(len(order.numbers))) - 1 if order.kind == OrderKind.BLOCK else 0
    base, extension = (e164[:-digits], e164[-digits:]) if digits else ("", "")
    return NewNumber(e164, order.area_id, base_number=base, extension=extension, price_class=price_class)


def _kept(fee: Fee) -> dict[str, Any]:
    kept = {"price_class": fee.price_class, "count": fee.count}
    return kept | {"fee": str(fee.fee), "vat_rate": str(fee.vat_rate)}


def _item(order: NumberOrder, fee: dict[str, Any]) -> charges.Item:
    net = Decimal(fee["fee"]) * fee["count"]
    return charges.Item(OneOffCharge.Kind.ORDER, str(order.area), fee["count"], net, Decimal(fee["vat_rate"]))


def _entry(order: NumberOrder, before: dict[str, Any], after: dict[str, Any]) -> audit.Entry:
    return audit.Entry("order", order.pk, f"{len(order.numbers)} × {order.area}", before, after)


def _tell_of_waiting(order: NumberOrder, *, at: datetime) -> None:
    operator = outbox.Mail(
        settings.OPERATOR_EMAIL, "de", "numbers/order_to_decide", _context(order) | {"tenant": order.tenant.name}
    )
    outbox.later([_mail("numbers/order_waiting", order), operator], at=at)


def _mail(template: str, order: NumberOrder) -> outbox.Mail:
    return outbox.Mail(order.by.email, order.by.language, template, _context(order), order.tenant_id)


def _context(order: NumberOrder) -> dict[str, Any]:
    return {
        "name": order.by.name,
        "count": len(order.numbers),
        "area": str(order.area),
        "reason": order.reason,
        "order": order.pk,
    }
