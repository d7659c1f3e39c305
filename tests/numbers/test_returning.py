from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from numbers import orders, pool, returning
from numbers.models import NumberOrder, PhoneNumber
from numbers.outcomes import Reason, Result
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW
from tests.ordering import open_berlin, ordered, post


@pytest.fixture
def berlin(acme):
    return open_berlin()


def test_return_numbers_rests_an_inactive_number_and_traces_it(acme, berlin):
    (e164,) = ordered(acme, berlin, 1).numbers
    number = PhoneNumber.objects.get(e164=e164)

    (outcome,) = returning.return_numbers(PhoneNumber.objects.locked([number.pk]), by=acme.alice, at=NOW)

    assert outcome.result == Result.DONE
    assert PhoneNumber.objects.get(pk=number.pk).state == "returned"
    assert AuditEvent.objects.filter(verb="number.returned", object_id=number.pk).count() == 1
    assert OutboxMessage.objects.filter(template="numbers/returned").count() == 1
    assert e164 not in [free.e164 for free in pool.numbers(berlin.pk, most=200, at=NOW)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "active"}, Reason.STILL_ACTIVE),
        ({"state": "port_in_pending"}, Reason.PORTING),
        ({"state": "returned"}, Reason.GONE),
    ],
)
def test_return_numbers_refuses_what_is_not_inactive(acme, fields, reason):
    number = make.number(**fields)

    (outcome,) = returning.return_numbers(PhoneNumber.objects.locked([number.pk]), by=acme.alice, at=NOW)

    assert (outcome.result, outcome.reason) == (Result.REFUSED, reason)
    assert PhoneNumber.objects.get(pk=number.pk).state == fields["state"]


def test_a_returned_number_can_be_ordered_again_after_its_rest(acme, berlin, settings):
    settings.POOL_REST_DAYS = 7
    (e164,) = ordered(acme, berlin, 1).numbers
    number = PhoneNumber.objects.get(e164=e164)
    returning.return_numbers(PhoneNumber.objects.locked([number.pk]), by=acme.alice, at=NOW)
    after, key = NOW + timedelta(days=7), uuid4()

    assert pool.reserve(berlin.pk, [e164], basket=uuid4(), at=after - timedelta(seconds=1)) == []
    assert pool.reserve(berlin.pk, [e164], basket=key, at=after) == [e164]
    seen = {"count_seen": 1, "fee_seen": Decimal("4.90")}
    orders.place(key, kind="single", **seen, by=acme.alice, at=after)

    assert sorted(PhoneNumber.objects.filter(e164=e164).values_list("state", flat=True)) == ["inactive", "returned"]
    assert NumberOrder.objects.count() == 2


def test_return_wants_the_tick_and_says_it_is_gone(acme, berlin, sign_in):
    number = make.number()
    client = sign_in(acme.alice)

    missing = post(acme, client, "return", number.pk)
    done = post(acme, client, "return", number.pk, sure="on")

    assert (missing.status_code, done.status_code) == (422, 302)
    assert PhoneNumber.objects.get(pk=number.pk).state == "returned"


def test_return_wants_a_fresh_sign_in(acme, sign_in):
    number = make.number()
    client = sign_in(acme.alice)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1.0, "email": "a@b.example"}]
    session.save()

    assert "reauthenticate" in post(acme, client, "return", number.pk, sure="on").url
    assert PhoneNumber.objects.get(pk=number.pk).state == "inactive"
