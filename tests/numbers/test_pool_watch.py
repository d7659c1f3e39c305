"""How far the pool is used, and the mail before it runs out."""

from uuid import uuid4

import pytest

from numbers import inventory, jobs, pool, pool_watch
from numbers.inventory import NewNumber
from numbers.models import LocalArea, PhoneNumber, PoolArea
from numbers.pool_watch import Utilisation
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW

BASE = "+49302312590"


@pytest.fixture
def berlin(acme, as_operator):
    with as_operator():
        make.pool("030 2312590", size=10)
    return LocalArea.objects.get(area_code="30").pk


def give(cast, area, *extensions):
    entries = [NewNumber(f"{BASE}{extension}", area) for extension in extensions]
    return inventory.add(entries, tenant_id=cast.acme.pk, by=cast.alice, at=NOW)


def watch(as_operator, *, at=NOW):
    with as_operator():
        return jobs.watch_pool(at=at)


def test_utilisation_counts_given_reserved_and_resting(acme, berlin, as_operator):
    held = give(acme, berlin, 0, 1, 2)
    PhoneNumber.objects.filter(pk=held[0].pk).update(state="returned")
    pool.rest([held[0].e164], at=NOW)
    pool.reserve(berlin, [f"{BASE}3"], basket=uuid4(), at=NOW)

    with as_operator():
        used = pool_watch.utilisation([berlin], at=NOW)[berlin]

    assert used == Utilisation(size=10, given=2, reserved=1, resting=1)
    assert (used.free, used.percent) == (6, 20)


def test_watch_warns_once_per_crossing(acme, berlin, as_operator):
    held = give(acme, berlin, *range(8))

    assert [watch(as_operator), watch(as_operator)] == [1, 0]

    with as_operator():
        mail = OutboxMessage.objects.get(template="numbers/pool_warning")
        assert (mail.context["percent"], mail.context["area"]) == (80, "Berlin (030)")
        assert AuditEvent.objects.filter(verb="pool.warned").count() == 1
    PhoneNumber.objects.filter(pk=held[0].pk).update(state="returned")
    pool.rest([held[0].e164], at=NOW)
    assert watch(as_operator) == 0
    give(acme, berlin, 8)
    assert watch(as_operator) == 1


def test_watch_keeps_quiet_below_the_threshold(acme, berlin, as_operator):
    give(acme, berlin, *range(7))

    assert watch(as_operator) == 0
    with as_operator():
        assert PoolArea.objects.get().warned_at is None
