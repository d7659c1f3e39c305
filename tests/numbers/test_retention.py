"""Retention: what is due goes, what is held stays, and a day's check proves it (rule T4)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from numbers import call_jobs, call_months, disputes, retention
from numbers.models import CallKey, CallRecord, CallRetention, IntakeLine, RetentionProof
from portal import berlin
from portal.models import AuditEvent, JobRun
from portal.tenancy import tenant_transaction
from tests import calling, make
from tests.conftest import NOW


def call(number, at, **fields):
    values = {"direction": "out", "peer": "+492214710123", "result": "answered", "talk_seconds": 5} | fields
    row = CallRecord.objects.create(number=number, started_at=at, **values)
    with connection.cursor() as cursor:  # a table with checks outstanding could not be dropped in one transaction
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return row


def ago(months, *, now=NOW):
    """Return an instant within the Berlin month that many months ago."""
    return berlin.begin(berlin.next_month(call_months.of(now), -months)) + timedelta(days=3)


@pytest.fixture
def number(acme):
    calling.make_months()
    return make.number("+493023125010", state="active")


def test_limit_counts_months_after_the_month_ended():
    """August's calls are due on 1 December when they are kept three months after the invoice."""
    assert retention.limit(3, at=datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC)) == berlin.begin(date(2026, 8, 1))
    assert retention.limit(3, at=datetime(2026, 11, 30, 23, 0, tzinfo=UTC)) == berlin.begin(date(2026, 9, 1))
    assert retention.limit(6, at=datetime(2027, 2, 28, 23, 0, tzinfo=UTC)) == berlin.begin(date(2026, 9, 1))


def test_retire_deletes_what_is_due_and_nothing_else(number, as_operator):
    kept = [call(number, ago(month)) for month in (0, 1, 2, 3)]
    edge = call(number, berlin.begin(date(2026, 8, 1)))
    for month in (4, 5, 6):
        call(number, ago(month))
    call(number, berlin.begin(date(2026, 8, 1)) - timedelta(microseconds=1))

    with as_operator():
        run = call_jobs.retire(at=NOW)

    assert set(CallRecord.objects.values_list("pk", flat=True)) == {row.pk for row in [*kept, edge]}
    assert (run.planned, run.done, run.error) == (2, 2, "")


def test_retire_keeps_what_each_tenant_may_keep(cast, as_operator):
    calling.make_months()
    for tenant, e164, months in ((cast.acme, "+493023125010", 1), (cast.globex, "+496990009010", 6)):
        with tenant_transaction(tenant.pk):
            number = make.number(e164, state="active", area_code=e164[3:5])
            CallRetention.objects.create(months=months, changed_at=NOW)
            for month in range(8):
                call(number, ago(month))

    with as_operator():
        call_jobs.retire(at=NOW)

        left = list(CallRecord.objects.values_list("tenant__slug", flat=True).order_by("tenant__slug"))
    assert left == ["acme"] * 2 + ["globex"] * 7


@pytest.mark.parametrize("of_one_number", [True, False])
def test_retire_keeps_what_a_dispute_holds_until_it_is_closed(number, acme, as_operator, of_one_number):
    other = make.number("+493023125011", state="active")
    held = call(number, ago(5))
    beside = call(other, ago(5))
    with as_operator():
        dispute = disputes.open_(
            tenant_id=acme.acme.pk,
            number=number if of_one_number else None,
            month=call_months.of(ago(5)),
            reason="x",
            by=acme.olga,
            at=NOW,
        )
        call_jobs.retire(at=NOW)
    proof = RetentionProof.objects.get()

    expected = {held.pk} if of_one_number else {held.pk, beside.pk}
    assert set(CallRecord.objects.values_list("pk", flat=True)) == expected
    assert (proof.beyond, proof.held, proof.kept) == (0, len(expected), len(expected))

    with as_operator():
        disputes.close([dispute], by=acme.olga, at=NOW)
        call_jobs.retire(at=NOW + timedelta(hours=1))
    assert not CallRecord.objects.exists()


def test_retire_goes_on_in_batches(number, as_operator, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(call_months, "drop", lambda month: False)
    for _ in range(7):
        call(number, ago(5))

    with as_operator():
        call_jobs.retire(at=NOW)
        done = JobRun.objects.get(job=retention.JOB).done

    assert not CallRecord.objects.exists()
    assert done == 7


def test_prove_tells_of_what_is_beyond(number, as_operator):
    call(number, ago(5))

    with as_operator():
        run = call_jobs.prove(at=NOW)

    assert (run.planned, run.done) == (2, 1)
    assert run.error == "1 calls beyond the limit, of 1 tenants."
    assert RetentionProof.objects.get().beyond == 1


def test_prove_writes_one_finding_a_day(number, as_operator):
    call(number, ago(0))
    with as_operator():
        call_jobs.prove(at=NOW)
        call_jobs.prove(at=NOW + timedelta(hours=1))
        call_jobs.prove(at=NOW + timedelta(days=1))

    assert [proof.kept for proof in RetentionProof.objects.order_by("on")] == [1, 1]


def test_a_month_is_dropped_whole_when_all_is_due(number, as_operator):
    """The database's function looks at the real calendar, so this month is old by that."""
    now = timezone.now()
    old, young = ago(4, now=now), ago(3, now=now)
    calling.make_months(call_months.of(old), call_months.of(young))
    call(number, old)
    call(number, young)

    with as_operator():
        call_jobs.retire(at=now)
        months = call_months.present()

    assert call_months.of(old) not in months
    assert call_months.of(young) in months
    assert CallRecord.objects.get().started_at == young
    assert set(call_months.ahead(now)) <= set(months)


@pytest.mark.parametrize("holds", ["young", "dispute", "another tenant keeps it longer"])
def test_the_database_refuses_to_drop_a_month_that_must_stay(number, acme, as_operator, holds):
    now = timezone.now()
    month = call_months.of(ago(3 if holds == "young" else 4, now=now))
    calling.make_months(month)
    call(number, berlin.begin(month))
    if holds == "dispute":
        with as_operator():
            disputes.open_(tenant_id=acme.acme.pk, number=number, month=month, reason="x", by=acme.olga, at=now)
    if holds.startswith("another"):
        CallRetention.objects.create(months=6, changed_at=now)

    with as_operator():
        assert call_months.drop(month) is False
        assert month in call_months.present()
    assert CallRecord.objects.count() == 1


def test_months_are_made_once_and_ahead(db, as_operator):
    calling.make_months(date(2022, 3, 1))
    with as_operator():
        assert call_months.ensure([date(2022, 3, 1), date(2022, 4, 1)]) == 1
        assert {date(2022, 3, 1), date(2022, 4, 1)} <= set(call_months.present())


def test_months_begin_and_end_with_the_berlin_day(number):
    """23:59:59 of 31 October in Berlin is still October's, though it is 22:59:59 in UTC."""
    for at in (datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC), datetime(2026, 10, 31, 23, 0, tzinfo=UTC)):
        call(number, at)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM numbers_callrecord ORDER BY started_at")
        assert cursor.fetchall() == [("numbers_callrecord_2026_10",), ("numbers_callrecord_2026_11",)]


def test_keep_changes_the_limit_and_leaves_an_event(number, acme):
    retention.keep(1, by=acme.alice, at=NOW)

    assert retention.months(acme.acme.pk) == 1
    event = AuditEvent.objects.get(verb="calls.retention_changed")
    assert (event.before, event.after) == ({"months": 3}, {"months": 1})
    for wrong in (0, 7):
        with pytest.raises(ValueError, match=str(wrong)):
            retention.keep(wrong, by=acme.alice, at=NOW)


def test_retire_forgets_old_keys_and_old_quarantine(number, as_operator):
    CallKey.objects.create(key="00000000-0000-0000-0000-000000000001", month=date(2026, 4, 1))
    CallKey.objects.create(key="00000000-0000-0000-0000-000000000002", month=date(2026, 5, 1))
    with as_operator():
        for days in (89, 91):
            IntakeLine.objects.create(
                source="s", source_id=str(days), line={}, reason="bad_line", received_at=NOW - timedelta(days=days)
            )
        call_jobs.retire(at=NOW)

        assert [line.source_id for line in IntakeLine.objects.all()] == ["89"]
    assert [key.month for key in CallKey.objects.all()] == [date(2026, 5, 1)]


def test_the_command_says_what_it_proved(number, as_operator, capsys):
    with as_operator():
        call_command("retire_calls")

    assert "2 of 2 tenants without calls beyond the limit." in capsys.readouterr().out
