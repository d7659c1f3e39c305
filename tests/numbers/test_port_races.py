"""The same number in two orders at once, and doubled runs of the job: two connections, one barrier."""

import threading
from decimal import Decimal

import pytest
from django.db import connection, transaction

from billing.models import Slot
from numbers import jobs, port_out, porting
from numbers.models import PhoneNumber, PortNumber, PortOrder, PortOut
from numbers.porting import PortRefused
from portal import tenancy
from tests import make
from tests import porting as ports
from tests.conftest import NOW, _as_operator
from tests.duel import fight
from tests.numbers.test_port_completion import SIX

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db, request):
    with transaction.atomic():
        cast = request.getfixturevalue("cast")
        ports.provider()
    for tenant in (cast.acme, cast.globex):
        with tenancy.tenant_transaction(tenant.pk):
            make.verified_address("30")
    return cast


def test_of_two_orders_of_two_tenants_for_a_number_one_wins(world, scale):
    """Each round shares some of three numbers; whoever loses keeps a draft and no number."""
    rounds = []

    def submit(tenant, person, pk):
        def act():
            with tenancy.tenant_transaction(tenant.pk, user_id=person.pk):
                porting.submit(PortOrder.objects.locked(pk), by=person, at=NOW)
            return "submitted"

        return act

    for number in range(scale(200)):
        first = 700 + number % 100 * 3
        sides = ((world.acme, world.alice, (0, 1)), (world.globex, world.carl, (1, 2)))
        acts = []
        for tenant, person, offsets in sides:
            with tenancy.tenant_transaction(tenant.pk, user_id=person.pk):
                PortNumber.objects.update(open=False)
                order = ports.draft(world, *(f"+493023125{first + n}" for n in offsets))
                acts.append(submit(tenant, person, order.pk))
        [result] = fight([acts])
        rounds.append(result)
        with transaction.atomic(), _as_operator():
            assert PortNumber.objects.filter(open=True).count() == 2

    winners = [["submitted" in str(side) for side in result].count(True) for result in rounds]
    assert winners == [1] * len(rounds)
    assert {type(side) for result in rounds for side in result if side != "submitted"} == {PortRefused}


def run_the_job():
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE portal_ops")
    return jobs.apply_portings(at=SIX).done


def somebody_waits():
    """Return once another connection to this database waits for a lock."""
    for _again in range(1_000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), pg_sleep(0.01) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
    raise TimeoutError


def test_a_departure_that_is_withdrawn_while_the_job_comes_stays_and_nobody_is_thrown_out(world):
    """The job comes while the operator has the number locked and is about to withdraw."""
    on, stays, leaves = SIX.date(), "+493023125760", "+493023125761"
    with tenancy.tenant_transaction(world.acme.pk, user_id=world.alice.pk):
        pks = [make.number(e164, state="active").pk for e164 in (stays, leaves)]
        rows = port_out.announce(PhoneNumber.objects.locked(pks), on, by=world.olga, at=NOW)
    [out] = [row.pk for row in rows if row.number_id == pks[0]]
    locked = threading.Event()

    def withdraw():
        with tenancy.tenant_transaction(world.acme.pk, user_id=world.olga.pk):
            numbers = PhoneNumber.objects.locked(pks[:1])
            locked.set()
            somebody_waits()
            port_out.withdraw(numbers, announced=[out], by=world.olga, at=NOW)
        return "withdrawn"

    def leave():
        locked.wait(10)
        return run_the_job()

    assert fight([(withdraw, leave)]) == [["withdrawn", 1]]
    with tenancy.tenant_transaction(world.acme.pk):
        states = dict(PhoneNumber.objects.values_list("e164", "state"))
        ends = dict(PortOut.objects.values_list("number__e164", "state"))
    assert states == {stays: "active", leaves: "ported_out"}
    assert ends == {stays: "withdrawn", leaves: "done"}


def test_doubled_runs_let_numbers_arrive_once(world):
    with tenancy.tenant_transaction(world.acme.pk, user_id=world.alice.pk):
        for n in range(5):
            ports.confirmed(world, f"+49302312576{n}", activate=True, price_seen=Decimal("2.90"))

    [(one, two)] = fight([(run_the_job, run_the_job)])

    assert one + two == 5
    with tenancy.tenant_transaction(world.acme.pk):
        assert PhoneNumber.objects.count() == Slot.objects.count() == 5
