from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.models import Slot
from numbers import lifecycle
from numbers.models import PhoneNumber
from numbers.outcomes import Outcome, Reason, Result
from portal.models import AuditEvent, OutboxMessage
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SEEN = {"standard": Decimal("2.90")}


def test_activate_opens_a_slot_leaves_a_trace_and_confirms(acme):
    number = make.number("+493023125012")

    outcomes = lifecycle.activate(PhoneNumber.objects.locked([number.pk]), prices_seen=SEEN, by=acme.alice, at=NOW)

    assert outcomes == [Outcome(number.pk, Result.DONE)]
    assert PhoneNumber.objects.active(NOW).get() == number
    slot = Slot.objects.get()
    assert (slot.label, slot.from_on, slot.until_on) == ("+493023125012", date(2026, 11, 23), None)
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor, event.object_id) == ("number.activated", acme.alice, number.pk)
    assert OutboxMessage.objects.get().recipient == "alice@acme.example"


def test_activate_asks_again_when_the_price_changed(acme):
    number = make.number()

    with pytest.raises(lifecycle.PriceChanged) as refused:
        lifecycle.activate(
            PhoneNumber.objects.locked([number.pk]), prices_seen={"standard": Decimal("1.00")}, by=acme.alice, at=NOW
        )

    assert refused.value.quotes["standard"].monthly == Decimal("2.90")
    assert PhoneNumber.objects.inactive(NOW).get() == number
    assert not Slot.objects.exists()


def test_schedule_then_withdraw_leaves_the_slot_open(acme):
    number = make.number(state="active")
    locked = PhoneNumber.objects.locked([number.pk])

    lifecycle.schedule_deactivation(locked, date_seen=date(2026, 12, 31), by=acme.alice, at=NOW)
    assert Slot.objects.get().until_on == date(2027, 1, 1)
    outcomes = lifecycle.withdraw(locked, by=acme.alice, at=NOW)

    assert outcomes == [Outcome(number.pk, Result.DONE)]
    assert Slot.objects.get().until_on is None
    assert PhoneNumber.objects.unscheduled(NOW).get() == number


def test_an_overdue_number_is_settled_before_it_is_activated_again(acme):
    number = make.number(state="deactivation_scheduled", last_active_on=date(2026, 10, 31))

    outcomes = lifecycle.activate(PhoneNumber.objects.locked([number.pk]), prices_seen=SEEN, by=acme.alice, at=NOW)

    assert outcomes == [Outcome(number.pk, Result.DONE)]
    assert list(AuditEvent.objects.order_by("id").values_list("verb", flat=True)) == [
        "number.deactivated",
        "number.activated",
    ]
    assert [(s.from_on, s.until_on) for s in Slot.objects.order_by("from_on")] == [
        (date(2026, 3, 1), date(2026, 11, 1)),
        (date(2026, 11, 23), None),
    ]


def test_deactivating_an_inactive_number_is_refused(acme):
    number = make.number()

    outcomes = lifecycle.schedule_deactivation(
        PhoneNumber.objects.locked([number.pk]), date_seen=date(2026, 12, 31), by=acme.alice, at=NOW
    )

    assert outcomes == [Outcome(number.pk, Result.REFUSED, Reason.NOT_ACTIVE)]
    assert not AuditEvent.objects.exists()
