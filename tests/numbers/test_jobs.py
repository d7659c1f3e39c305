"""The job: as beat schedule, at start-up and as a command; late, doubled, interrupted, and beside clicks."""

import threading
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction

from billing.models import Slot
from numbers import effects, jobs, lifecycle, tasks
from numbers.models import Assignment, PhoneNumber
from portal import jobs as sweeping
from portal import tenancy
from portal.models import AuditEvent, JobRun, OutboxMessage
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
SINCE = date(2019, 1, 1)


@pytest.fixture
def operator(acme, as_operator):
    with as_operator():
        yield acme


def due(count=1, **fields):
    with tenancy.tenant_transaction(make.Tenant.objects.get(slug="acme").pk):
        return [
            make.number(
                state="deactivation_scheduled", active_since=SINCE, **{"last_active_on": date(2026, 10, 31)} | fields
            )
            for _ in range(count)
        ]


def events():
    return AuditEvent.objects.filter(verb="number.deactivated")


def command(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command("apply_deactivations", *arguments, stdout=out, stderr=err)
        return 0, out.getvalue(), err.getvalue()
    except SystemExit as stop:
        return stop.code, out.getvalue(), err.getvalue()


def test_a_run_takes_up_what_is_due_and_leaves_a_record(operator, monkeypatch):
    monkeypatch.setattr(effects, "BATCH", 2)
    due(5)
    due(1, last_active_on=date(2026, 12, 31))

    run = jobs.apply_deactivations(at=NOW)

    kept = JobRun.objects.get()
    assert kept == run
    assert (kept.job, kept.as_of, kept.planned, kept.done, kept.error) == ("apply_deactivations", TODAY, 5, 5, "")
    assert kept.finished_at >= kept.started_at
    assert events().count() == 5
    assert set(events().values_list("request_id", flat=True)) == {f"job-{run.pk}"}
    assert jobs.overdue(as_of=TODAY) == 0


def test_a_second_run_changes_nothing(operator):
    due(2)
    jobs.apply_deactivations(at=NOW)

    assert jobs.apply_deactivations(at=NOW).done == 0
    assert events().count() == 2


@pytest.mark.parametrize("late", [3, 40, 400])
def test_a_late_run_books_the_planned_date(operator, late):
    [number] = due(last_active_on=date(2026, 12, 31))
    at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC) + timedelta(days=late)
    slots = list(Slot.objects.values_list("from_on", "until_on"))
    assert PhoneNumber.objects.inactive(at).get(pk=number.pk).state_at(at) == "inactive"
    assert not PhoneNumber.objects.active(at).exists()

    jobs.apply_deactivations(at=at)

    event = events().get()
    assert event.at == at
    assert (event.before["last_active_on"], event.after["inactive_from"]) == ("2026-12-31", "2027-01-01")
    assert list(Slot.objects.values_list("from_on", "until_on")) == slots == [(SINCE, date(2027, 1, 1))]


def test_a_number_is_due_at_midnight_in_berlin_and_not_before(operator):
    due(last_active_on=date(2026, 12, 31))

    assert jobs.apply_deactivations(at=datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)).done == 0
    assert jobs.apply_deactivations(at=datetime(2026, 12, 31, 23, 0, tzinfo=UTC)).done == 1


def test_an_error_is_noted_and_raised(operator, monkeypatch):
    def broken(**_):
        raise OperationalError("the disk is full")

    monkeypatch.setattr(effects, "take_effect", broken)
    due()

    with pytest.raises(OperationalError):
        jobs.apply_deactivations(at=NOW)

    run = JobRun.objects.get()
    assert (run.done, run.error) == (0, "OperationalError: the disk is full")
    assert run.finished_at


def test_a_run_that_died_is_marked_by_a_later_one(operator):
    dead = JobRun.objects.create(job=effects.JOB, as_of=TODAY, started_at=NOW - timedelta(days=400))

    jobs.apply_deactivations(at=NOW)

    dead.refresh_from_db()
    assert dead.finished_at is None
    assert dead.error.startswith("The process ended")


def test_old_records_are_forgotten_and_those_that_did_something_last(operator):
    for days, done in ((8, 0), (8, 3), (401, 3), (1, 0)):
        JobRun.objects.create(job="x", as_of=TODAY, started_at=NOW - timedelta(days=days), done=done)

    sweeping.forget(at=NOW)

    assert [(run.done, NOW - run.started_at) for run in JobRun.objects.order_by("pk")] == [
        (3, timedelta(days=8)),
        (0, timedelta(days=1)),
    ]


def test_the_task_does_the_same(operator):
    due(2, last_active_on=date(2020, 1, 31))

    assert tasks.apply_deactivations(anything="of a later version") == 2


def test_the_command_says_what_it_did(operator):
    due(3, last_active_on=date(2020, 1, 31))

    status, out, err = command()

    assert (status, err) == (0, "")
    assert "3 of 3" in out
    assert "3 planned, 3 took effect" in out


def test_the_dry_run_changes_nothing_and_may_look_ahead(operator):
    due(2, last_active_on=date(2098, 12, 31))

    status, out, _ = command("--dry-run", "--as-of", "2099-01-01")

    assert status == 0
    assert "2098-12-31         2  Acme GmbH" in out
    assert "2 would take effect. Nothing was changed." in out
    assert not events().exists()
    assert not JobRun.objects.exists()


def test_as_of_leaves_what_was_due_later(operator):
    due(1, last_active_on=date(2020, 1, 31))
    due(1, last_active_on=date(2020, 2, 29))

    status, out, _ = command("--as-of", "2020-02-01")

    assert status == 0
    assert "As of 2020-02-01: 1 planned, 1 took effect" in out
    assert events().get().before["last_active_on"] == "2020-01-31"
    assert command("--as-of", "2020-02-29")[0] == 0
    assert events().count() == 1


def test_the_command_refuses_to_run_ahead(operator):
    due(1, last_active_on=date(2098, 12, 31))

    with pytest.raises(CommandError, match="future"):
        command("--as-of", "2099-01-01")


def committed(cast, count):
    with tenancy.tenant_transaction(cast.acme.pk):
        ended = {"state": "deactivation_scheduled", "last_active_on": date(2020, 1, 31), "active_since": SINCE}
        return [make.number(f"+49305{n:06}", **ended) for n in range(count)]  # in the proof more than make.py has


def as_ops(work, errors=None):
    """Do it in a connection of its own, as the worker does."""

    def inside():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE portal_ops")
            work()
        except Exception as error:  # noqa: BLE001 -- looked at by the test
            (errors if errors is not None else []).append(error)
        finally:
            connection.close()

    return threading.Thread(target=inside)


@pytest.fixture
def world(transactional_db, as_operator, request):
    with transaction.atomic():
        return request.getfixturevalue("cast")


@pytest.mark.django_db(transaction=True)
def test_rows_somebody_holds_are_skipped_and_the_command_says_so(world):
    held, _free = committed(world, 2)
    holds, let_go, said = threading.Event(), threading.Event(), []

    def hold():
        with tenancy.tenant_transaction(world.acme.pk):
            PhoneNumber.objects.locked([held.pk])
            holds.set()
            let_go.wait(20)

    holder, job = threading.Thread(target=lambda: (hold(), connection.close())), as_ops(lambda: said.append(command()))
    holder.start()
    holds.wait(20)
    job.start()
    job.join()
    let_go.set()
    holder.join()

    status, out, err = said[0]
    assert status == 1
    assert "2 planned, 1 took effect" in out
    assert "1 are still overdue" in err
    again = as_ops(lambda: said.append(command()))
    again.start()
    again.join()
    assert said[1][0] == 0


@pytest.mark.django_db(transaction=True)
def test_doubled_runs_beside_clicks_do_everything_once(world, monkeypatch, scale):
    """Four runs at once, and an administrator who activates the same overdue numbers meanwhile."""
    monkeypatch.setattr(effects, "BATCH", 7)
    count = scale(500)
    ids, errors = [number.pk for number in committed(world, count)], []

    def click():
        for number in ids[::3]:
            with tenancy.tenant_transaction(world.acme.pk, user_id=world.alice.pk):
                lifecycle.activate(
                    PhoneNumber.objects.locked([number]),
                    prices_seen={"standard": make.Decimal("2.90")},
                    by=world.alice,
                    at=NOW,
                )

    def admin():
        try:
            click()
        except Exception as error:  # noqa: BLE001 -- looked at below
            errors.append(error)
        finally:
            connection.close()

    threads = [as_ops(lambda: jobs.apply_deactivations(at=NOW), errors) for _ in range(4)]
    threads.append(threading.Thread(target=admin))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    with tenancy.tenant_transaction(world.acme.pk):
        assert sorted(events().values_list("object_id", flat=True)) == sorted(ids)
        assert set(events().values_list("before__last_active_on", flat=True)) == {"2020-01-31"}
        assert sorted(PhoneNumber.objects.active(NOW).values_list("pk", flat=True)) == sorted(ids[::3])
        assert not PhoneNumber.objects.due(NOW).exists()


def test_handovers_are_settled_once_and_leave_a_record(operator, as_operator):
    midnight = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    with tenancy.tenant_transaction(operator.acme.pk):
        number = make.number(state="active")
        member = make.member("Berta Baum", email="berta@acme.example")
        Assignment.objects.create(number=number, staff_member=member, from_at=midnight)

    assert jobs.apply_handovers(at=midnight - timedelta(seconds=1)).done == 0
    run = jobs.apply_handovers(at=midnight + timedelta(days=2))

    assert (run.job, run.planned, run.done, run.error) == ("apply_handovers", 1, 1, "")
    event = AuditEvent.objects.get(verb="number.assigned")
    assert (event.after["from_on"], event.request_id) == ("2027-01-01", f"job-{run.pk}")
    assert OutboxMessage.objects.get(template="numbers/assigned").recipient == "berta@acme.example"
    assert jobs.apply_handovers(at=midnight + timedelta(days=2)).done == 0
    assert jobs.overdue_handovers(at=midnight + timedelta(days=2)) == 0


def test_the_command_for_handovers_ends_with_0_when_nothing_is_overdue(operator):
    out = StringIO()

    call_command("apply_handovers", "--dry-run", stdout=out)
    call_command("apply_handovers", stdout=out)

    assert out.getvalue().splitlines() == ["0 hand-overs are due. Nothing was changed.", "0 planned, 0 took effect."]
