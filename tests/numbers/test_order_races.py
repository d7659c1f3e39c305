"""Buyers at the same moment: each number is sold once, and whoever comes too late is told so."""

import re
import threading
from collections import Counter
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.urls import reverse

from numbers import inventory, orders, pool, returning
from numbers.inventory import NewNumber
from numbers.models import LocalArea, NumberOrder, PhoneNumber, PoolBlock, PoolNumber
from numbers.orders import OrderRefused
from portal.access import tenant_token
from portal.models import AuditEvent, OutboxMessage
from portal.tenancy import every_tenant, tenant_transaction
from tests import duel, make
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
BUYERS, LAST = 50, 20
FEE = Decimal("4.90")


@pytest.fixture
def fill(cast, as_operator):
    """Return a function that fills Berlin's pool with blocks of ten; Acme and Globex may order there."""

    def _fill(*blocks):
        with transaction.atomic(), as_operator():
            make.pool(*blocks, size=10)
        for tenant in (cast.acme, cast.globex):
            with tenant_transaction(tenant.pk):
                make.verified_address("30")
        return LocalArea.objects.get(area_code="30")

    return _fill


def at_once(count, act):
    """Let so many people act at the same moment; return what each got, an exception standing for itself."""
    got, barrier = [None] * count, threading.Barrier(count, timeout=120)

    def one(place):
        try:
            got[place] = act(place, barrier)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test looks at it
            got[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def buy(client, tenant, barrier):
    """Take the next free number on the pages; return which sentence or page that led to."""
    guard = {"_tenant": tenant_token(tenant.pk)}
    wanted = {"area": "30", "kind": "single", "count": "1", "q": "", "next": "1"}
    barrier.wait()
    chosen = client.post(reverse("numbers:order_new"), guard | wanted)
    if chosen.status_code != 302:
        return chosen.status_code, "gerade von jemand anderem" in chosen.content.decode()
    shown = client.get(chosen.url).content.decode()  # not its context, which is that of whoever was served last
    fields = ("basket", "kind", "count_seen", "fee_seen", "operation_id")
    seen = {name: re.search(rf'name="{name}" value="([^"]+)"', shown)[1] for name in fields}
    done = client.post(reverse("numbers:order_confirm"), guard | seen)
    return done.status_code, "order=" in done.headers.get("Location", "")


def test_fifty_buyers_of_the_last_twenty_numbers_are_served_or_told(cast, fill, sign_in):
    fill("030 2312590", "030 2312591")
    people = [(cast.alice, cast.acme), (cast.carl, cast.globex)] * (BUYERS // 2)
    clients = [(sign_in(user), tenant) for user, tenant in people]

    got = at_once(BUYERS, lambda place, barrier: buy(*clients[place], barrier))

    assert Counter(got) == {(302, True): LAST, (422, True): BUYERS - LAST}
    with every_tenant(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE portal_ops")
        sold = sorted(PhoneNumber.objects.values_list("e164", flat=True))
        ordered = sorted(e164 for (e164,) in NumberOrder.objects.values_list("numbers", flat=True))
        assert sold == ordered == [f"+4930231259{n:02}" for n in range(LAST)]
        assert list(PoolBlock.objects.values_list("given", "longest_run")) == [(10, 0), (10, 0)]
        assert AuditEvent.objects.filter(verb="order.placed").count() == LAST
        assert OutboxMessage.objects.filter(template="numbers/ordered").count() == LAST


def place(key, *, by, tenant, at=NOW):
    with tenant_transaction(tenant.pk):
        return orders.place(key, kind="single", count_seen=1, fee_seen=FEE, by=by, at=at).pk


def reserve(area, e164, *, tenant, at=NOW):
    with tenant_transaction(tenant.pk):
        key = uuid4()
        return key if pool.reserve(area.pk, [e164], basket=key, at=at) else None


def test_two_windows_that_confirm_the_same_choice_order_once(cast, fill):
    area = fill("030 2312590")
    keys = [reserve(area, f"+49302312590{n}", tenant=cast.acme) for n in range(10)]
    people = (cast.alice, cast.erika)

    rounds = [[lambda key=key, by=by: place(key, by=by, tenant=cast.acme) for by in people] for key in keys]
    results = duel.fight(rounds)

    for pair in results:
        assert sorted(type(one).__name__ for one in pair) == ["OrderRefused", "int"], pair
    with tenant_transaction(cast.acme.pk):
        assert NumberOrder.objects.count() == PhoneNumber.objects.count() == 10


def test_a_number_that_is_returned_goes_to_one_tenant_at_a_time(cast, fill, settings, as_operator):
    """Acme returns, Globex orders the same number at the same moment: before, after, but never both."""
    settings.POOL_REST_DAYS = 0
    area = fill("030 2312590")
    e164s = [f"+49302312590{n}" for n in range(10)]
    with tenant_transaction(cast.acme.pk):
        held = inventory.add([NewNumber(e, area.pk) for e in e164s], tenant_id=cast.acme.pk, by=cast.alice, at=NOW)

    def give_back(number):
        with tenant_transaction(cast.acme.pk):
            (outcome,) = returning.return_numbers(PhoneNumber.objects.locked([number.pk]), by=cast.alice, at=NOW)
        return str(outcome.result)

    def take(number):
        key = reserve(area, number.e164, tenant=cast.globex)
        return place(key, by=cast.carl, tenant=cast.globex) if key else None

    rounds = [[lambda n=n: give_back(n), lambda n=n: take(n)] for n in held]
    results = duel.fight(rounds)

    assert [first for first, _ in results] == ["done"] * 10
    assert [second for _, second in results if not isinstance(second, int | None)] == []
    with transaction.atomic(), as_operator():
        open_rows = PhoneNumber.objects.held().filter(e164__in=e164s)
        kept = dict(PoolNumber.objects.filter(value__in=[int(e[1:]) for e in e164s]).values_list("value", "free_from"))
        for number, (_, second) in zip(held, results, strict=True):
            owners = [row.tenant_id for row in open_rows if row.e164 == number.e164]
            assert owners == ([cast.globex.pk] if second else [])
            assert (kept[int(number.e164[1:])] is None) == bool(second)


def test_placing_against_returning_leaves_the_counts_of_the_block_right(cast, fill, settings, as_operator):
    settings.POOL_REST_DAYS = 0
    area = fill("030 2312590")
    with tenant_transaction(cast.acme.pk):
        entries = [NewNumber(f"+49302312590{n}", area.pk) for n in range(5)]
        held = inventory.add(entries, tenant_id=cast.acme.pk, by=cast.alice, at=NOW)
    keys = [reserve(area, f"+49302312590{n}", tenant=cast.globex) for n in range(5, 10)]

    def give_back(number):
        with tenant_transaction(cast.acme.pk):
            returning.return_numbers(PhoneNumber.objects.locked([number.pk]), by=cast.alice, at=NOW)

    rounds = [
        [lambda n=n: give_back(n), lambda key=key: place(key, by=cast.carl, tenant=cast.globex)]
        for n, key in zip(held, keys, strict=True)
    ]
    results = duel.fight(rounds)

    assert [one for pair in results for one in pair if isinstance(one, Exception)] == []
    with transaction.atomic(), as_operator():
        block = PoolBlock.objects.get()
        assert (block.given, block.longest_run) == (5, 5)


def test_two_agents_decide_once(cast, fill, settings):
    settings.ORDER_LIMIT = 0
    area = fill("030 2312590")
    waiting = []
    for n in range(6):
        key = reserve(area, f"+49302312590{n}", tenant=cast.acme)
        with tenant_transaction(cast.acme.pk):
            options = {"kind": "single", "count_seen": 1, "fee_seen": FEE, "proof": "x.pdf", "by": cast.alice}
            waiting.append(orders.place(key, **options, at=NOW).pk)

    def decide(pk, verb, **options):
        with tenant_transaction(cast.acme.pk):
            verb(NumberOrder.objects.locked(pk), by=cast.olga, at=NOW, **options)
        return "done"

    rounds = [
        [lambda pk=pk: decide(pk, orders.approve), lambda pk=pk: decide(pk, orders.reject, reason="nein")]
        for pk in waiting
    ]
    results = duel.fight(rounds)

    for pair in results:
        assert sorted(one if isinstance(one, str) else type(one).__name__ for one in pair) == ["OrderRefused", "done"]
    with tenant_transaction(cast.acme.pk):
        fulfilled = [row.numbers[0] for row in NumberOrder.objects.filter(state="fulfilled")]
        assert sorted(PhoneNumber.objects.values_list("e164", flat=True)) == sorted(fulfilled)


def test_a_choice_that_ran_out_belongs_to_whoever_takes_it_next(cast, fill):
    area = fill("030 2312590")
    late = reserve(area, "+493023125900", tenant=cast.acme)
    after = NOW.replace(minute=16)
    quick = reserve(area, "+493023125900", tenant=cast.globex, at=after)

    with pytest.raises(OrderRefused, match="war schneller"):
        place(late, by=cast.alice, tenant=cast.acme, at=after)
    assert place(quick, by=cast.carl, tenant=cast.globex, at=after)
