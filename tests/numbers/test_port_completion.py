"""The day of the changeover: reminders, arrivals, the job, and being killed in the middle of it."""

import html
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse

from billing import prices
from billing.models import PriceClass, Slot
from numbers import jobs, port_completion, port_desk, port_numbers, port_temporary, porting, tasks
from numbers.models import NumberBlock, PhoneNumber, PortEvent, PortNumber, PortOrder
from numbers.porting import PortRefused
from portal import outbox, tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests import porting as ports
from tests.conftest import NOW, _as_operator

DAY_BEFORE = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)
SIX = datetime(2026, 12, 8, 5, 0, tzinfo=UTC)


@pytest.fixture
def office(acme):
    ports.verified(acme)
    return acme


def mails(template):
    return OutboxMessage.objects.filter(template=f"numbers/{template}")


def run(at):
    with _as_operator():
        return jobs.apply_portings(at=at)


def states():
    return dict(PhoneNumber.objects.order_by("e164").values_list("e164", "state"))


def test_numbers_arrive_inactive_at_six_in_the_morning_of_their_day(office):
    order = ports.confirmed(office)

    assert run(SIX - timedelta(seconds=1)).done == 1  # the reminder
    assert states() == {}
    arrival = run(SIX)

    order = PortOrder.objects.get()
    assert (order.state, order.completed_at) == ("completed", SIX)
    assert (arrival.planned, arrival.done) == (1, 1)
    assert states() == dict.fromkeys(ports.NUMBERS, "inactive")
    assert not PortNumber.objects.filter(open=True).exists()
    assert ports.events(order)[-2:] == [("reminded", "2026-12-08"), ("completed", "0")]
    assert mails("port_done").count() == 2
    assert mails("port_done").first().context["works"] == "no"
    event = AuditEvent.objects.get(verb="porting.completed")
    assert (event.actor_name, event.request_id) == ("apply_portings", f"job-{arrival.pk}")
    assert run(SIX).done == 0


def test_numbers_arrive_active_if_that_was_asked_for(office):
    ports.confirmed(office, activate=True, price_seen=Decimal("2.90"))

    run(SIX)

    assert states() == dict.fromkeys(ports.NUMBERS, "active")
    assert set(Slot.objects.values_list("label", "from_on", "until_on")) == {(e, ports.ON, None) for e in ports.NUMBERS}
    assert set(PhoneNumber.objects.values_list("active_since", flat=True)) == {ports.ON}
    assert mails("port_done").first().context["works"] == "yes"
    assert AuditEvent.objects.filter(verb="number.activated").count() == 2


def test_what_costs_more_by_then_arrives_inactive(office, as_operator):
    ports.confirmed(office, activate=True, price_seen=Decimal("2.90"))
    with as_operator():
        price = {"monthly": Decimal("2.95"), "order_fee": Decimal(0), "vat_rate": Decimal(19)}
        prices.set_price(PriceClass.STANDARD, **price, valid_from=date(2026, 12, 1), by="test", at=NOW)

    run(SIX)

    assert states() == dict.fromkeys(ports.NUMBERS, "inactive")
    assert not Slot.objects.exists()
    assert mails("port_done").first().context["works"] == "price"


def test_a_block_of_a_hundred_arrives_as_a_block_with_its_history(office):
    numbers = port_numbers.block("030 231257", "00", "99")
    ports.confirmed(office, numbers=numbers)

    run(SIX)

    assert PhoneNumber.objects.filter(base_number="+4930231257").count() == 100
    block = NumberBlock.objects.get()
    assert (block.base_number, block.extension_digits) == ("+4930231257", 2)
    assert AuditEvent.objects.filter(verb="number.added", actor_name="apply_portings").count() == 100


def test_a_number_that_replaces_a_temporary_one_waits_for_that(office):
    temporary = make.number("+493023125730", state="active")
    ports.confirmed(office, activate=True, price_seen=Decimal("2.90"), temporary=temporary)

    run(SIX)

    assert states() == {"+493023125710": "inactive", "+493023125711": "active", "+493023125730": "active"}


ALL = "Sie sind inaktiv angekommen und klingeln noch nicht."
ONCE = "Bitte prüfen Sie jede Rufnummer, sobald sie aktiv ist, und rufen Sie unsere Hotline an, wenn eine nicht"
CASES = {  # what became of the temporary number, numbers, activate → what the mail says and what it must not say
    "swap, alone": (
        "active",
        1,
        False,
        ["wartet inaktiv", "aktivieren Sie 030 23125710 nicht selbst", ONCE],
        ["übrige", ALL, "sind aktiv"],
    ),
    "swap, others work": ("active", 3, True, ["030 23125710 wartet", "Die 2 übrigen Rufnummern sind aktiv"], [ALL]),
    "swap, one other does not": ("active", 2, False, ["Die andere Rufnummer ist inaktiv angekommen"], [ALL]),
    "scheduled": ("deactivation_scheduled", 1, False, ["zur Deaktivierung vorgemerkt", "030 23125730"], ["Bitte akt"]),
    "inactive": ("inactive", 2, True, ["030 23125730 sollte durch sie", "Bitte aktivieren Sie 030 23125710"], [ALL]),
    "returned": ("returned", 1, False, ["lässt sich aber nicht mehr ersetzen"], ["auf der Seite des Auftrags"]),
}


@pytest.mark.parametrize("case", CASES)
def test_mail_and_page_say_what_becomes_of_the_number_that_waits(office, sign_in, case):
    state, count, activate, said, unsaid = CASES[case]
    temporary = make.number("+493023125730", state="active")
    price = Decimal("2.90") if activate else None
    e164s = [f"+4930231257{n}" for n in range(10, 10 + count)]
    order = ports.confirmed(office, *e164s, activate=activate, price_seen=price, temporary=temporary)
    last = date(2026, 12, 31) if state == "deactivation_scheduled" else None
    PhoneNumber.objects.filter(pk=temporary.pk).update(state=state, last_active_on=last)

    run(SIX)

    message = mails("port_done").first()
    body, message.language = " ".join(outbox.compose(message).body.split()), "en"
    assert [sentence for sentence in said if sentence not in body] == []
    assert [sentence for sentence in unsaid if sentence in body] == []
    assert "030 23125710" in outbox.compose(message).body.partition("Your numbers")[2].replace("    030 23125710", "")
    with time_machine.travel(SIX, tick=False):
        page = html.unescape(sign_in(office.alice).get(reverse("numbers:port", args=[order.pk])).content.decode())
    assert ("030 23125710 wartet" in page.replace("\u00a0", " ")) == (state in ("active", "deactivation_scheduled"))
    assert ("Übergangsrufnummer ersetzen" in page) == (state == "active")


@pytest.mark.parametrize("gone", ["returned", "ported_out"])
def test_number_that_comes_back_waits_for_the_swap_like_any_other(office, gone):
    make.number("+493023125710", state=gone)
    temporary = make.number("+493023125730", state="active")
    order = ports.confirmed(office, "+493023125710", temporary=temporary)

    run(SIX)

    assert "030 23125710 wartet inaktiv" in outbox.compose(mails("port_done").first()).body
    order.refresh_from_db()
    assert port_temporary.waiting(order, at=SIX).how == "swap"
    assert porting.replace_temporary(ports.locked(order), by=office.alice, at=SIX).result == "done"


def test_people_are_reminded_once_for_each_date(office):
    order = ports.confirmed(office)
    assert run(DAY_BEFORE - timedelta(days=1)).done == 0

    assert run(DAY_BEFORE).done == 1
    assert run(DAY_BEFORE).done == 0
    port_desk.move_date(ports.locked(order), date(2026, 12, 10), by=office.olga, at=DAY_BEFORE)
    assert run(datetime(2026, 12, 9, 9, 0, tzinfo=UTC)).done == 1

    assert [event for event in ports.events(order) if event[0] == "reminded"] == [
        ("reminded", "2026-12-08"),
        ("reminded", "2026-12-10"),
    ]
    assert mails("port_reminder").count() == 4


def test_nothing_is_completed_before_its_day(office):
    order = ports.confirmed(office)

    with pytest.raises(PortRefused, match="noch nicht gekommen"):
        port_completion.complete(order, by=office.olga, at=DAY_BEFORE)


def test_an_order_whose_number_somebody_holds_gets_a_fault_and_the_others_go_on(office, as_operator):
    stuck, fine = ports.confirmed(office), ports.confirmed(office, "+493023125715")
    with tenancy.tenant_transaction(office.globex.pk):
        make.number(ports.NUMBERS[1])  # by a way that does not ask

    assert run(SIX).done == 1

    stuck, fine = (PortOrder.objects.get(pk=order.pk) for order in (stuck, fine))
    assert (stuck.state, fine.state) == ("confirmed", "completed")
    assert "Globex" not in stuck.fault
    assert states() == {"+493023125715": "inactive"}
    assert ports.events(stuck)[-1] == ("fault", "1")
    with as_operator():
        assert jobs.overdue_portings(at=SIX) == 0


def test_an_order_that_the_database_refuses_does_not_stop_the_others(office, as_operator):
    stuck, fine = ports.confirmed(office), ports.confirmed(office, "+493023125715")
    PortEvent.objects.create(order=stuck, kind="completed", key="0", at=NOW, by_name="test")

    assert run(SIX).done == 1

    assert [PortOrder.objects.get(pk=order.pk).state for order in (stuck, fine)] == ["confirmed", "completed"]
    assert states() == {"+493023125715": "inactive"}
    with as_operator():
        assert jobs.overdue_portings(at=SIX) == 1  # it is tried again and told as overdue


def test_every_mail_on_the_way_can_be_composed_and_names_no_price_of_porting(office):
    port_desk.reject(ports.submitted(office, "+493023125716"), "SON", "in Worten", by=office.olga, at=NOW)
    porting.cancel(ports.submitted(office, "+493023125717"), reason="doppelt", by=office.olga, at=NOW)
    order = ports.confirmed(office, activate=True, price_seen=Decimal("2.90"))
    porting.ask_date(order, date(2026, 12, 15), by=office.alice, at=NOW)
    port_desk.refuse_change(order, "voll", by=office.olga, at=NOW)
    run(DAY_BEFORE)
    port_desk.report_fault(ports.locked(order), "Leitung tot", by=office.olga, at=SIX)
    port_completion.complete(ports.locked(order), by=office.olga, at=SIX)

    composed = {message.template: outbox.compose(message) for message in OutboxMessage.objects.order_by("pk")}

    assert sorted(name.removeprefix("numbers/port_") for name in composed) == sorted(
        ["cancelled", "change_refused", "date_set", "done", "fault", "rejected", "reminder"]
    )
    assert "Aus einem anderen Grund" in composed["numbers/port_rejected"].body
    assert "in Worten" in composed["numbers/port_rejected"].body
    for mail in composed.values():
        assert not any(word in mail.body for word in ("EUR", "€", "Entgelt", "Gebühr", "kostenlos"))


def test_a_late_run_lets_numbers_arrive_and_charges_from_that_day(office):
    ports.confirmed(office, activate=True, price_seen=Decimal("2.90"))
    late = SIX + timedelta(days=40)

    run(late)

    assert set(Slot.objects.values_list("from_on", flat=True)) == {date(2027, 1, 17)}


def test_the_command_and_the_task_do_the_same(office, as_operator):
    out = StringIO()
    with as_operator():
        call_command("apply_portings", "--dry-run", stdout=out)
        call_command("apply_portings", stdout=out)
        assert tasks.apply_portings(anything="of a later version") == 0

    assert out.getvalue().splitlines() == [
        "0 changeovers and reminders are due. Nothing was changed.",
        "0 planned, 0 took effect.",
    ]


class Killed(BaseException):
    """What ends a process does not ask for `except Exception`."""


def killed_at(statement, at):
    """Run the job in a connection of its own that dies at its n-th statement; return whether it got that far."""
    count = 0

    def dying(execute, *call):
        nonlocal count
        count += 1
        if count == statement:
            raise Killed
        return execute(*call)

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE portal_ops")
    try:
        with connection.execute_wrapper(dying):
            jobs.apply_portings(at=at)
    except Killed:
        return True
    finally:
        connection.close()
    return False


def agreement(world):
    """Return (order's state, states of its numbers, slots, claims): either all before or all after."""
    with tenancy.tenant_transaction(world.acme.pk):
        order = PortOrder.objects.get()
        return (
            order.state,
            tuple(sorted(PhoneNumber.objects.values_list("e164", "state"))),
            Slot.objects.count(),
            PortNumber.objects.filter(open=True).count(),
            len([kind for kind, _ in ports.events(order) if kind == "completed"]),
            mails("port_done").count(),
        )


@pytest.mark.django_db(transaction=True)
def test_a_run_killed_at_any_statement_leaves_order_and_inventory_in_agreement(transactional_db, request):
    with transaction.atomic():
        world = request.getfixturevalue("cast")
    with tenancy.tenant_transaction(world.acme.pk, user_id=world.alice.pk):
        ports.verified(world)
        order = ports.confirmed(world, activate=True, price_seen=Decimal("2.90"))
    before = ("confirmed", (), 0, 2, 0, 0)
    after = ("completed", tuple((e164, "active") for e164 in ports.NUMBERS), 2, 0, 1, 2)
    seen = []

    for statement in range(1, 500):
        if not killed_at(statement, SIX):
            break
        seen.append(agreement(world))

    assert set(seen) == {before, after}
    assert seen == sorted(seen, key=lambda found: found == after)  # what was done is not undone
    assert len(seen) > 30
    assert agreement(world) == after
    with tenancy.tenant_transaction(world.acme.pk):
        assert len(set(ports.events(order))) == len(ports.events(order))
        assert porting.numbers_of(order).e164s == ports.NUMBERS
