"""The demo's port orders, one in each state, and numbers that leave; told with the real operations."""

import io
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pikepdf

from billing import prices
from billing.models import PriceClass
from numbers import port_calendar, port_completion, port_desk, port_numbers, port_out, port_signed, porting, providers
from numbers.demo.story import Act, Story
from numbers.models import LockedPortOrder, PhoneNumber, PortOrder, PortProvider, RejectionCode
from numbers.port_numbers import Numbers
from portal import berlin, documents
from portal.models import User

HOLDER: Mapping[str, Any] = {
    "holder_name": "Acme GmbH",
    "street": "Beispielstraße",
    "house_number": "1",
    "postcode": "10115",
    "town": "Berlin",
    "remaining": "all",
}
HAMBURG: Mapping[str, Any] = {"street": "Am Beispielhafen", "house_number": "7", "postcode": "20457", "town": "Hamburg"}
MUNICH: Mapping[str, Any] = {"street": "Musterring", "house_number": "88a", "postcode": "80331", "town": "München"}
DRAFT, SUBMITTED, CANCELLED = ("069 90009710",), ("030 23125790", "030 23125791"), ("030 23125795",)
REJECTED, COMPLETED = ("040 66969710", "040 66969711"), ("089 99998610", "089 99998611")
BLOCK = ("030 231257", "00", "49")
LEAVING = "+496990009111"


def load_providers(*, at: datetime) -> None:
    """Take the packaged example of providers in (needs the operator's role)."""
    providers.load(providers.EXAMPLE.read_text().splitlines(), by="load_demo", at=at)


def port(told: Story, people: Mapping[str, User]) -> None:
    """Let Acme port numbers in: one order in each state; and let a number be on its way to another provider."""
    alice, erika, olga = (people[f"{name}.example"] for name in ("alice@acme", "erika@partner", "olga@operator"))
    arrival = _working_day(berlin.next_month(told.begin, 12) + timedelta(days=19))
    done = _Order("D902", port_numbers.singles(",".join(COMPLETED)), {**MUNICH, "requested_on": arrival})
    told.on(12, 2, "10:20", done.submit(by=alice, activate=True))
    told.on(12, 3, "09:00", done.act(lambda order, at: port_desk.take(order, by=olga, at=at)))
    told.on(12, 3, "09:05", done.act(lambda order, at: _sent(order, "VH00000001", by=olga, at=at)))
    told.on(12, 5, "15:10", done.act(lambda order, at: port_desk.accept(order, arrival, by=olga, at=at)))
    told.on(12, arrival.day - 1, "06:10", done.act(lambda order, at: port_completion.remind(order, at=at)))
    told.on(12, arrival.day, "06:10", done.act(lambda order, at: _complete(order, at=at)))
    cancelled = _Order("D903", port_numbers.singles(",".join(CANCELLED)), {})
    told.on(13, 4, "13:40", cancelled.submit(by=erika))
    told.on(13, 5, "08:30", cancelled.act(lambda order, at: porting.cancel(order, by=erika, at=at)))
    block = _Order("D901", port_numbers.block(*BLOCK), {"further_holders": ["Acme Service GmbH"]})
    told.on(13, 18, "11:25", block.submit(by=alice, days=25))
    told.on(13, 19, "10:00", block.act(lambda order, at: port_desk.take(order, by=olga, at=at)))
    told.on(13, 19, "10:05", block.act(lambda order, at: _sent(order, "VH00000002", by=olga, at=at)))
    told.lately(60, block.act(lambda order, at: _accept(order, by=olga, at=at)))
    rejected = _Order("D904", port_numbers.singles(",".join(REJECTED)), HAMBURG)
    told.on(13, 20, "16:45", rejected.submit(by=erika, days=30))
    told.lately(52, rejected.act(lambda order, at: _sent(order, "VH00000003", by=olga, at=at)))
    told.lately(
        30, rejected.act(lambda order, at: port_desk.reject(order, RejectionCode.ADF, "Am Hafen 7a", by=olga, at=at))
    )
    told.lately(27, _Order("D001", port_numbers.singles(",".join(SUBMITTED)), {}).submit(by=alice))
    told.lately(26, _begin(by=alice))
    told.lately(22, _announce(by=olga))


class _Order:
    """An order of the story, which exists once it was submitted."""

    def __init__(self, code: str, numbers: Numbers, changes: Mapping[str, Any]) -> None:
        self.code, self.numbers, self.changes = code, numbers, changes
        self.pk = 0

    def submit(self, *, by: User, days: int = 12, activate: bool = False) -> Act:
        """Let somebody fill the form in, sign it and submit it, for a date so many working days ahead."""

        def act(at: datetime) -> None:
            provider = PortProvider.objects.get(code=self.code)
            wanted = port_calendar.working_day_after(berlin.day(at), days)
            filled = {"provider": provider, "requested_on": wanted, "activate": activate}
            order = self._locked(porting.start(by=by, at=at).pk)
            porting.set_numbers(order, self.numbers, by=by, at=at)
            porting.save(order, {**filled, **HOLDER, **self.changes}, by=by, at=at)
            form = _form()
            code = port_signed.code(order, porting.numbers_of(order).e164s)
            porting.add_document(order, name=documents.keep(form), pages=1, size=len(form), code=code, by=by, at=at)
            price = prices.quote(PriceClass.STANDARD, on=berlin.day(at)).monthly if activate else None
            self._submit(order, price, by=by, at=at + timedelta(minutes=9))

        return act

    def act(self, what: Callable[[LockedPortOrder, datetime], None]) -> Act:
        """Let something happen to the order."""
        return lambda at: what(self._locked(self.pk), at)

    def _submit(self, order: LockedPortOrder, price: Decimal | None, *, by: User, at: datetime) -> None:
        porting.submit(order, price_seen=price, by=by, at=at)
        self.pk = order.pk

    def _locked(self, pk: int) -> LockedPortOrder:
        order: LockedPortOrder | None = PortOrder.objects.locked(pk)
        if order is None:
            raise RuntimeError("The story does not hold: there is no such order.")
        return order


def _working_day(on: date) -> date:
    return port_calendar.working_day_after(on - timedelta(days=1))


def _sent(order: LockedPortOrder, reference: str, *, by: User, at: datetime) -> None:
    port_desk.note_sent(order, reference=f"DEU.NORDL.{reference}", by=by, at=at)


def _accept(order: LockedPortOrder, *, by: User, at: datetime) -> None:
    """Accept with the date asked for, or (in a month's first days it may be too near) with one that is ahead."""
    ahead = port_calendar.working_day_after(berlin.day(at), 8)
    port_desk.accept(order, max(order.requested_on or ahead, ahead), by=by, at=at)


def _complete(order: LockedPortOrder, *, at: datetime) -> None:
    port_completion.complete(order, by=port_completion.JOB, at=at)


def _begin(*, by: User) -> Act:
    def act(at: datetime) -> None:
        order = PortOrder.objects.locked(porting.start(by=by, at=at).pk)
        porting.set_numbers(order, port_numbers.singles(DRAFT[0]), by=by, at=at)
        porting.save(order, {"provider": PortProvider.objects.get(code="D905")}, by=by, at=at)

    return act


def _announce(*, by: User) -> Act:
    def act(at: datetime) -> None:
        ids = PhoneNumber.objects.held().filter(e164=LEAVING).values_list("pk", flat=True)
        day = port_calendar.working_day_after(berlin.day(at), 15)
        provider = PortProvider.objects.get(code="D906")
        port_out.announce(PhoneNumber.objects.locked(ids), day, provider=provider, by=by, at=at)

    return act


def _form() -> bytes:
    """Return an empty page, which stands for what somebody signed and scanned."""
    with pikepdf.new() as document, io.BytesIO() as written:
        document.add_blank_page(page_size=(595, 842))
        document.save(written)
        return written.getvalue()
