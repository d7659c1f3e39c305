"""Random lives of numbers: whatever is assigned, handed over, ended, purged, nobody sees calls outside their interval.

The oracle is a list of (number, person, from, until) and of calls, kept in plain Python.
"""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers import calls, purge
from numbers.models import Assignment, CallRecord, PhoneNumber, UsageTotal
from tests import calling, make
from tests.conftest import NOW, PROOF

HOURS = 24 * 20
BEGIN = NOW - timedelta(hours=HOURS + 1)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("assign", "assign", "end", "call", "call", "call", "late", "purge", "purge", "ahead")),
        st.integers(0, 1),
        st.integers(0, 2),
        st.integers(1, 9),
    ),
    min_size=5,
    max_size=30,
)


class Life:
    """Two numbers, three people, a clock that moves; `intervals` and `kept` are what should be."""

    def __init__(self, by):
        self.by, self.at = by, BEGIN
        self.numbers = [make.number(f"+49302312501{place}", state="active") for place in range(2)]
        self.people = [calling.person(f"Person {place}") for place in range(3)]
        self.open = {}
        self.intervals = []  # [number, person, from, until]
        self.kept = {}  # source id: (number, at)
        self.purged = []  # (number, from, until)
        self.totalled = 0

    def step(self, act, number, person, hours):
        self.at = min(self.at + timedelta(hours=hours), NOW)
        getattr(self, act)(number, person, hours)

    def assign(self, number, person, hours, begin=None):
        begin = begin or self.at
        self.end(number, person, hours, at=begin)
        if begin > self.intervals_end(number):
            row = calling.assign(self.numbers[number], self.people[person], begin)
            self.open[number] = row
            self.intervals.append([number, person, begin, None])

    def intervals_end(self, number):
        return max(
            (until or begin for n, _, begin, until in self.intervals if n == number), default=BEGIN - timedelta(1)
        )

    def ahead(self, number, person, hours):
        """A hand-over that begins later: until then the present holder's interval goes on."""
        self.assign(number, person, hours, begin=self.at + timedelta(hours=hours))

    def end(self, number, person, hours, at=None):
        row, at = self.open.get(number), at or self.at
        if row and row.from_at < at:
            Assignment.objects.filter(pk=row.pk).update(until_at=at)
            [interval] = [i for i in self.intervals if i[0] == number and i[3] is None]
            interval[3] = at
            del self.open[number]

    def call(self, number, person, hours, at=None):
        at = at or self.at
        line = calling.line(self.numbers[number], at, peer=f"+492214710{len(self.kept):03}")
        counts = calling.take(line)
        if any(n == number and begin <= at < until for n, begin, until in self.purged):
            assert counts == {"purged": 1}
            self.totalled += 1
        else:
            assert counts == {"taken": 1}
            self.kept[line["peer"], line["id"]] = (number, at)

    def late(self, number, person, hours):
        """A call that comes in after its time, perhaps of an interval that is purged already."""
        self.call(number, person, hours, at=max(BEGIN, self.at - timedelta(hours=3 * hours)))

    def purge(self, number, person, hours):
        row = self.open.get(number)
        if row is None or row.from_at >= self.at:
            return
        row.refresh_from_db()
        gone = {k for k, (n, at) in self.kept.items() if n == number and row.from_at <= at < self.at}
        shown = purge.preview(row, at=self.at).count
        (locked,) = PhoneNumber.objects.locked([self.numbers[number].pk])
        done = purge.purge(locked, row, count_seen=shown, notice=purge.NOTICE, by=self.by, at=self.at)
        assert done.count == shown == len(gone)
        for key in gone:
            del self.kept[key]
        self.purged.append((number, row.from_at, self.at))
        self.totalled += len(gone)

    def holds(self):
        """Everybody sees exactly the calls of their own intervals that were not purged."""
        for place, person in enumerate(self.people):
            expected = sorted(
                (self.numbers[number].e164, at)
                for number, at in self.kept.values()
                if any(
                    n == number and p == place and begin <= at and (until is None or at < until)
                    for n, p, begin, until in self.intervals
                )
            )
            seen = sorted(calls.of_person(person).values_list("number__e164", "started_at"))
            assert seen == expected
        assert CallRecord.objects.count() == len(self.kept)
        assert sum(UsageTotal.objects.values_list("calls", flat=True)) == self.totalled


@pytest.fixture
def world(acme):
    calling.make_months()
    return acme


@given(steps=STEPS)
@settings(
    max_examples=200 if PROOF else 8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_holder_sees_a_call_outside_their_interval_and_a_purge_takes_exactly_its_own(world, steps):
    with transaction.atomic():
        life = Life(world.alice)
        for step in steps:
            life.step(*step)
        life.holds()
        transaction.set_rollback(True)
