"""Many who reassign one number at the same moment: one holder at any time, and no purge is lost (rules A1, A3, T2)."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from numbers import assignment, holders, purge
from numbers.models import Assignment, CallRecord, PhoneNumber, Purge
from numbers.outcomes import Result
from numbers.purge import PurgeRefused
from numbers.reassign import Ticked, reassign
from portal.models import AuditEvent
from portal.tenancy import tenant_transaction
from tests import calling, duel, make
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
AT_A_TIME = 8


def as_alice(cast):
    return tenant_transaction(cast.acme.pk, user_id=cast.alice.pk)


def intervals(number):
    return list(Assignment.objects.filter(number=number).order_by("from_at"))


def test_two_administrators_give_one_number_to_two_people(cast, scale):
    with as_alice(cast):
        berta, curt = make.member("Berta Baum"), make.member("Curt Cramer")
        numbers = make.numbers(scale(100), state="active")

    def gives(number, member, by):
        def act():
            with tenant_transaction(cast.acme.pk, user_id=by.pk):
                rows = PhoneNumber.objects.locked([number.pk])
                return assignment.assign(rows, staff_member=member, by=by, at=NOW)[0].result

        return act

    results = duel.fight([(gives(n, berta, cast.alice), gives(n, curt, cast.erika)) for n in numbers])

    assert {result for pair in results for result in pair} == {Result.DONE}
    with as_alice(cast):
        for number in numbers:
            first, second = intervals(number)
            assert (first.until_at, second.until_at) == (second.from_at, None)
            assert {first.staff_member, second.staff_member} == {berta, curt}


def test_parallel_reassignments_of_one_number_with_purge(cast, scale):
    calling.make_months()
    count, clock = scale(200), itertools.count(1)
    with as_alice(cast):
        number = make.number(state="active")
        people = [make.member(f"Person {place}") for place in range(5)]
        rows = PhoneNumber.objects.locked([number.pk])
        assignment.assign(rows, staff_member=people[0], by=cast.alice, at=NOW)
    over, open_ones = threading.Event(), []

    def watch():
        while not over.is_set():
            with as_alice(cast):
                open_ones.append(Assignment.objects.filter(number=number, until_at=None).count())
            time.sleep(0.005)
        connection.close()

    def reassigns(place):
        try:
            return confirms(place)
        finally:
            connection.close()

    def confirms(place):
        """Look at the dialog, confirm what it showed, and look again if somebody else was first."""
        for attempt in itertools.count():
            at = NOW + timedelta(milliseconds=next(clock))
            with as_alice(cast):
                interval = holders.present(at + timedelta(days=1)).filter(number=number).latest("from_at")
                seen = Ticked(interval.pk, called(number, interval, at=at + timedelta(days=1)), purge.NOTICE)
                others = [person for person in people if person.pk != interval.staff_member_id]
            try:
                with as_alice(cast):
                    rows = PhoneNumber.objects.locked([number.pk])
                    to = others[(place + attempt) % len(others)]
                    [outcome] = reassign(rows, to=to, ticked={number.pk: seen}, by=cast.alice, at=at)
            except PurgeRefused:
                continue
            if outcome.result == Result.DONE:
                return interval.pk

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        purged = list(pool.map(reassigns, range(count)))
    over.set()
    watcher.join()

    assert set(open_ones) == {1}
    with as_alice(cast):
        found = intervals(number)
        assert len(found) == count + 1
        assert all(before.until_at == after.from_at for before, after in itertools.pairwise(found))
        assert len(set(purged)) == count == Purge.objects.count()
        assert AuditEvent.objects.filter(verb="calls.purged").count() == count
        last = found[-1]
        assert not CallRecord.objects.exclude(started_at__gte=last.from_at).exists()


def ring(number, interval):
    """Let a call come in for whoever has the number, as long as they have it."""
    PhoneNumber.objects.locked([number.pk])
    if Assignment.objects.filter(pk=interval.pk, until_at=None).exists():
        CallRecord.objects.create(
            number=number,
            holder=interval.staff_member,
            direction="in",
            peer="+4922147100",
            started_at=interval.from_at,
            result="answered",
        )


def called(number, interval, *, at):
    """Return how many calls whoever has the number got, at least one; more would make others look again for ever."""
    if not purge.preview(interval, at=at).count:
        ring(number, interval)
    return purge.preview(interval, at=at).count
