from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from billing import slots
from billing.models import Slot, SlotMove
from billing.slots import SlotMissing
from portal.tenancy import tenant_transaction

A, B = "+493023125001", "+493023125002"
BEGIN, LAST = date(2026, 3, 17), date(2026, 12, 31)


def rows():
    return list(Slot.objects.order_by("pk").values_list("label", "price_class", "from_on", "until_on"))


def open_one(acme, label=A, on=BEGIN, price_class="standard"):
    slots.open_slots([(label, price_class)], tenant_id=acme.acme.pk, on=on)


def test_open_slots_begin_that_day_and_last(acme):
    slots.open_slots([(A, "standard"), (B, "premium")], tenant_id=acme.acme.pk, on=BEGIN)

    assert rows() == [(A, "standard", BEGIN, None), (B, "premium", BEGIN, None)]


def test_a_label_is_never_paid_twice(acme):
    open_one(acme)

    with pytest.raises(IntegrityError), transaction.atomic():
        open_one(acme)

    assert len(rows()) == 1


def test_end_keeps_the_last_day_paid_and_reopen_takes_it_back(acme):
    open_one(acme)

    slots.end([A], last_on=LAST)
    assert rows() == [(A, "standard", BEGIN, date(2027, 1, 1))]
    slots.reopen([A], last_on=LAST)

    assert rows() == [(A, "standard", BEGIN, None)]


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        (slots.end, {"last_on": LAST}),
        (slots.reopen, {"last_on": LAST}),
    ],
)
def test_a_set_with_a_label_without_slot_is_refused(acme, verb, arguments):
    open_one(acme)
    if verb is slots.reopen:
        slots.end([A], last_on=LAST)

    with pytest.raises(SlotMissing, match="2 slots expected, 1 found"), transaction.atomic():
        verb([A, B], **arguments)


def test_reopen_asks_for_the_very_end_that_was_fixed(acme):
    open_one(acme)
    slots.end([A], last_on=LAST)

    with pytest.raises(SlotMissing):
        slots.reopen([A], last_on=date(2026, 11, 30))


def test_an_ended_slot_leaves_its_label_free(acme):
    open_one(acme)
    slots.end([A], last_on=LAST)

    open_one(acme, on=date(2027, 1, 1))

    assert [row[2:] for row in rows()] == [(BEGIN, date(2027, 1, 1)), (date(2027, 1, 1), None)]


def test_move_goes_on_under_the_other_label_and_leaves_a_trace(acme):
    open_one(acme)

    slots.move(A, to=B, on=date(2026, 5, 5))

    assert rows() == [(B, "standard", BEGIN, None)]
    assert SlotMove.objects.values_list("on", "from_label", "to_label").get() == (date(2026, 5, 5), A, B)


def test_move_without_an_open_slot_is_refused(acme):
    open_one(acme)
    slots.end([A], last_on=LAST)

    with pytest.raises(SlotMissing):
        slots.move(A, to=B, on=date(2026, 5, 5))


def test_move_onto_a_paid_label_is_refused_by_the_database(acme):
    open_one(acme)
    open_one(acme, B)

    with pytest.raises(IntegrityError), transaction.atomic():
        slots.move(A, to=B, on=date(2026, 5, 5))


def test_a_slot_never_ends_before_it_begins(acme):
    open_one(acme)

    with pytest.raises(IntegrityError), transaction.atomic():
        slots.end([A], last_on=date(2026, 3, 1))


def test_moves_are_never_changed(acme):
    open_one(acme)
    slots.move(A, to=B, on=date(2026, 5, 5))

    for statement in ("UPDATE billing_slotmove SET to_label = ''", "DELETE FROM billing_slotmove"):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_slots_of_another_tenant_are_out_of_reach(cast):
    with tenant_transaction(cast.globex.pk):
        slots.open_slots([(A, "standard")], tenant_id=cast.globex.pk, on=BEGIN)
    with tenant_transaction(cast.acme.pk), pytest.raises(SlotMissing):
        slots.end([A], last_on=LAST)
    with tenant_transaction(cast.globex.pk):
        assert rows() == [(A, "standard", BEGIN, None)]
