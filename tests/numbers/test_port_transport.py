"""Handing messages over: by people unless an adapter is switched on."""

from datetime import date, timedelta

import pytest

from numbers import port_completion, port_desk, port_sending, porting, tasks
from numbers.models import PortOrder
from numbers.port_transport import TransportError
from portal import tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import porting as ports
from tests.conftest import NOW

LOOPBACK = "tests.porting.Loopback"


@pytest.fixture
def office(acme):
    ports.verified(acme)
    ports.Loopback.taken.clear()
    return acme


@pytest.fixture
def hand_over(as_operator):
    def run():
        with as_operator():
            return port_sending.hand_over(at=NOW)

    return run


def test_by_default_everything_waits_for_people(office, hand_over, as_operator):
    order = ports.submitted(office)

    assert hand_over() == 0
    with as_operator():
        assert tasks.hand_port_orders_over(anything="of a later version") == 0
    assert PortOrder.objects.get(pk=order.pk).to_send == "order"


def test_an_adapter_takes_each_message_once_and_its_reference_is_kept(office, hand_over, settings):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.submitted(office)

    assert hand_over() == 1
    assert hand_over() == 0

    order = PortOrder.objects.get(pk=order.pk)
    assert (order.to_send, order.reference, order.state) == ("", "DEU.LOOP.VH1", "submitted")  # accepted by nobody
    assert ports.events(order)[-1] == ("sent", "order.1.0")
    assert [message["meldung"] for message in ports.Loopback.taken] == ["VA"]


def test_changes_follow_as_messages_of_their_own(office, hand_over, settings):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.confirmed(office)
    porting.ask_date(order, date(2026, 12, 15), by=office.alice, at=NOW)
    hand_over()
    porting.cancel(ports.locked(order), by=office.alice, at=NOW)
    hand_over()

    assert [message["meldung"] for message in ports.Loopback.taken] == ["TV", "STR-AUF"]


def test_what_an_adapter_does_not_take_waits(office, hand_over, settings, monkeypatch):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.submitted(office)
    monkeypatch.setattr(ports.Loopback, "refuses", TransportError("line is dead"))

    assert hand_over() == 0

    assert PortOrder.objects.get(pk=order.pk).to_send == "order"


def test_an_order_cancelled_while_the_adapter_talks_is_called_off_there(
    office, hand_over, settings, monkeypatch, as_operator
):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.submitted(office)

    def meanwhile():
        porting.cancel(ports.locked(order), by=office.alice, at=NOW)

    monkeypatch.setattr(ports.Loopback, "meanwhile", staticmethod(meanwhile))
    hand_over()

    order.refresh_from_db()
    assert (order.state, order.to_send, order.reference) == ("cancelled", "cancellation", "DEU.LOOP.VH1")
    with as_operator():
        assert OutboxMessage.objects.filter(context__to_send="cancellation", context__pk=order.pk).exists()
    monkeypatch.setattr(ports.Loopback, "meanwhile", None)
    hand_over()
    order.refresh_from_db()
    assert [message["meldung"] for message in ports.Loopback.taken] == ["VA", "STR-AUF"]
    assert ports.Loopback.taken[1]["vorabstimmungsId"] == "DEU.LOOP.VH1"
    assert (order.to_send, ports.events(order)[-1]) == ("", ("sent", "cancellation.1.0"))


def test_an_order_whose_answer_was_lost_is_called_off_when_it_is_cancelled(office, hand_over, settings, monkeypatch):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.submitted(office)
    monkeypatch.setattr(ports.Loopback, "refuses", TransportError("no answer"))
    hand_over()
    hand_over()

    porting.cancel(ports.locked(order), by=office.alice, at=NOW)

    assert PortOrder.objects.get(pk=order.pk).to_send == "cancellation"
    assert AuditEvent.objects.filter(verb="porting.set_off").count() == 1


def test_an_order_submitted_again_is_not_on_its_way_yet(office, hand_over, settings, monkeypatch):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.submitted(office)
    monkeypatch.setattr(ports.Loopback, "refuses", TransportError("no answer"))
    hand_over()
    port_desk.reject(ports.locked(order), "ADF", by=office.olga, at=NOW)
    porting.submit(ports.locked(order), by=office.alice, at=NOW)

    porting.cancel(ports.locked(order), by=office.alice, at=NOW)

    assert PortOrder.objects.get(pk=order.pk).to_send == ""


ANSWERS = {  # what people record while the adapter talks → the order, then
    "accepted": ("confirmed", "", "DEU.LOOP.VH1"),
    "noted": ("submitted", "", "BY.HAND"),
    "noted without reference": ("submitted", "", "DEU.LOOP.VH1"),
    "noted and completed": ("completed", "", "DEU.LOOP.VH1"),
    "rejected and corrected": ("submitted", "order", ""),
}


KEPT = ("noted without reference", "noted and completed")  # here the adapter's reference comes after the fact


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_people_record_while_the_adapter_talks_stays(office, hand_over, settings, monkeypatch, answer):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.submitted(office)

    def meanwhile():
        locked, who = ports.locked(order), {"by": office.olga, "at": NOW}
        if answer.startswith("noted"):
            port_desk.note_sent(locked, reference="BY.HAND" if answer == "noted" else "", **who)
        if answer in ("accepted", "noted and completed"):
            port_desk.accept(locked, ports.ON, **who)
        if answer == "noted and completed":
            port_completion.complete(locked, by=office.olga, at=NOW + timedelta(days=30))
        if answer == "rejected and corrected":
            port_desk.note_sent(locked, **who)
            port_desk.reject(locked, "RNG", **who)
            porting.submit(locked, by=office.alice, at=NOW)

    def at_the_desk():
        with tenancy.tenant_transaction(order.tenant_id):
            meanwhile()

    monkeypatch.setattr(ports.Loopback, "meanwhile", staticmethod(at_the_desk))
    assert hand_over() == 1

    order.refresh_from_db()
    assert (order.state, order.to_send, order.reference) == ANSWERS[answer]
    assert [key for kind, key in ports.events(order) if kind == "sent"] == ["order.1.0"]
    sent = AuditEvent.objects.filter(verb="porting.sent").order_by("pk")
    assert [event.actor_name for event in sent][1:] == ["porting transport"] * (answer in KEPT)


def test_adapter_is_not_asked_while_it_talks(office, hand_over, settings, monkeypatch):
    settings.PORTING_TRANSPORT = LOOPBACK
    ports.submitted(office)
    again = []
    monkeypatch.setattr(ports.Loopback, "meanwhile", staticmethod(lambda: again.append(hand_over())))

    assert hand_over() == 1

    assert (again, len(ports.Loopback.taken)) == ([0], 1)
    monkeypatch.setattr(ports.Loopback, "meanwhile", None)
    ports.submitted(office, "+493023125716")
    assert hand_over() == 1  # the next run does


def test_a_second_change_while_the_adapter_talks_about_the_first_still_waits(office, hand_over, settings, monkeypatch):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.confirmed(office)
    porting.ask_date(order, date(2026, 12, 15), by=office.alice, at=NOW)

    def meanwhile():
        port_desk.refuse_change(ports.locked(order), "voll", by=office.olga, at=NOW)
        porting.ask_date(ports.locked(order), date(2026, 12, 16), by=office.alice, at=NOW)

    monkeypatch.setattr(ports.Loopback, "meanwhile", staticmethod(meanwhile))
    hand_over()

    assert PortOrder.objects.get(pk=order.pk).to_send == "change"
