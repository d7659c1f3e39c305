"""A printer's sign-in: whose user name it is, and whether it may send (rules F2, F3 and C3)."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from fax import access, keys, revoking
from fax.models import FaxCredential
from portal.models import AuditEvent
from portal.tenancy import NoTenant, tenant_transaction
from tests import calling, make
from tests.conftest import NOW

SECRET = "abcdEFGH23456789"
FAX = "+493023125020"


@pytest.fixture
def acme(cast):
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        yield cast


@pytest.fixture
def bob(acme):
    return make.member("Bob Brandt", user=acme.bob)


@pytest.fixture
def number(acme, bob):
    row = make.number(FAX, state="active", usage="fax_personal")
    calling.assign(row, bob, calling.days_ago(10))
    return row


@pytest.fixture
def credential(number, bob):
    return make.fax_credential(number, bob, SECRET)


def opens(credential, secret=SECRET, *, e164=FAX, at=NOW):
    try:
        return access.verify(credential.username, secret, e164=e164, at=at) == credential
    except access.Denied:
        return False


def test_a_secret_has_more_than_80_bits_and_its_hash_is_bound(number, bob):
    made = {keys.new_secret() for _ in range(200)}
    assert len(made) == 200
    assert {len(secret) for secret in made} == {16}
    assert len(keys.SIGNS) ** 16 > 2**80

    first, second = make.fax_credential(number, bob, SECRET), make.fax_credential(number, make.member("X"), SECRET)
    assert first.secret_hash != second.secret_hash
    assert SECRET not in first.secret_hash


def test_tenant_of_is_known_before_any_is_announced(cast):
    with tenant_transaction(cast.acme.pk):
        row = make.fax_credential(make.number(usage="fax_shared"), make.member("Mia"), SECRET)

    with transaction.atomic():
        with pytest.raises(NoTenant):
            FaxCredential.objects.count()
        assert access.tenant_of(row.username) == cast.acme.pk
        for nobody in ("fax-nobody00", "fax-\x00", "", "' OR true --", "fax-\udcff"):
            assert access.tenant_of(nobody) is None


def test_verify_returns_the_credential_and_notes_its_use(credential, number, bob, django_assert_num_queries):
    with django_assert_num_queries(3):  # the credential, who has the number, the note
        found = access.verify(credential.username, SECRET, e164=FAX, at=NOW)

    assert (found.number, found.staff_member) == (number, bob)
    credential.refresh_from_db()
    assert credential.last_used_at == NOW
    with django_assert_num_queries(2):
        access.verify(credential.username, SECRET, e164=FAX, at=NOW + timedelta(seconds=59))


@pytest.mark.parametrize("wrong", ["", "abcdEFGH2345678", SECRET.lower(), "x" * 1_000, "ä" * 16, "\x00", "\udcff"])
def test_a_wrong_secret_opens_nothing(credential, wrong):
    assert not opens(credential, wrong)


def test_a_secret_not_shown_yet_is_none(number, bob):
    assert not opens(make.fax_credential(number, bob), "")


def test_another_number_is_not_opened(credential, acme):
    make.number("+493023125021", state="active", usage="fax_shared")

    assert not opens(credential, e164="+493023125021")


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "inactive", "active_since": None},
        {"state": "deactivation_scheduled", "last_active_on": date(2026, 10, 31)},
        {"usage": "voice"},
        {"usage": "conference"},
    ],
)
def test_a_number_that_is_no_active_fax_denies(credential, number, fields):
    assert opens(credential)
    for name, value in fields.items():
        setattr(number, name, value)
    number.save()

    assert not opens(credential)


@pytest.mark.parametrize("fields", [{"state": "locked"}, {"state": "left", "left_at": NOW, "user": None}])
def test_whoever_is_locked_or_left_is_denied(credential, bob, fields):
    for name, value in fields.items():
        setattr(bob, name, value)
    bob.save()

    assert not opens(credential)


def test_a_personal_fax_is_for_whoever_has_it_now_and_a_shared_one_for_all_who_were_given_it(credential, number):
    held = number.assignments.get()
    held.until_at = NOW + timedelta(hours=1)  # a hand-over that no job has materialised
    held.save()

    assert opens(credential)
    assert not opens(credential, at=NOW + timedelta(hours=1))
    number.usage = "fax_shared"
    number.save()
    assert opens(credential, at=NOW + timedelta(hours=1))


def test_the_previous_secret_works_until_the_new_one_is_used(credential):
    credential.previous_hash, credential.previous_until = keys.hashed("old", credential), NOW + timedelta(days=1)
    credential.save()

    assert opens(credential, "old")
    assert opens(credential, "old", at=NOW + timedelta(hours=23, minutes=59))
    assert not opens(credential, "old", at=NOW + timedelta(days=1))
    assert opens(credential)
    assert not opens(credential, "old")
    event = AuditEvent.objects.get(verb="number.fax_secret_replaced")
    assert (event.actor_name, event.after["username"]) == ("Bob Brandt", credential.username)


def test_revoked_access_opens_nothing_and_keeps_no_hash(credential):
    revoking.end([credential], at=NOW)

    assert not opens(credential)
    credential.refresh_from_db()
    assert (credential.secret_hash, credential.revoked_at) == ("", NOW)
    with pytest.raises(IntegrityError, match="fax_credential_revoked_empty"), transaction.atomic():
        FaxCredential.objects.update(secret_hash="x")


def test_an_old_secret_key_still_counts(credential, settings):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10

    assert opens(credential)
    settings.SECRET_KEY_FALLBACKS = []
    assert not opens(credential)


def test_the_look_up_is_no_way_into_a_tenant(credential):
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_function_privilege('public', 'fax_credential_tenant(text)', 'EXECUTE')")
        assert cursor.fetchone() == (False,)
