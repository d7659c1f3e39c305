"""The source's dialog with its tick: reassign and delete the former user's traffic data, both or neither."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.db import transaction

from numbers import assignment, disputes, purge
from numbers.models import Assignment, CallRecord, PhoneNumber, Purge
from portal.models import AuditEvent
from tests import calling, make
from tests.conftest import NOW
from tests.numbers.confirming import said, send, text, within


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def scene(cast):
    """A number that Paula has, with two calls, and Curt, who is to get it."""
    with within(cast.acme, cast.alice):
        calling.make_months()
        number = make.number("+493023125010", state="active")
        paula, curt = make.member("Paula Peters"), make.member("Curt Cramer")
        rows = PhoneNumber.objects.locked([number.pk])
        assignment.assign(rows, staff_member=paula, by=cast.alice, at=calling.days_ago(20))
        interval = Assignment.objects.select_related("staff_member").get(number=number)
        calling.take(
            calling.line(number, calling.days_ago(19), talk=10, cost_micro=1),
            calling.line(number, calling.days_ago(3), talk=20, cost_micro=2),
        )
    return number, interval, curt


def fields(interval, curt, **changes):
    return {"to": curt.pk, "purge": interval.pk, "count_seen": 2, "notice": purge.NOTICE} | changes


def test_dialog_offers_the_purge_with_count_period_and_notice_and_never_ticked(cast, sign_in, scene):
    page = sign_in(cast.alice).get(f"/numbers/{scene[0].pk}/assign/")

    shown = text(page)
    steps = ("Momentan nutzt", "Verkehrsdaten dieses Mitarbeiters löschen", "Rufnummer zuordnen an", "Speichern")
    places = [shown.index(step) for step in steps]
    assert places == sorted(places)
    assert "2 Verbindungen" in shown or "2 Gespräche" in shown or "2 Anrufe" in shown
    box = re.search(r'<input[^>]*name="purge"[^>]*>', page.content.decode())[0]
    assert "checked" not in box


def test_dialog_says_when_there_are_no_calls_to_delete(cast, sign_in, scene):
    with within(cast.acme, cast.alice):
        CallRecord.objects.all().delete()

    page = text(sign_in(cast.alice).get(f"/numbers/{scene[0].pk}/assign/"))

    assert "gibt es keine Verbindungen zu löschen" in page
    assert "werden 0 Verbindungen" not in page


def test_reassign_with_the_tick_deletes_the_calls_in_the_same_act(cast, sign_in, scene):
    number, interval, curt = scene

    answer = send(sign_in(cast.alice), f"/numbers/{number.pk}/assign/", cast.acme, **fields(interval, curt))

    assert said(answer) == ["030 23125010 ist jetzt Curt Cramer zugeordnet."]
    with within(cast.acme, cast.alice):
        assert not CallRecord.objects.exists()
        assert Purge.objects.get().count == 2
        assert AuditEvent.objects.filter(verb="calls.purged").count() == 1
        assert Assignment.objects.get(until_at=None).staff_member == curt


def test_reassign_without_the_tick_keeps_the_calls(cast, sign_in, scene):
    number, _interval, curt = scene

    send(sign_in(cast.alice), f"/numbers/{number.pk}/assign/", cast.acme, to=curt.pk)

    with within(cast.acme, cast.alice):
        assert CallRecord.objects.count() == 2
        assert not Purge.objects.exists()


@pytest.mark.parametrize("changes", [{"count_seen": 1}, {"notice": "old"}, {"purge": 10**12}])
def test_reassign_whose_purge_is_not_what_was_shown_changes_nothing(cast, sign_in, scene, changes):
    number, interval, curt = scene

    answer = send(sign_in(cast.alice), f"/numbers/{number.pk}/assign/", cast.acme, **fields(interval, curt, **changes))

    assert answer.status_code == 422
    with within(cast.acme, cast.alice):
        assert CallRecord.objects.count() == 2
        assert Assignment.objects.get(until_at=None).staff_member.name == "Paula Peters"


def test_reassign_to_the_same_person_purges_nothing(cast, sign_in, scene):
    number, interval, _curt = scene

    send(sign_in(cast.alice), f"/numbers/{number.pk}/assign/", cast.acme, **fields(interval, interval.staff_member))

    with within(cast.acme, cast.alice):
        assert CallRecord.objects.count() == 2


def test_purge_wants_a_fresh_sign_in(cast, client, scene):
    number, interval, curt = scene
    client.force_login(cast.alice)

    answer = send(client, f"/numbers/{number.pk}/assign/", cast.acme, **fields(interval, curt))

    assert "reauthenticate" in answer.headers["Location"]
    with within(cast.acme, cast.alice):
        assert CallRecord.objects.count() == 2


def test_purge_under_dispute_is_not_offered_and_refused_with_the_next_step(cast, sign_in, scene, as_operator):
    number, interval, curt = scene
    with transaction.atomic(), as_operator():
        given = {"tenant_id": cast.acme.pk, "number": None, "month": date(2026, 11, 1), "reason": "x"}
        disputes.open_(**given, by=cast.olga, at=NOW)
    client = sign_in(cast.alice)

    page = client.get(f"/numbers/{number.pk}/assign/")
    assert 'name="purge"' not in page.content.decode()
    answer = send(client, f"/numbers/{number.pk}/assign/", cast.acme, **fields(interval, curt))

    assert answer.status_code == 422
    for shown in (text(page), text(answer)):
        assert "Einwendung" in shown
    with within(cast.acme, cast.alice):
        assert CallRecord.objects.count() == 2
        assert Assignment.objects.get(until_at=None).staff_member.name == "Paula Peters"


def test_purge_of_somebody_who_lost_the_number_meanwhile_changes_nothing(cast, sign_in, scene):
    number, interval, curt = scene
    with within(cast.acme, cast.alice):  # by somebody whose clock is ahead
        rows = PhoneNumber.objects.locked([number.pk])
        later = NOW + timedelta(seconds=1)
        assignment.assign(rows, staff_member=make.member("Dritte"), by=cast.alice, at=later)

    answer = send(sign_in(cast.alice), f"/numbers/{number.pk}/assign/", cast.acme, **fields(interval, curt))

    assert answer.status_code == 422
    with within(cast.acme, cast.alice):
        assert CallRecord.objects.count() == 2
        assert Assignment.objects.get(until_at=None).staff_member.name == "Dritte"
