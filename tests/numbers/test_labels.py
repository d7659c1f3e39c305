from datetime import UTC, date, datetime

import pytest
from django.db import connection

from numbers import labels, notation
from numbers.models import NumberSearch, PhoneNumber, Usage
from numbers.outcomes import Outcome, Reason, Result
from portal.models import AuditEvent
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def change(acme, number, **fields):
    locked = PhoneNumber.objects.locked([number.pk])[0]
    wanted = {"label": number.label, "note": number.note, "usage": Usage(number.usage)} | fields
    return labels.change(locked, **wanted, by=acme.alice, at=NOW)


def found(term):
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_numbers(%s, 100)", [notation.search_text(term).split()])
        return [row[0] for row in cursor]


def test_change_sets_what_differs_and_leaves_a_trace_of_it(acme):
    number = make.number(label="Empfang")

    outcome = change(acme, number, label="Größe Süd", usage=Usage.CONFERENCE)

    assert outcome == Outcome(number.pk, Result.DONE)
    number.refresh_from_db()
    assert (number.label, number.usage, number.note) == ("Größe Süd", "conference", "")
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor) == ("number.changed", acme.alice)
    assert event.before == {"label": "Empfang", "usage": "voice"}
    assert event.after == {"label": "Größe Süd", "usage": "conference"}


def test_change_to_the_same_leaves_no_trace(acme):
    number = make.number(label="Empfang")

    assert change(acme, number) == Outcome(number.pk, Result.UNCHANGED)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("state", ["returned", "ported_out"])
def test_change_refuses_what_left_the_inventory(acme, state):
    number = make.number(state=state)

    assert change(acme, number, label="x") == Outcome(number.pk, Result.REFUSED, Reason.GONE)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("state", ["inactive", "active", "port_in_pending"])
def test_change_works_in_every_other_state(acme, state):
    assert change(acme, make.number(state=state), note="x").result == Result.DONE


def test_change_of_an_overdue_number_leaves_its_date_to_the_job(acme):
    number = make.number(state="deactivation_scheduled", last_active_on=date(2026, 10, 31))

    change(acme, number, label="x")

    assert PhoneNumber.objects.due(NOW).get().label == "x"


@pytest.mark.parametrize(
    "term",
    ["030 / 23125-012", "23125012", "+49 30 23125", "0049 30 23125-012", "berlin", "grosse", "GRÖSSE", "süd", "SUD b"],
)
def test_a_number_is_found_by_any_notation_area_and_label(acme, term):
    number = make.number("+493023125012")
    make.number("+494066969200", area_code="40", label="Hafen")

    change(acme, number, label="Größe Süd")

    assert found(term) == [number.pk]


def test_a_number_is_no_longer_found_by_its_old_label(acme):
    number = make.number(label="Empfang")
    assert found("empfang") == [number.pk]

    change(acme, number, label="Zentrale")

    assert found("empfang") == []


def test_index_writes_one_row_per_number(acme):
    number = make.number(label="Empfang")

    labels.index([number])

    assert NumberSearch.objects.count() == 1
