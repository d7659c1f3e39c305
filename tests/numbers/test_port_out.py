"""Numbers that leave for another provider (rule P7)."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from billing.models import Slot
from numbers import jobs, lifecycle, outcomes, pool, port_completion, port_numbers, port_out, returning, swap
from numbers.models import Assignment, Forwarding, PhoneNumber, PortOut
from numbers.port_out import PortOutRefused
from portal import tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests import porting as ports
from tests.conftest import NOW, _as_operator

LEAVES = date(2026, 12, 8)
SIX = datetime(2026, 12, 8, 5, 0, tzinfo=UTC)


def locked(*numbers):
    return PhoneNumber.objects.locked([number.pk for number in numbers])


def announced(cast, *numbers, on=LEAVES):
    return port_out.announce(locked(*numbers), on, provider=ports.provider("D902"), by=cast.olga, at=NOW)


def run(at=SIX):
    with _as_operator():
        return jobs.apply_portings(at=at).done


def mails(template):
    return OutboxMessage.objects.filter(template=f"numbers/{template}")


def test_a_departure_is_announced_to_the_administrators(acme):
    number = make.number("+493023125750", state="active")

    [row] = announced(acme, number)

    assert (row.state, row.leaves_on, row.provider.code) == ("announced", LEAVES, "D902")
    assert port_out.leaving([number.pk]) == {number.pk: LEAVES}
    assert mails("port_out_announced").count() == 2
    assert mails("port_out_announced").first().context["leaves"] == "2026-12-08"
    assert AuditEvent.objects.get(verb="number.port_out_announced").after == {"leaves_on": "2026-12-08"}
    number.refresh_from_db()
    assert number.state == "active"


def test_a_departure_is_announced_once_and_ahead(acme):
    number, gone = make.number("+493023125750"), make.number("+493023125751", state="returned")
    announced(acme, number)

    for numbers, on in (([number], LEAVES), ([gone], LEAVES), ([number], date(2026, 11, 22))):
        with pytest.raises(PortOutRefused):
            announced(acme, *numbers, on=on)


def test_at_its_day_the_number_leaves_with_all_that_hung_on_it(acme):
    number = make.number("+493023125750", state="active", label="Zentrale")
    Forwarding.objects.create(number=number, when="always", destination="+4922147100", changed_at=NOW)
    person = make.member("Berta Baum")
    Assignment.objects.create(number=number, staff_member=person, from_at=NOW, settled_at=NOW)
    announced(acme, number)
    assert run(SIX - timedelta(seconds=1)) == 0

    assert run() == 1

    number.refresh_from_db()
    assert (number.state, number.active_since, number.last_active_on) == ("ported_out", None, None)
    assert not Forwarding.objects.exists()
    assert Assignment.objects.get().until_at == SIX
    assert Slot.objects.get().until_on == LEAVES
    assert PortOut.objects.get().state == "done"
    event = AuditEvent.objects.get(verb="number.ported_out")
    assert (event.actor_name, event.before["state"], event.after["leaves_on"]) == (
        *("apply_portings", "active"),
        "2026-12-08",
    )
    assert set(event.before) == {"state", "forwarding", "assignment"}
    assert mails("port_out_done").count() == 2
    assert run() == 0


def test_a_scheduled_deactivation_is_overridden(acme):
    number = make.number("+493023125750", state="deactivation_scheduled", last_active_on=date(2026, 12, 31))
    announced(acme, number)

    run()

    number.refresh_from_db()
    assert number.state == "ported_out"
    assert Slot.objects.get().until_on == LEAVES


def test_a_deactivation_that_came_first_keeps_its_day(acme):
    number = make.number("+493023125750", state="deactivation_scheduled", last_active_on=date(2026, 11, 30))
    announced(acme, number)

    run()

    number.refresh_from_db()
    assert number.state == "ported_out"
    assert Slot.objects.get().until_on == date(2026, 12, 1)
    assert AuditEvent.objects.filter(verb="number.deactivated").count() == 1


@pytest.mark.parametrize("late", [0, 3, 90])
def test_a_late_run_books_the_day_it_was_due(acme, late):
    number = make.number("+493023125750", state="deactivation_scheduled", last_active_on=date(2026, 12, 31))
    announced(acme, number)

    run(SIX + timedelta(days=late))

    assert Slot.objects.get().until_on == LEAVES


def test_what_was_activated_after_its_day_is_not_charged(acme):
    number = make.number("+493023125750", state="active", active_since=date(2026, 12, 9))
    announced(acme, number)

    run(SIX + timedelta(days=3))

    assert list(Slot.objects.values_list("from_on", "until_on")) == [(date(2026, 12, 9), date(2026, 12, 9))]


def test_a_block_leaves_with_one_mail_to_each(acme):
    numbers = [make.number(f"+49302312575{n}", state="active") for n in range(10)]
    announced(acme, *numbers)

    assert run() == 10

    assert set(PhoneNumber.objects.values_list("state", flat=True)) == {"ported_out"}
    assert mails("port_out_done").count() == 2


def test_a_withdrawn_departure_changes_nothing(acme):
    number = make.number("+493023125750", state="active")
    [row] = announced(acme, number)

    port_out.withdraw(locked(number), announced=[row.pk], by=acme.olga, at=NOW)

    assert run() == 0
    number.refresh_from_db()
    assert (number.state, PortOut.objects.get().state) == ("active", "withdrawn")
    assert mails("port_out_withdrawn").count() == 2
    with pytest.raises(PortOutRefused):
        port_out.withdraw(locked(number), announced=[row.pk], by=acme.olga, at=NOW)


def test_a_departure_that_is_withdrawn_meanwhile_does_not_end_the_sweep(acme):
    """The job has chosen what leaves and waits for the numbers' lock, which a withdrawal holds."""
    first, second = make.number("+493023125750", state="active"), make.number("+493023125751", state="active")
    announced(acme, first, on=date(2026, 12, 7))
    announced(acme, second)

    def meanwhile(execute, sql, *call):
        if "FOR NO KEY UPDATE" in sql and "FROM numbers_phonenumber" in sql:
            PortOut.objects.filter(number=first.pk, state="announced").update(state="withdrawn", ended_at=SIX)
        return execute(sql, *call)

    with _as_operator(), tenancy.every_tenant(), connection.execute_wrapper(meanwhile):
        none, place = port_completion.take_effect(at=SIX, after=port_completion.Cursor(stage=2))
        one, place = port_completion.take_effect(at=SIX, after=place)
        nothing, end = port_completion.take_effect(at=SIX, after=place)

    assert (none, one, nothing, end) == (0, 1, 0, None)
    assert dict(PhoneNumber.objects.values_list("e164", "state")) == {
        "+493023125750": "active",
        "+493023125751": "ported_out",
    }


def test_a_number_that_has_left_is_never_ordered_from_the_pool_and_may_come_back_by_porting(acme, as_operator):
    with as_operator():
        make.pool("030 2312599", size=10)
    area = make.LocalArea.objects.get(area_code="30")
    number = make.number("+493023125991", state="active")
    pool.note_given([number.e164])
    announced(acme, number)

    run()

    years = NOW + timedelta(days=3000)
    assert "+493023125991" not in [free.e164 for free in pool.numbers(area.pk, most=20, at=years)]
    assert pool.reserve(area.pk, ["+493023125991"], basket=uuid4(), at=years) == []
    assert port_numbers.taken(["+493023125991"], own=None) == []


def test_a_number_that_leaves_is_neither_returned_nor_swapped_in(acme):
    number, other = make.number("+493023125750"), make.number("+493023125751", state="active")
    announced(acme, number)

    [returned] = returning.return_numbers(locked(number), by=acme.alice, at=NOW)
    old, new = sorted(locked(number, other), key=lambda row: row.state)
    swapped = swap.swap(old, new, by=acme.alice, at=NOW)

    assert (returned.reason, swapped.reason) == (outcomes.Reason.LEAVING, outcomes.Reason.LEAVING)
    number.refresh_from_db()
    assert number.state == "inactive"


def test_nothing_can_be_done_with_a_number_that_has_left(acme):
    number = make.number("+493023125750")
    announced(acme, number)
    run()

    [outcome] = lifecycle.activate(locked(number), prices_seen={}, by=acme.alice, at=SIX)

    assert outcome.reason == outcomes.Reason.GONE
