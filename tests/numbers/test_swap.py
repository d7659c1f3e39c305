from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from billing.models import Slot, SlotMove
from numbers import attachments, forwarding, lifecycle, messages, swap
from numbers.models import Forwarding, NumberSearch, PhoneNumber, Usage
from numbers.outcomes import Outcome, Reason, Result
from portal.models import AuditEvent, OutboxMessage
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DUE = date(2026, 12, 31)
PAST = date(2026, 10, 31)


def do(acme, old, new, at=NOW):
    rows = {n.pk: n for n in PhoneNumber.objects.locked([old.pk, new.pk])}
    return swap.swap(rows[old.pk], rows[new.pk], by=acme.alice, at=at)


def forward(acme, number, destination, when="always"):
    forwarding.set_rule(
        PhoneNumber.objects.locked([number.pk])[0],
        when=when,
        destination=destination,
        after_seconds=None,
        by=acme.alice,
        at=NOW,
    )


def everything():
    """All that a refused swap must leave as it is."""
    return (
        list(PhoneNumber.objects.order_by("pk").values()),
        list(Slot.objects.order_by("pk").values()),
        list(Forwarding.objects.order_by("pk").values()),
        SlotMove.objects.count(),
        AuditEvent.objects.count(),
        OutboxMessage.objects.count(),
    )


REFUSALS = [
    ({"state": "inactive"}, {"state": "inactive"}, Reason.OLD_NOT_ACTIVE),
    ({"state": "active"}, {"state": "active"}, Reason.NEW_NOT_INACTIVE),
    ({"state": "inactive"}, {"state": "active"}, Reason.OLD_NOT_ACTIVE),
    ({"state": "deactivation_scheduled", "last_active_on": DUE}, {"state": "inactive"}, Reason.OLD_SCHEDULED),
    ({"state": "active"}, {"state": "deactivation_scheduled", "last_active_on": DUE}, Reason.NEW_NOT_INACTIVE),
    ({"state": "active"}, {"state": "inactive", "price_class": "premium"}, Reason.OTHER_PRICE_CLASS),
    ({"state": "active", "price_class": "premium"}, {"state": "inactive"}, Reason.OTHER_PRICE_CLASS),
    ({"state": "active"}, {"state": "port_in_pending"}, Reason.PORTING),
    ({"state": "port_in_pending"}, {"state": "inactive"}, Reason.PORTING),
    ({"state": "active"}, {"state": "returned"}, Reason.GONE),
    ({"state": "ported_out"}, {"state": "inactive"}, Reason.GONE),
]


@pytest.mark.parametrize(("old", "new", "reason"), REFUSALS)
def test_swap_refuses_and_changes_nothing(acme, old, new, reason):
    old, new = make.number("+493023125001", **old), make.number("+493023125002", **new)
    before = everything()

    outcome = do(acme, old, new)

    assert outcome == Outcome(old.pk, Result.REFUSED, reason)
    assert len(outcome.sentence) > 20
    assert everything() == before


def test_swap_of_a_number_with_itself_is_refused(acme):
    number = make.number(state="active")
    before = everything()

    assert do(acme, number, number) == Outcome(number.pk, Result.REFUSED, Reason.SAME_NUMBER)
    assert everything() == before


def test_swap_is_cost_neutral(acme):
    old, new = make.number(state="active", active_since=date(2026, 3, 1)), make.number()

    assert do(acme, old, new) == Outcome(old.pk, Result.DONE)

    slot = Slot.objects.get()
    assert (slot.label, slot.from_on, slot.until_on) == (new.e164, date(2026, 3, 1), None)
    assert list(SlotMove.objects.values_list("slot", "on", "from_label", "to_label")) == [
        (slot.pk, date(2026, 11, 23), old.e164, new.e164)
    ]
    assert (PhoneNumber.objects.active(NOW).get(), PhoneNumber.objects.inactive(NOW).get()) == (new, old)
    new.refresh_from_db()
    assert new.active_since == date(2026, 11, 23)


def test_swap_erases_every_setting_of_the_old_number_irrevocably(acme):
    old = make.number(state="active", label="Empfang", note="wichtig", usage=Usage.CONFERENCE)
    new, third = make.number(), make.number(state="active", label="Zentrale")
    forward(acme, old, "+494066969200", "busy")
    forward(acme, third, old.e164)
    forward(acme, third, "+494066969201", "busy")
    with translation.override("en"):
        listed = [hanging.sentence for hanging in attachments.describe([old], by_swap=True, at=NOW)]

    do(acme, old, new)

    old.refresh_from_db()
    assert (old.label, old.note, old.usage) == ("", "", Usage.VOICE)
    assert list(Forwarding.objects.values_list("number", "destination")) == [(third.pk, "+494066969201")]
    assert "empfang" not in NumberSearch.objects.get(number=old).text
    assert not attachments.describe([old], by_swap=True, at=NOW)
    assert listed == [
        "forwarding when busy to 040\u00a066969200",
        f"forwarding always from {messages.display(third)} to it",
        "label “Empfang”, note, usage Conference",
    ]
    erased = AuditEvent.objects.get(verb="number.swapped_out").before
    assert erased["label"] == [{"label": "Empfang", "note": "wichtig", "usage": "conference"}]
    assert [rule["destination"] for rule in erased["forwarding"]] == ["+494066969200", old.e164]


def test_swap_leaves_the_new_number_without_settings_of_the_old(acme):
    old, new = make.number(state="active", label="Empfang"), make.number()
    forward(acme, old, "+494066969200")

    do(acme, old, new)

    new.refresh_from_db()
    assert (new.label, new.usage, new.note) == ("", Usage.VOICE, "")
    assert not attachments.describe([new], by_swap=True, at=NOW)


def test_swap_leaves_one_event_on_each_number_and_a_confirmation(acme):
    old, new = make.number(state="active"), make.number()

    do(acme, old, new)

    events = AuditEvent.objects.order_by("id").values_list("verb", "object_id", "actor", "after")
    assert list(events) == [
        ("number.swapped_out", old.pk, acme.alice.pk, {"state": "inactive", "new": new.e164}),
        ("number.swapped_in", new.pk, acme.alice.pk, {"state": "active", "old": old.e164}),
    ]
    assert OutboxMessage.objects.get().template == "numbers/swapped"


def test_a_second_swap_of_the_same_two_is_told_and_never_swaps_back(acme):
    old, new = make.number(state="active"), make.number()
    do(acme, old, new)
    before = everything()

    assert do(acme, old, new) == Outcome(old.pk, Result.UNCHANGED, Reason.ALREADY_SWAPPED)
    assert everything() == before


def test_a_stale_page_after_another_swap_is_refused(acme):
    old, new, third = make.number(state="active"), make.number(), make.number()
    do(acme, old, new)

    assert do(acme, old, third) == Outcome(old.pk, Result.REFUSED, Reason.OLD_NOT_ACTIVE)
    assert do(acme, third, old) == Outcome(third.pk, Result.REFUSED, Reason.OLD_NOT_ACTIVE)


def test_swapping_back_on_purpose_is_a_swap_like_any_other(acme):
    old, new = make.number(state="active"), make.number()
    do(acme, old, new)

    assert do(acme, new, old) == Outcome(new.pk, Result.DONE)

    assert Slot.objects.get().label == old.e164
    assert list(SlotMove.objects.order_by("pk").values_list("from_label", flat=True)) == [old.e164, new.e164]


def test_a_swapped_slot_is_the_one_that_ends_and_is_taken_back(acme):
    old, new = make.number(state="active"), make.number()
    do(acme, old, new)

    locked = PhoneNumber.objects.locked([new.pk])
    lifecycle.schedule_deactivation(locked, date_seen=DUE, by=acme.alice, at=NOW)
    assert Slot.objects.get().until_on == date(2027, 1, 1)
    lifecycle.withdraw(locked, by=acme.alice, at=NOW)

    assert Slot.objects.get().until_on is None


def test_the_old_number_can_be_activated_again_at_its_own_price(acme):
    old, new = make.number(state="active"), make.number()
    do(acme, old, new)

    lifecycle.activate(
        PhoneNumber.objects.locked([old.pk]), prices_seen={"standard": Decimal("2.90")}, by=acme.alice, at=NOW
    )

    assert set(Slot.objects.values_list("label", "from_on")) == {
        (new.e164, date(2026, 3, 1)),
        (old.e164, date(2026, 11, 23)),
    }


def test_an_overdue_number_takes_the_place_of_an_active_one(acme):
    old = make.number(state="active")
    overdue = make.number(state="deactivation_scheduled", last_active_on=PAST, label="alt")

    assert do(acme, old, overdue) == Outcome(old.pk, Result.DONE)

    assert list(Slot.objects.filter(until_on=None).values_list("label", flat=True)) == [overdue.e164]
    assert list(Slot.objects.exclude(until_on=None).values_list("label", "until_on")) == [
        (overdue.e164, date(2026, 11, 1))
    ]
    assert AuditEvent.objects.filter(verb="number.deactivated", object_id=overdue.pk).count() == 1


def test_an_overdue_number_is_not_replaced(acme):
    overdue = make.number(state="deactivation_scheduled", last_active_on=PAST)

    assert do(acme, overdue, make.number()) == Outcome(overdue.pk, Result.REFUSED, Reason.OLD_NOT_ACTIVE)
