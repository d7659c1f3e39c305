"""Rule C3: past its last active day a number is inactive for every reader, whether or not the job has run."""

import inspect
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from billing import costs
from numbers import jobs, rows
from numbers.models import NumberState, PhoneNumber
from numbers.models.number import PhoneNumberQuerySet
from portal import berlin, tenancy
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LAST = date(2026, 10, 31)
END = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)  # the first instant after it, in Berlin
TRACE = re.compile(r'<ol class="p-events p-trace">.*?</ol>|<p class="p-sub">Noch nichts.</p>', re.DOTALL)
TICK = timedelta(microseconds=1)
# What every reader says of it, on its last day and afterwards.
READERS = {
    "held": (True, True),
    "active": (True, False),
    "scheduled": (True, False),
    "unscheduled": (False, False),
    "inactive": (False, True),
    "due": (False, True),
}
NOT_READERS = {"locked", "by_day"}


@pytest.fixture
def number(acme):
    return make.number(
        "+493023125012", state="deactivation_scheduled", last_active_on=LAST, active_since=date(2026, 3, 1)
    )


def says(reader, at):
    method = getattr(PhoneNumber.objects, reader)
    return (method() if reader == "held" else method(at)).exists()


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_changes_its_mind_at_midnight_in_berlin(number, reader):
    assert (says(reader, END - TICK), says(reader, END)) == READERS[reader]
    assert says(reader, NOW) == READERS[reader][1]


def test_no_reader_was_forgotten():
    own = {
        name
        for name, method in vars(PhoneNumberQuerySet).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }

    assert own - NOT_READERS == set(READERS)


def test_the_row_itself_says_the_same(number):
    assert [number.state_at(at) for at in (END - TICK, END)] == [
        NumberState.DEACTIVATION_SCHEDULED,
        NumberState.INACTIVE,
    ]
    assert [number.works_until(at) for at in (END - TICK, END)] == [LAST, None]
    assert [number.is_due(at) for at in (END - TICK, END)] == [False, True]


def test_the_job_changes_no_answer(acme, number, as_operator):
    before = {reader: says(reader, NOW) for reader in READERS if reader != "due"}
    cost = costs.bills(date(2026, 9, 1), 6, of=costs.places(), at=costs.versions())

    with as_operator():
        jobs.apply_deactivations(at=NOW)

    assert {reader: says(reader, NOW) for reader in before} == before
    assert costs.bills(date(2026, 9, 1), 6, of=costs.places(), at=costs.versions()) == cost
    assert [bill.slots for bill in cost] == [1, 1, 0, 0, 0, 0]


def pages():
    return [reverse(f"numbers:{name}") for name in ("dashboard", "upcoming", "overview", "export", "swap")] + [
        reverse("billing:costs")
    ]


@pytest.mark.parametrize("page", pages())
def test_every_page_says_the_same_before_and_after_the_job(cast, as_operator, sign_in, page):
    """The page of an overdue number is, line by line, that of an inactive one."""
    today = berlin.day(datetime.now(tz=UTC))
    with tenancy.tenant_transaction(cast.acme.pk):
        last = today.replace(day=1) - timedelta(days=1)
        make.number("+493023125012", state="deactivation_scheduled", last_active_on=last, active_since=date(2026, 3, 1))
        make.number("+493023125013", state="active", active_since=date(2026, 3, 1))
    cast.alice.preferences = {"number_columns": list(rows.COLUMNS)}
    cast.alice.save()
    client = sign_in(cast.alice)
    make.just_signed_in(client, cast.alice)

    before = shown(client, page)
    with as_operator():
        assert jobs.apply_deactivations(at=datetime.now(tz=UTC)).done == 1
    after = shown(client, page)

    assert before == after


def shown(client, page):
    """Return the lines of a page but for tokens and the trace, in which the job leaves its event."""
    answer = client.get(page)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
    text = TRACE.sub("", text)
    return [line for line in text.splitlines() if line.strip() and "csrf" not in line and "operation_id" not in line]
