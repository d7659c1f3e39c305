"""Porting in, as the operator does it: take over, hand over, answers, dates, faults, the desk."""

from datetime import UTC, date, datetime, timedelta

import pytest

from numbers import port_desk, porting
from numbers.models import PortOrder, RejectionCode
from numbers.porting import PortRefused
from portal.models import OutboxMessage
from tests import porting as ports
from tests.conftest import NOW

ON_THE_DAY = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)


@pytest.fixture
def office(acme):
    ports.verified(acme)
    return acme


def test_an_order_is_taken_over_and_over_again(office):
    order = ports.submitted(office)
    port_desk.take(order, by=office.olga, at=NOW)

    with pytest.raises(PortRefused, match="bei Ihnen"):
        port_desk.take(order, by=office.olga, at=NOW)
    port_desk.take(order, by=office.erika, at=NOW)

    assert order.agent == office.erika
    assert ports.events(order)[-2:] == [("taken", "1"), ("taken", "2")]


def test_what_was_handed_over_is_noted_once_with_its_reference(office):
    order = ports.submitted(office)

    port_desk.note_sent(order, reference=" DEU.BEISP.VH12345678 ", by=office.olga, at=NOW)

    assert (order.to_send, order.reference) == ("", "DEU.BEISP.VH12345678")
    assert ports.events(order)[-1] == ("sent", "order.1.0")
    with pytest.raises(PortRefused):
        port_desk.note_sent(order, by=office.olga, at=NOW)


def test_accepting_sets_the_date_and_tells_the_administrators(office):
    order = ports.submitted(office)

    port_desk.accept(order, date(2026, 12, 9), by=office.olga, at=NOW)

    assert (order.state, order.confirmed_on, order.requested_on, order.to_send) == (
        *("confirmed", date(2026, 12, 9)),
        *(ports.ON, ""),
    )
    assert ports.events(order)[-2:] == [("accepted", "1"), ("date_set", "1.0")]
    told = OutboxMessage.objects.filter(template="numbers/port_date_set")
    assert sorted(told.values_list("recipient", flat=True)) == ["alice@acme.example", "erika@partner.example"]
    assert told.first().context["confirmed"] == "2026-12-09"


@pytest.mark.parametrize(
    "on", [date(2026, 12, 5), date(2026, 12, 25), NOW.date(), date(2026, 11, 20), date(2027, 5, 24)]
)
def test_no_date_is_confirmed_on_a_day_off_in_the_past_or_too_far_ahead(office, on):
    order = ports.submitted(office)
    assert port_desk.possible(NOW) == (date(2026, 11, 24), date(2027, 5, 22))

    with pytest.raises(PortRefused) as refused:
        port_desk.accept(order, on, by=office.olga, at=NOW)

    assert (refused.value.field, order.state) == ("on", "submitted")


@pytest.mark.parametrize("code", RejectionCode.values)
def test_a_rejection_has_a_code_of_the_market(office, code):
    order = ports.submitted(office)
    if code in ("VAE", "SON"):
        with pytest.raises(PortRefused) as refused:
            port_desk.reject(order, code, by=office.olga, at=NOW)
        assert refused.value.field == "reason"

    port_desk.reject(order, code, "in Worten", by=office.olga, at=NOW)

    assert (order.state, order.code, order.reason) == ("rejected", code, "in Worten")
    mail = OutboxMessage.objects.filter(template="numbers/port_rejected").first()
    assert mail.context["meaning"]
    assert mail.context["reason"] == "in Worten"


def test_a_confirmed_order_can_still_be_rejected(office):
    order = ports.confirmed(office)

    port_desk.reject(order, "RNG", by=office.olga, at=NOW)

    assert (order.state, order.confirmed_on) == ("rejected", None)


def test_another_date_is_agreed_to_or_refused_with_a_reason(office):
    order = ports.confirmed(office)
    porting.ask_date(order, date(2026, 12, 15), by=office.alice, at=NOW)
    with pytest.raises(PortRefused) as refused:
        port_desk.refuse_change(order, " ", by=office.olga, at=NOW)
    assert refused.value.field == "reason"

    port_desk.accept_change(order, by=office.olga, at=NOW)

    assert (order.confirmed_on, order.change_on, order.to_send) == (date(2026, 12, 15), None, "")
    assert ports.events(order)[-2:] == [("change_asked", "1.1"), ("date_set", "1.1")]
    for answer in (
        lambda: port_desk.accept_change(order, by=office.olga, at=NOW),
        lambda: port_desk.refuse_change(order, "x", by=office.olga, at=NOW),
    ):
        with pytest.raises(PortRefused, match="kein anderer Termin"):
            answer()


def test_a_fault_stays_until_a_new_date(office):
    order = ports.confirmed(office)
    with pytest.raises(PortRefused, match="noch nicht begonnen"):
        port_desk.report_fault(order, "Leitung tot", by=office.olga, at=NOW)

    port_desk.report_fault(order, "Leitung tot", by=office.olga, at=ON_THE_DAY)

    assert (order.state, order.fault) == ("confirmed", "Leitung tot")
    assert not PortOrder.objects.due(ON_THE_DAY).exists()
    with pytest.raises(PortRefused, match="bereits"):
        port_desk.report_fault(order, "noch toter", by=office.olga, at=ON_THE_DAY)
    port_desk.move_date(order, date(2026, 12, 10), by=office.olga, at=ON_THE_DAY)
    assert (order.confirmed_on, order.fault) == (date(2026, 12, 10), "")
    assert ports.events(order)[-2:] == [("fault", "1"), ("date_set", "1.1")]


def test_a_date_agreed_to_after_a_fault_can_fail_as_well(office):
    order = ports.confirmed(office)
    porting.ask_date(order, date(2026, 12, 15), by=office.alice, at=NOW)
    port_desk.report_fault(order, "Leitung tot", by=office.olga, at=ON_THE_DAY)
    port_desk.accept_change(order, by=office.olga, at=ON_THE_DAY)

    port_desk.report_fault(order, "noch toter", by=office.olga, at=ON_THE_DAY + timedelta(days=7))

    assert order.fault == "noch toter"
    assert [event for event in ports.events(order) if event[0] == "fault"] == [("fault", "1"), ("fault", "2")]


def test_the_desk_shows_the_most_urgent_first_and_dead_lines_above_all(office, as_operator):
    fresh = ports.submitted(office, "+493023125740")
    dead = ports.confirmed(office, "+493023125741")
    asked = ports.confirmed(office, "+493023125742")
    porting.ask_date(asked, date(2026, 12, 22), by=office.alice, at=NOW)
    gone = ports.confirmed(office, "+493023125743")
    porting.cancel(gone, by=office.alice, at=NOW)
    ports.draft(office, "+493023125744")
    ports.completed(office, "+493023125745", at=ON_THE_DAY)

    with as_operator():
        tasks = port_desk.tasks(at=datetime(2026, 12, 10, 9, 0, tzinfo=UTC))

    assert [task.order.pk for task in tasks] == [asked.pk, dead.pk, fresh.pk, gone.pk]
    assert [task.interrupted for task in tasks] == [True, True, False, False]
    assert tasks[1].due_on == ports.ON
    assert tasks[2].due_on == date(2026, 11, 24)


def test_work_is_due_a_working_day_after_what_made_it_wait_until_it_is_handed_over(office, as_operator):
    later = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)  # a Friday
    asked = ports.confirmed(office, "+493023125740", on=date(2026, 12, 15))
    near = ports.confirmed(office, "+493023125741", on=date(2026, 11, 30))
    gone = ports.confirmed(office, "+493023125742", on=date(2026, 12, 15))
    again, rejected = ports.submitted(office, "+493023125743"), ports.submitted(office, "+493023125744")
    waiting, sent = ports.submitted(office, "+493023125745"), ports.submitted(office, "+493023125746")
    port_desk.note_sent(sent, by=office.olga, at=NOW)
    for order in (asked, near):
        at = later if order is asked else NOW
        porting.ask_date(order, date(2026, 12, 16), by=office.alice, at=at)
    porting.cancel(gone, by=office.alice, at=later)
    for order in (again, rejected):
        port_desk.reject(order, "SON", "x", by=office.olga, at=NOW)
    porting.submit(again, by=office.alice, at=later)

    with as_operator():
        due = {task.order.pk: task.due_on for task in port_desk.tasks(at=later)}

    monday = date(2026, 11, 30)
    assert due == {
        **{asked.pk: monday, near.pk: date(2026, 11, 24), gone.pk: monday, again.pk: monday},
        **{waiting.pk: date(2026, 11, 24), sent.pk: ports.ON, rejected.pk: None},
    }


def test_every_operation_is_refused_where_the_table_does_not_have_it(office):
    order = ports.draft(office)
    for act in (
        lambda: port_desk.take(order, by=office.olga, at=NOW),
        lambda: port_desk.note_sent(order, by=office.olga, at=NOW),
        lambda: port_desk.accept(order, ports.ON, by=office.olga, at=NOW),
        lambda: port_desk.reject(order, "SON", "x", by=office.olga, at=NOW),
        lambda: port_desk.accept_change(order, by=office.olga, at=NOW),
        lambda: port_desk.move_date(order, ports.ON, by=office.olga, at=NOW),
        lambda: port_desk.report_fault(order, "x", by=office.olga, at=NOW),
        lambda: porting.ask_date(order, ports.ON, by=office.alice, at=NOW),
        lambda: porting.replace_temporary(order, by=office.alice, at=NOW),
    ):
        with pytest.raises(PortRefused):
            act()
    assert (order.state, ports.events(order)) == ("draft", [("begun", "0"), ("document", "1")])
