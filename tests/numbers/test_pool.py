import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from numbers import inventory, pool
from numbers.inventory import NewNumber
from numbers.models import LocalArea, PhoneNumber, PoolBlock, PoolNumber
from portal import tenancy
from tests import make
from tests.conftest import NOW

SOON = NOW + timedelta(minutes=14)
LATER = NOW + timedelta(minutes=15)


@pytest.fixture
def berlin(acme, as_operator):
    """The area of Berlin, with ten numbers of its own and a hundred further on in the pool."""
    with as_operator():
        make.pool("030 2312590", size=10)
        make.pool("030 231258", size=100, memorable="*77, *5?5")
    return LocalArea.objects.get(area_code="30").pk


def e164s(found):
    return [free.e164[-3:] for free in found]


def row(as_operator, e164):
    with as_operator():
        return PoolNumber.objects.get(pk=int(e164[1:]))


def block(as_operator, base):
    with as_operator():
        return PoolBlock.objects.get(base_number=base)


def add(cast, *e164s):
    area = LocalArea.objects.get(area_code="30").pk
    entries = [NewNumber(e164, area) for e164 in e164s]
    return inventory.add(entries, tenant_id=cast.acme.pk, by=cast.alice, at=NOW)


def test_numbers_are_those_nobody_has_a_claim_to(acme, berlin, as_operator):
    add(acme, "+493023125800", "+493023125803")
    pool.reserve(berlin, ["+493023125801"], basket=uuid4(), at=NOW)

    assert e164s(pool.numbers(berlin, most=3, at=NOW)) == ["802", "804", "805"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*77", ["877"]),
        ("* 7 7", ["877"]),
        ("58?8", ["808", "818", "828", "838", "848", "858", "868", "878", "888", "898"]),
        ("2312590?", ["900", "901", "902", "903", "904", "905", "906", "907", "908", "909"]),
        ("*90?", ["900", "901", "902", "903", "904", "905", "906", "907", "908", "909"]),
        ("230", []),
        ("49302", []),
    ],
)
def test_numbers_match_a_pattern_behind_the_area_code(berlin, pattern, found):
    assert e164s(pool.numbers(berlin, pattern=pool.expression(pattern, "30"), most=200, at=NOW)) == found


@pytest.mark.parametrize("pattern", ["abc", "+49", "1;DROP", "7" * 13, "??", "*", "12[3]"])
def test_a_pattern_that_makes_no_sense_is_refused_with_a_reason(pattern):
    with pytest.raises(pool.PatternRefused) as refused:
        pool.expression(pattern, "30")

    assert str(refused.value)


def test_a_memorable_number_has_a_price_class_of_its_own(berlin):
    found = pool.numbers(berlin, pattern=pool.expression("*877", "30"), most=9, at=NOW)

    assert found == [pool.Free("+493023125877", "premium")]
    assert pool.numbers(berlin, pattern=pool.expression("*876", "30"), most=9, at=NOW)[0].price_class == "standard"


def test_runs_are_islands_between_the_gaps(acme, berlin):
    add(acme, "+493023125800", "+493023125805", "+493023125815")

    assert [first[-3:] for first in pool.runs(berlin, length=4, most=4, at=NOW)] == ["801", "806", "810", "816"]


def test_runs_that_make_a_block_begin_with_its_first_extension(acme, berlin):
    add(acme, "+493023125805", "+493023125820")

    found = pool.runs(berlin, length=10, aligned=True, most=3, at=NOW)

    assert [first[-3:] for first in found] == ["810", "830", "840"]


def test_runs_never_reach_from_one_block_of_the_pool_into_the_next(berlin):
    assert pool.runs(berlin, length=100, most=5, at=NOW) == ["+493023125800"]
    assert pool.runs(berlin, length=101, most=5, at=NOW) == []


def test_the_longest_run_is_kept_with_each_block(acme, berlin, as_operator):
    add(acme, "+493023125830")

    kept = block(as_operator, "+4930231258")
    assert (kept.given, kept.longest_run) == (1, 69)


def test_reserve_keeps_numbers_for_fifteen_minutes(berlin):
    key = uuid4()

    assert pool.reserve_next(berlin, count=2, basket=key, at=NOW) == ["+493023125800", "+493023125801"]
    assert e164s(pool.numbers(berlin, most=1, at=SOON)) == ["802"]
    assert e164s(pool.numbers(berlin, most=1, at=LATER)) == ["800"]
    kept = pool.basket(key)
    assert (e164s(kept.numbers), kept.until, kept.area_id) == (["800", "801"], LATER, berlin)


def test_reserve_gives_what_is_left_and_takes_nothing_from_others(berlin):
    pool.reserve(berlin, ["+493023125900"], basket=uuid4(), at=NOW)

    assert pool.reserve(berlin, ["+493023125900", "+493023125901"], basket=uuid4(), at=NOW) == ["+493023125901"]
    assert pool.reserve(berlin, ["+496990009999", "+493023125000"], basket=uuid4(), at=NOW) == []


def test_reserve_ends_by_time_alone_and_the_next_one_has_it(berlin):
    late, quick = uuid4(), uuid4()
    pool.reserve(berlin, ["+493023125900"], basket=late, at=NOW)

    assert pool.reserve(berlin, ["+493023125900"], basket=quick, at=LATER) == ["+493023125900"]
    assert pool.basket(late) is None
    assert pool.claim(late) == []
    assert pool.claim(quick) == ["+493023125900"]


def test_claim_of_a_reservation_that_ran_out_counts_while_nobody_took_it(berlin):
    key = uuid4()
    pool.reserve(berlin, ["+493023125900"], basket=key, at=NOW - timedelta(hours=3))

    assert pool.claim(key) == ["+493023125900"]


def test_reserve_run_takes_the_whole_run_or_nothing(acme, berlin):
    add(acme, "+493023125804")
    key = uuid4()

    assert pool.reserve_run(berlin, length=10, aligned=True, basket=key, at=NOW)[0] == "+493023125810"
    assert pool.reserve_whole(berlin, "+493023125800", length=10, basket=uuid4(), at=NOW) == []
    assert e164s(pool.numbers(berlin, most=1, at=NOW)) == ["800"]


def test_a_tenant_reserves_no_more_than_a_thousand_numbers(acme, as_operator):
    with as_operator():
        make.pool("069 90009", size=1000)
        make.pool("0221 4710", size=1000)
    areas = {area.area_code: area.pk for area in LocalArea.objects.filter(area_code__in=["69", "221"])}

    assert len(pool.reserve_next(areas["69"], count=5000, basket=uuid4(), at=NOW)) == 1000
    assert pool.reserve_next(areas["221"], count=1, basket=uuid4(), at=NOW) == []
    assert len(pool.reserve_next(areas["221"], count=1, basket=uuid4(), at=LATER)) == 1


def test_another_tenants_reservation_is_neither_seen_nor_claimed(cast, as_operator):
    key = uuid4()
    with tenancy.tenant_transaction(cast.acme.pk):
        with as_operator():
            make.pool("030 2312590", size=10)
        area = LocalArea.objects.get(area_code="30").pk
        pool.reserve_next(area, count=10, basket=key, at=NOW)

    with tenancy.tenant_transaction(cast.globex.pk):
        assert pool.basket(key) is None
        assert pool.claim(key) == []
        pool.release(key, at=NOW - timedelta(days=1))
        assert pool.numbers(area, most=10, at=NOW) == []


def test_what_enters_an_inventory_leaves_the_pool(acme, berlin, as_operator):
    pool.reserve(berlin, ["+493023125901"], basket=uuid4(), at=NOW)

    add(acme, "+493023125901")

    kept = row(as_operator, "+493023125901")
    assert (kept.free_from, kept.reservation, kept.reserved_by) == (None, None, None)
    assert block(as_operator, "+49302312590").given == 1


def test_a_held_number_is_never_reserved_even_if_the_pool_had_it_wrong(acme, berlin, as_operator):
    add(acme, "+493023125901")
    with as_operator():
        PoolNumber.objects.filter(pk=493023125901).update(free_from=NOW)

    assert pool.reserve(berlin, ["+493023125901"], basket=uuid4(), at=NOW) == []


def test_claim_leaves_out_what_somebody_holds_meanwhile(acme, berlin, as_operator):
    key = uuid4()
    pool.reserve(berlin, ["+493023125901", "+493023125902"], basket=key, at=NOW)
    add(acme, "+493023125901")
    with as_operator():
        PoolNumber.objects.filter(pk=493023125901).update(free_from=NOW, reservation=key, reserved_by=acme.acme.pk)

    assert pool.claim(key) == ["+493023125902"]


def test_rest_keeps_a_returned_number_for_ninety_days(acme, berlin, as_operator):
    (number,) = add(acme, "+493023125900")
    PhoneNumber.objects.filter(pk=number.pk).update(state="returned")

    until = pool.rest([number.e164], at=NOW)

    assert until == NOW + timedelta(days=90)
    assert "900" not in e164s(pool.numbers(berlin, most=200, at=until - timedelta(seconds=1)))
    assert "900" in e164s(pool.numbers(berlin, most=200, at=until))


def test_rest_takes_nothing_that_is_not_returned(acme, berlin, as_operator):
    (number,) = add(acme, "+493023125900")

    pool.rest([number.e164], at=NOW)

    assert row(as_operator, number.e164).free_from is None


@pytest.mark.parametrize("table", ["numbers_poolarea", "numbers_poolblock", "numbers_poolnumber"])
def test_customers_processes_neither_read_nor_write_the_pool(acme, table):
    for statement in (f"SELECT * FROM {table}", f"DELETE FROM {table}", "SELECT pool_recount(ARRAY[1::bigint])"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_fifty_buyers_of_the_last_twenty_numbers_get_twenty(cast, as_operator):
    with transaction.atomic(), as_operator():
        make.pool("030 2312590", "030 2312591", size=10)
    area = LocalArea.objects.get(area_code="30").pk
    got, barrier = [None] * 50, threading.Barrier(50, timeout=60)

    def buy(place):
        tenant = (cast.acme, cast.globex)[place % 2]
        key = uuid4()
        try:
            barrier.wait()
            with tenancy.tenant_transaction(tenant.pk):
                pool.reserve_next(area, count=1, basket=key, at=NOW)
            with tenancy.tenant_transaction(tenant.pk):
                taken = pool.claim(key)
                entries = [NewNumber(e164, area) for e164 in taken]
                got[place] = [n.e164 for n in inventory.add(entries, tenant_id=tenant.pk, by="test", at=NOW)]
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test looks at it
            got[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=buy, args=(place,)) for place in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sold = sorted(e164 for taken in got for e164 in taken)
    assert sold == [f"+4930231259{n:02}" for n in range(20)]
    assert got.count([]) == 30
    with transaction.atomic(), as_operator():
        assert list(PoolBlock.objects.order_by("first").values_list("given", "longest_run")) == [(10, 0), (10, 0)]
        assert PhoneNumber.objects.count() == 20
