"""A purge and a late call at the same moment: whichever comes first, no call of a purged interval stays (rule T2)."""

from datetime import timedelta

import pytest
from django.db import transaction

from numbers import call_jobs, purge
from numbers.models import CallRecord, PhoneNumber, Purge, UsageTotal
from portal.tenancy import tenant_transaction
from tests import calling, duel, make
from tests.conftest import NOW, PROOF, _as_operator

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_a_late_call_and_a_purge_at_once_lose_nothing(cast):
    calling.make_months()
    rounds = []
    for place in range(200 if PROOF else 20):
        with tenant_transaction(cast.acme.pk):
            number = make.number(f"+493023125{place:03}", state="active")
            row = calling.assign(number, calling.person(f"Person {place}"), calling.days_ago(9))
        rounds.append((_arrives(number), _purges(cast, number, row)))

    results = duel.fight(rounds)

    with tenant_transaction(cast.acme.pk):
        purged = set(Purge.objects.values_list("number", flat=True))
        left = set(CallRecord.objects.values_list("number", flat=True))
        assert not purged & left
        assert len(left) + UsageTotal.objects.count() == len(rounds)
    assert {str(result[0]) for result in results} == {"1"}
    assert all(result[1] is None or isinstance(result[1], purge.CountChanged) for result in results)


def _arrives(number):

    def act():
        with transaction.atomic(), _as_operator():
            counts = call_jobs.take_in([calling.line(number, NOW - timedelta(hours=1))], source="s", at=NOW)
        return counts.total()

    return act


def _purges(cast, number, row):
    def act():
        with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
            (locked,) = PhoneNumber.objects.locked([number.pk])
            purge.purge(locked, row, count_seen=0, notice=purge.NOTICE, by=cast.alice, at=NOW)

    return act
