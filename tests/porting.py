"""Porting for tests: an order that lacks nothing, and one in any stage, by the real operations."""

from datetime import date
from typing import ClassVar
from uuid import uuid4

from django.db import connection

from numbers import port_completion, port_desk, port_numbers, port_signed, porting
from numbers.models import PortOrder, PortProvider
from tests import make
from tests.conftest import NOW, _as_operator

NUMBERS = ("+493023125710", "+493023125711")
ON = date(2026, 12, 8)  # a Tuesday, more than seven working days after NOW
HOLDER = {
    "provider_customer_number": "4711",
    "holder_name": "Acme GmbH",
    "street": "Musterstraße",
    "house_number": "12a",
    "postcode": "10115",
    "town": "Berlin",
    "requested_on": ON,
    "remaining": "all",
}


def provider(code="D901"):
    """Return the old provider."""
    with _as_operator():
        found, _ = PortProvider.objects.get_or_create(
            code=code, defaults={"name": f"Beispiel {code}", "sort_key": f"beispiel {code.lower()}"}
        )
    return found


def draft(cast, *e164s, numbers=None, at=NOW, **changes):
    """Return a draft of Acme's that lacks nothing (its address in Berlin must be verified)."""
    order = locked(porting.start(by=cast.alice, at=at))
    numbers = numbers or port_numbers.singles("\n".join(e164s or NUMBERS))
    porting.set_numbers(order, numbers, by=cast.alice, at=at)
    porting.save(order, HOLDER | {"provider": provider()} | changes, by=cast.alice, at=at)
    signed(cast, order, at=at)
    return order


def code(order):
    """Return what stands at the foot of the form to sign."""
    return port_signed.code(order, porting.numbers_of(order).e164s)


def signed(cast, order, at=NOW):
    """Upload a form that was signed with what the order says now."""
    porting.add_document(order, name=f"{uuid4().hex}.pdf", pages=2, size=1000, code=code(order), by=cast.alice, at=at)


def submitted(cast, *e164s, price_seen=None, at=NOW, **changes):
    order = draft(cast, *e164s, at=at, **changes)
    porting.submit(order, price_seen=price_seen, by=cast.alice, at=at)
    return order


def confirmed(cast, *e164s, on=ON, at=NOW, **changes):
    order = submitted(cast, *e164s, at=at, **changes)
    port_desk.accept(order, on, by=cast.olga, at=at)
    return order


def completed(cast, *e164s, at, **changes):
    order = confirmed(cast, *e164s, **changes)
    port_completion.complete(order, by=cast.olga, at=at)
    return order


def locked(order):
    return PortOrder.objects.locked(order.pk)


def verified(cast):
    """Give the announced tenant a verified address in Berlin."""
    make.verified_address("30")


def events(order):
    return [(event.kind, event.key) for event in order.events.order_by("pk")]


def statements(work):
    """Return how many statements some work makes."""
    count = 0

    def counted(execute, *call):
        nonlocal count
        count += 1
        return execute(*call)

    with connection.execute_wrapper(counted):
        work()
    return count


class Loopback:
    """A carriers' interface that takes everything, or what the test lets it."""

    taken: ClassVar[list] = []
    refuses = None
    meanwhile = None

    def hand_over(self, message):
        if self.refuses:
            raise self.refuses
        self.taken.append(message)
        if self.meanwhile:
            self.meanwhile()
        return f"DEU.LOOP.VH{len(self.taken)}"
