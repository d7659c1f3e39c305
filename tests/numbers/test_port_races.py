"""The same number in two orders at once, and doubled runs of the job: two connections, one barrier."""

from decimal import Decimal

import pytest
from django.db import connection, transaction

from billing.models import Slot
from numbers import jobs, porting
from numbers.models import PhoneNumber, PortNumber, PortOrder
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


def test_doubled_runs_let_numbers_arrive_once(world):
    with tenancy.tenant_transaction(world.acme.pk, user_id=world.alice.pk):
        for n in range(5):
            ports.confirmed(world, f"+49302312576{n}", activate=True, price_seen=Decimal("2.90"))

    def run():
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE portal_ops")
        return jobs.apply_portings(at=SIX).done

    [(one, two)] = fight([(run, run)])

    assert one + two == 5
    with tenancy.tenant_transaction(world.acme.pk):
        assert PhoneNumber.objects.count() == Slot.objects.count() == 5
