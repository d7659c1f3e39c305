"""Taking calls in: who held the number then, what is known already, what nobody can place (rules T1–T4)."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction

from numbers import call_jobs, call_lines, intake, purge
from numbers.models import CallKey, CallRecord, IntakeLine, NumberState, PhoneNumber, UsageTotal
from portal.models import AuditEvent
from portal.tenancy import tenant_transaction
from tests import calling, make
from tests.conftest import NOW


@pytest.fixture
def number(acme):
    calling.make_months()
    return make.number("+493023125010", state="active")


def test_take_stores_a_call_with_the_holder_of_that_moment(number):
    before, after = calling.person("Before Bauer"), calling.person("After Auer")
    change = calling.days_ago(10)
    calling.assign(number, before, calling.days_ago(60), change)
    calling.assign(number, after, change)

    counts = calling.take(
        calling.line(number, calling.days_ago(70), id="a"),
        calling.line(number, change - timedelta(microseconds=1), id="b"),
        calling.line(number, change, id="c"),
    )

    found = list(CallRecord.objects.order_by("started_at").values_list("holder", flat=True))
    assert counts == {"taken": 3}
    assert found == [None, before.pk, after.pk]


def test_take_knows_no_holder_of_a_shared_number(number):
    calling.assign(number, calling.person("One"), calling.days_ago(60), shared=True)
    calling.assign(number, calling.person("Two"), calling.days_ago(60), shared=True)

    calling.take(calling.line(number, calling.days_ago(1)))

    assert CallRecord.objects.get().holder is None


def test_take_ignores_and_counts_duplicates(number):
    line = calling.line(number, calling.days_ago(1))

    counts = [calling.take(line, line), calling.take(line), calling.take(line, source="other")]

    assert counts == [{"taken": 1, "duplicate": 1}, {"duplicate": 1}, {"taken": 1}]
    assert CallRecord.objects.count() == CallKey.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": "+493023125999"}, "unknown_number"),
        ({"number": "hello"}, "bad_number"),
        ({"id": ""}, "no_id"),
        ({"started_at": "2026-11-20T10:00:00"}, "bad_time"),
        ({"started_at": "yesterday"}, "bad_time"),
        ({"started_at": "2026-11-24T10:00:00+00:00"}, "future"),
        ({"direction": "sideways"}, "bad_line"),
        ({"talk": "-1"}, "bad_line"),
        ({"talk": "9" * 14}, "bad_line"),
        ({"peer": "drop table"}, "bad_peer"),
    ],
)
def test_take_puts_what_it_cannot_place_into_quarantine_with_the_reason(number, as_operator, change, reason):
    line = calling.line(number, calling.days_ago(1)) | change

    counts = [calling.take(line), calling.take(line)]

    assert counts == [{"quarantined": 1}, {"quarantined": 1}]
    assert not CallRecord.objects.exists()
    with as_operator():
        [kept] = IntakeLine.objects.all()
        assert (kept.reason, kept.line) == (reason, line)


def test_take_leaves_a_number_that_was_given_up_to_the_operator(number, as_operator):
    PhoneNumber.objects.update(state=NumberState.RETURNED)

    assert calling.take(calling.line(number, calling.days_ago(1))) == {"quarantined": 1}


def test_take_gives_a_call_to_whoever_held_the_number_then(cast, as_operator):
    """Returned by one tenant and given to another: the allocation that was open decides."""
    calling.make_months()
    with tenant_transaction(cast.acme.pk):
        make.number("+493023125010", state="active")
    calling.take(calling.line("+493023125010", calling.days_ago(40)))
    with tenant_transaction(cast.acme.pk):
        PhoneNumber.objects.update(state=NumberState.RETURNED)
    with tenant_transaction(cast.globex.pk):
        late = make.number("+493023125010", state="active")
        PhoneNumber.objects.filter(pk=late.pk).update(allocated_at=calling.days_ago(20))

    counts = calling.take(
        calling.line("+493023125010", calling.days_ago(30)), calling.line("+493023125010", calling.days_ago(10))
    )

    assert counts == {"taken": 1, "quarantined": 1}
    with as_operator():
        assert list(CallRecord.objects.order_by("started_at").values_list("tenant__slug", flat=True)) == [
            "acme",
            "globex",
        ]


def test_take_drops_what_is_too_old_to_be_kept(number):
    counts = calling.take(
        calling.line(number, calling.on("2026-07-31T21:59:59+00:00")),
        calling.line(number, calling.on("2026-07-31T22:00:00+00:00")),
    )

    assert counts == {"too_old": 1, "taken": 1}
    assert CallRecord.objects.get().started_at == calling.on("2026-07-31T22:00:00+00:00")


def test_try_again_places_a_call_whose_number_came_later(number, cast, as_operator):
    calling.take(calling.line("+493023125011", calling.days_ago(1)))
    make.number("+493023125011", state="active")

    with as_operator():
        assert intake.try_again(IntakeLine.objects.all(), by=cast.olga, at=NOW) == 1
        assert intake.sweep(at=NOW) == (1, {"taken": 1})
        assert intake.sweep(at=NOW) == (0, {})

        assert not IntakeLine.objects.exists()
        assert AuditEvent.objects.filter(verb="intake.tried_again", actor_id=cast.olga.pk).count() == 1
    assert CallRecord.objects.get().number.e164 == "+493023125011"


def test_sweep_takes_in_what_a_switch_delivered_and_keeps_what_cannot_be_placed(number, as_operator):
    good, bad = calling.line(number, calling.days_ago(1)), calling.line("+493023125999", calling.days_ago(1))
    with as_operator():
        assert intake.deliver([good, bad], source="switch", at=NOW) == 2
        intake.deliver([good, bad], source="switch", at=NOW)

        handled = intake.sweep(at=NOW)

        assert handled == (2, {"taken": 1, "quarantined": 1})
        assert [line.reason for line in IntakeLine.objects.all()] == ["unknown_number"]


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_import_calls_reads_files(number, tmp_path, capsys, as_operator, form):
    lines = [calling.line(number, calling.days_ago(1)), calling.line(number, calling.days_ago(2), peer="anonymous")]
    file = tmp_path / "calls"
    if form == "ndjson":
        file.write_text("\n".join(map(json.dumps, lines)) + "\nnot json\n")
    else:
        rows = [";".join(lines[0]), *(";".join(map(str, row.values())) for row in lines), "broken"]
        file.write_text("\ufeff" + "\n".join(rows))

    with as_operator(), pytest.raises(SystemExit) as left:
        call_command("import_calls", file, language="en")

    assert left.value.code == 1
    assert "2 taken in" in capsys.readouterr().out
    assert sorted(CallRecord.objects.values_list("peer", flat=True)) == ["", lines[0]["peer"]]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("030 23125012", "+493023125012"),
        ("+49 (0)30 23125-012", "+493023125012"),
        ("493023125012", "+493023125012"),
        ("00493023125012", "+493023125012"),
        ("112", "112"),
        ("*21#", "*21#"),
        ("Anonymous", ""),
        ("", ""),
    ],
)
def test_peers_are_stored_in_one_form(written, stored):
    assert call_lines.peer(written) == stored


def test_a_purged_interval_stays_empty_when_a_call_comes_late(number, cast):
    holder = calling.person()
    assignment = calling.assign(number, holder, calling.days_ago(20))
    calling.take(calling.line(number, calling.days_ago(5)))
    (locked,) = PhoneNumber.objects.locked([number.pk])
    purge.purge(locked, assignment, count_seen=1, notice=purge.NOTICE, by=cast.alice, at=NOW)

    counts = calling.take(calling.line(number, calling.days_ago(6)), calling.line(number, calling.days_ago(25)))

    assert counts == {"taken": 1, "purged": 1}
    assert CallRecord.objects.get().started_at == calling.days_ago(25)
    assert UsageTotal.objects.get().calls == 2


@pytest.mark.django_db(transaction=True)
def test_take_in_commits_batch_by_batch(cast, monkeypatch, as_operator):
    calling.make_months()
    with tenant_transaction(cast.acme.pk):
        number = make.number("+493023125010", state="active")
    monkeypatch.setattr(intake, "BATCH", 3)
    lines = [calling.line(number, calling.days_ago(1)) for _ in range(7)]

    with transaction.atomic(), as_operator():
        counts = call_jobs.take_in(lines, source="switch", at=NOW)

    assert counts == {"taken": 7}
    with tenant_transaction(cast.acme.pk):
        assert CallRecord.objects.count() == 7
