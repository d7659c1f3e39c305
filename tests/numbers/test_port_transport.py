"""Handing messages over: by people unless an adapter is switched on."""

from datetime import date

import pytest

from numbers import port_desk, port_sending, porting, tasks
from numbers.models import PortOrder
from numbers.port_transport import TransportError
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


def test_what_changes_while_the_adapter_talks_is_handed_over_anew(office, hand_over, settings, monkeypatch):
    settings.PORTING_TRANSPORT = LOOPBACK
    order = ports.submitted(office)

    def meanwhile():
        porting.cancel(ports.locked(order), by=office.alice, at=NOW)

    monkeypatch.setattr(ports.Loopback, "meanwhile", staticmethod(meanwhile))
    hand_over()

    assert PortOrder.objects.get(pk=order.pk).state == "cancelled"


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
