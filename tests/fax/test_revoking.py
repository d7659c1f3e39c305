"""Fax access ends with whatever it hangs on, in its transaction, and is named before (rules F2, L5, L6, S3, A4)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from fax import access
from fax.models import FaxCredential, FaxMail
from numbers import assignment, attachments, effects, handovers, labels, people, swap
from numbers.models import PhoneNumber, Usage
from numbers.people import Then
from portal.models import AuditEvent
from portal.tenancy import tenant_transaction
from staff import members
from staff.models import StaffMember
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import said, send, text


@pytest.fixture(autouse=True)
def _clock(clock):
    return clock


@pytest.fixture
def given(office):
    """Bob has access to his own and the shared fax, Mia and (never assigned) Dora to the shared one; a link is open."""
    with tenant_transaction(office.cast.acme.pk, user_id=office.cast.alice.pk):
        for number, member in (
            (office.own, office.bob),
            (office.shared, office.bob),
            (office.shared, office.mia),
            (office.shared, office.dora),
        ):
            row = make.fax_credential(number, member, "secret")
        FaxMail.objects.create(
            credential=row,
            key="00000000-0000-0000-0000-000000000001",
            recipient="dora@acme.example",
            token_hash="x",
            created_at=NOW,
            expires_at=NOW + timedelta(hours=72),
        )
    return office


@pytest.fixture
def inside(given):
    with tenant_transaction(given.cast.acme.pk, user_id=given.cast.alice.pk):
        yield given


def left():
    rows = FaxCredential.objects.filter(revoked_at=None).order_by("number__e164", "staff_member__name")
    return [(e164[-2:], name.split()[0]) for e164, name in rows.values_list("number__e164", "staff_member__name")]


def locked(*numbers):
    return PhoneNumber.objects.locked([n.pk for n in numbers])


def revoked_events():
    rows = AuditEvent.objects.filter(verb="number.fax_revoked").order_by("pk")
    return [(event.object_label[-2:], event.before["staff_member"]) for event in rows]


ALL = [("20", "Bob"), ("21", "Bob"), ("21", "Dora"), ("21", "Mia")]


def test_another_holder_ends_the_access_of_the_one_before(inside):
    assert left() == ALL

    assignment.assign(locked(inside.own), staff_member=inside.dora, by=inside.cast.alice, at=NOW)

    assert left() == ALL[1:]
    assert revoked_events() == [("20", "Bob Brandt")]


def test_assigning_to_the_same_person_and_adding_one_to_a_shared_fax_end_nothing(inside):
    assignment.assign(locked(inside.own), staff_member=inside.bob, by=inside.cast.alice, at=NOW)
    assignment.assign(locked(inside.shared), staff_member=inside.noah, by=inside.cast.alice, at=NOW)

    assert (left(), revoked_events()) == (ALL, [])


def test_who_leaves_a_shared_fax_loses_access_and_nobody_else(inside):
    assignment.unassign(locked(inside.shared), staff_member=inside.mia, by=inside.cast.alice, at=NOW)

    assert left() == ALL[:3]


def test_a_dated_hand_over_ends_access_on_its_day_and_denies_before_the_job_ran(inside):
    begin = datetime(2026, 11, 26, tzinfo=ZoneInfo("Europe/Berlin"))
    assignment.assign(locked(inside.own), staff_member=inside.dora, from_at=begin, by=inside.cast.alice, at=NOW)
    username = FaxCredential.objects.get(number=inside.own).username

    assert access.verify(username, "secret", e164=inside.own.e164, at=begin - timedelta(seconds=1))
    with pytest.raises(access.Denied):
        access.verify(username, "secret", e164=inside.own.e164, at=begin)
    assert left() == ALL
    handovers.settle(locked(inside.own), at=begin)
    assert left() == ALL[1:]


@pytest.mark.parametrize("usage", [Usage.VOICE, Usage.FAX_SHARED])
def test_another_usage_ends_all_access(inside, usage):
    labels.change(locked(inside.own)[0], label="", note="", usage=usage, by=inside.cast.alice, at=NOW)

    assert left() == ALL[1:]


def test_another_label_ends_none(inside):
    labels.change(locked(inside.own)[0], label="x", note="", usage=Usage.FAX_PERSONAL, by=inside.cast.alice, at=NOW)

    assert left() == ALL


def test_a_deactivation_ends_access_when_it_takes_effect(inside):
    inside.shared.state, inside.shared.last_active_on = "deactivation_scheduled", date(2026, 10, 31)
    inside.shared.save()

    effects.settle(locked(inside.shared), at=NOW)

    assert left() == ALL[:1]
    snapshot = AuditEvent.objects.get(verb="number.deactivated").before
    assert [kept["staff_member"] for kept in snapshot["fax"]] == ["Bob Brandt", "Dora Dietrich", "Mia Maurer"]
    assert FaxMail.objects.get().ended_at == NOW
    planned = datetime(2026, 11, 1, tzinfo=ZoneInfo("Europe/Berlin"))  # and not when the job ran (rule C3)
    assert set(FaxCredential.objects.filter(number=inside.shared).values_list("revoked_at", flat=True)) == {planned}


def test_a_swap_erases_access_and_lists_it_before(inside):
    new = make.number("+493023125029")
    listed = [hanging.sentence for hanging in attachments.describe([inside.own], by_swap=True, at=NOW)]

    [old, fresh] = locked(inside.own, new)
    swap.swap(old, fresh, by=inside.cast.alice, at=NOW)

    assert "Faxzugang von Bob Brandt" in listed
    assert left() == ALL[1:]


@pytest.mark.parametrize("act", [members.lock, members.leave])
def test_who_is_locked_or_leaves_loses_all_access(inside, act):
    assert [o.reason for o in act(StaffMember.objects.locked([inside.dora.pk]), by=inside.cast.alice, at=NOW)] == [None]

    assert left() == [ALL[0], ALL[1], ALL[3]]
    assert FaxMail.objects.get().ended_at == NOW


def test_a_release_ends_all_access_with_the_numbers(inside):
    people.release(
        locked(inside.own, inside.shared),
        inside.bob,
        heirs={},
        away={},
        then=Then.LOCK,
        by=inside.cast.alice,
        at=NOW,
    )

    assert left() == ALL[2:]
    assert revoked_events() == [("20", "Bob Brandt"), ("21", "Bob Brandt")]


def test_the_dialogs_name_what_ends(given, sign_in):
    alice = sign_in(given.cast.alice)
    named = {
        reverse("numbers:assign", args=[given.own.pk]): "Faxzugang von Bob Brandt",
        reverse("numbers:edit", args=[given.own.pk]): "Faxzugang von Bob Brandt",
        reverse("numbers:deactivate", args=[given.own.pk]): "Faxzugang von Bob Brandt",
        reverse("staff:lock", args=[given.dora.pk]): "Faxzugang zu 030 23125021",
        reverse("staff:remove", args=[given.dora.pk]): "Faxzugang zu 030 23125021",
    }

    assert {url: words in text(alice.get(url)) for url, words in named.items()} == dict.fromkeys(named, True)


def test_revoke_by_hand_holds_at_once_and_once(given, sign_in):
    alice = sign_in(given.cast.alice)
    with tenant_transaction(given.cast.acme.pk):
        credential = FaxCredential.objects.get(staff_member=given.mia)
    url = reverse("fax:revoke", args=[credential.pk])
    assert "Mia Maurer" in text(alice.get(url))

    first, second = (send(alice, url, given.cast.acme) for _ in range(2))

    assert said(first) == ["Mia Maurer kann von 030 23125021 keine Faxe mehr senden."]
    assert said(second)[-1] == "Dieser Zugang war schon entzogen. Es wurde nichts geändert."
    with tenant_transaction(given.cast.acme.pk):
        assert left() == ALL[:3]
        assert revoked_events() == [("21", "Mia Maurer")]
        with pytest.raises(access.Denied):
            access.verify(credential.username, "secret", e164=given.shared.e164, at=NOW)


def test_the_pages_of_number_and_person_list_access(given, sign_in):
    alice = sign_in(given.cast.alice)

    of_number = text(alice.get(reverse("fax:access", args=[given.shared.pk])))
    of_person = text(alice.get(reverse("fax:of_member", args=[given.bob.pk])))

    assert all(name in of_number for name in ("Bob Brandt", "Dora Dietrich", "Mia Maurer"))
    assert all(number in of_person for number in ("030 23125020", "030 23125021"))
