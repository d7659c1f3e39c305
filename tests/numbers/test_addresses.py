"""Addresses of a tenant: which areas are proven, what never changes (rules V1, V3)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from numbers import addresses
from numbers.models import Address, AddressState, LocalArea
from portal import tenancy
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def area(code):
    return LocalArea.objects.get(area_code=code).pk


def test_verified_areas_are_those_proven_at_that_instant(acme):
    make.address("40")
    make.verified_address("30")
    make.verified_address("69", state="revoked", revoked_at=NOW)

    assert addresses.verified_areas(NOW - DAY) == {area("30"), area("69")}
    assert addresses.verified_areas(NOW) == {area("30")}
    assert addresses.verified_areas(make.ALLOCATED - DAY) == set()


def test_verified_in_gives_the_address_of_the_area(acme):
    berlin = make.verified_address("30")

    assert addresses.verified_in(area("30"), NOW) == berlin
    assert addresses.verified_in(area("69"), NOW) is None


def test_verified_areas_of_another_tenant_do_not_count(cast):
    with tenancy.tenant_transaction(cast.globex.pk):
        make.verified_address("30")

    with tenancy.tenant_transaction(cast.acme.pk):
        assert addresses.verified_areas(NOW) == set()


def test_an_area_has_one_verified_address(acme):
    make.verified_address("30")

    with pytest.raises(IntegrityError, match="address_one_verified_per_area"):
        make.verified_address("30", street="Nebenweg")


@pytest.mark.parametrize("field", ["company", "extra", "street", "house_number", "postcode", "town"])
def test_the_database_refuses_to_edit_what_was_verified(acme, field):
    proven = make.verified_address("30")

    with pytest.raises(DatabaseError, match="cannot be edited"), transaction.atomic():
        Address.objects.filter(pk=proven.pk).update(**{field: "99999"})


def test_past_the_last_day_for_its_pin_an_address_is_expired(acme):
    sent = make.address("30", state="letter_sent", entry_until=datetime(2026, 11, 23, tzinfo=UTC).date())

    assert sent.state_at(datetime(2026, 11, 23, 22, 59, tzinfo=UTC)) == AddressState.LETTER_SENT
    assert sent.state_at(datetime(2026, 11, 23, 23, 0, tzinfo=UTC)) == AddressState.EXPIRED
