"""Random lives of numbers, lived with the real operations: nobody ever sees a call outside their interval.

Assigned, handed over on a later day, called off, taken back, swapped and purged, with calls that come in at once and
late. The oracle is plain Python: a list of intervals, of calls, and of what was purged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers import assignment, calls, holders, purge, reassign, swap
from numbers.models import CallRecord, PhoneNumber, Purge, UsageTotal
from numbers.outcomes import Result
from tests import calling, make
from tests.conftest import NOW, PROOF

HOURS = 24 * 20
BEGIN = NOW - timedelta(hours=HOURS + 1)
ACTS = ("assign", "assign", "plan", "call_off", "take_back", "swap", "call", "call", "call", "late", "purge", "purge")

STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.integers(0, 2), st.integers(1, 9)),
    min_size=5,
    max_size=30,
)


@dataclass
class Interval:
    number: int
    person: int
    begin: datetime
    until: datetime | None = None

    def covers(self, at):
        return self.begin <= at and (self.until is None or at < self.until)


class Life:
    """Three numbers, one of them inactive, three people, and a clock that moves on with every step."""

    def __init__(self, by):
        self.by, self.at = by, BEGIN
        states = ("active", "active", "inactive")
        self.numbers = [make.number(f"+49302312501{n}", state=state) for n, state in enumerate(states)]
        self.active = {0, 1}
        self.people = [calling.person(f"Person {place}") for place in range(3)]
        self.intervals: list[Interval] = []
        self.kept = {}  # source id: (number, at)
        self.purged = []  # (number, from, until)
        self.totalled = 0

    def step(self, act, number, person, hours):
        self.at = min(self.at + timedelta(hours=hours), NOW)
        getattr(self, act)(number, person, hours)

    def locked(self, *numbers):
        rows = {row.pk: row for row in PhoneNumber.objects.locked([self.numbers[n].pk for n in numbers])}
        return [rows[self.numbers[n].pk] for n in numbers]

    def present(self, number):
        return next((i for i in self.intervals if i.number == number and i.covers(self.at)), None)

    def ahead(self, number):
        return next((i for i in self.intervals if i.number == number and i.begin > self.at), None)

    def assign(self, number, person, hours):
        [outcome] = assignment.assign(self.locked(number), staff_member=self.people[person], by=self.by, at=self.at)
        assert (outcome.result == Result.DONE) is self.assigned(number, person)

    def assigned(self, number, person):
        """Note that a person gets a number now; return whether that is possible and new."""
        present, ahead = self.present(number), self.ahead(number)
        if number not in self.active or (present and present.person == person):
            return False
        if ahead and ahead.person == person:
            self.intervals.remove(ahead)
            ahead = None
        if present:
            present.until = self.at
        self.intervals.append(Interval(number, person, self.at, ahead.begin if ahead else None))
        return True

    def plan(self, number, person, hours):
        begin = self.at + timedelta(hours=5 * hours)
        [outcome] = assignment.assign(
            self.locked(number), staff_member=self.people[person], from_at=begin, by=self.by, at=self.at
        )
        present, ahead = self.present(number), self.ahead(number)
        same = present and present.person == person
        again = ahead and (ahead.person, ahead.begin) == (person, begin)
        assert (outcome.result == Result.DONE) is not bool(number not in self.active or same or again)
        if outcome.result == Result.DONE:
            self.drop(ahead)
            if present:
                present.until = begin
            self.intervals.append(Interval(number, person, begin))

    def call_off(self, number, person, hours):
        present, ahead = self.present(number), self.ahead(number)
        assignment.withdraw_handover(self.locked(number), by=self.by, at=self.at)
        self.drop(ahead)
        if ahead and present:
            present.until = None

    def take_back(self, number, person, hours):
        assignment.unassign(self.locked(number), by=self.by, at=self.at)
        self.end(number)

    def end(self, number):
        if present := self.present(number):
            present.until = self.at

    def drop(self, interval):
        if interval:
            self.intervals.remove(interval)

    def swap(self, number, person, hours):
        """An active number makes room for the inactive one: it loses its holder and what was planned, no call."""
        [new] = {0, 1, 2} - self.active
        if number in self.active:
            old, spare = self.locked(number, new)
            assert swap.swap(old, spare, by=self.by, at=self.at).result == Result.DONE
            self.active ^= {number, new}
            self.drop(self.ahead(number))
            self.end(number)

    def call(self, number, person, hours, at=None):
        at = at or self.at
        line = calling.line(self.numbers[number], at, peer=f"+492214710{len(self.kept):03}")
        counts = calling.take(line, at=self.at)
        if any(n == number and begin <= at < until for n, begin, until in self.purged):
            assert counts == {"purged": 1}
            self.totalled += 1
        else:
            assert counts == {"taken": 1}
            self.kept[line["id"]] = (number, at)

    def late(self, number, person, hours):
        """A call that comes in after its time, perhaps of an interval that is over or purged already."""
        self.call(number, person, hours, at=max(BEGIN, self.at - timedelta(hours=3 * hours)))

    def purge(self, number, person, hours):
        """Reassign a number with the tick set: the count that was shown goes, and nothing else."""
        present = self.present(number)
        if present is None or present.begin == self.at:
            return
        row = holders.present(self.at).get(number=self.numbers[number])
        gone = {key for key, (n, at) in self.kept.items() if n == number and present.begin <= at < self.at}
        shown = purge.preview(row, at=self.at).count
        assert shown == len(gone)
        before = CallRecord.objects.count()
        ticked = reassign.Ticked(row.pk, shown, purge.NOTICE)
        [locked] = self.locked(number)
        reassign.reassign([locked], to=self.people[person], ticked={locked.pk: ticked}, by=self.by, at=self.at)
        if self.assigned(number, person):
            assert before - CallRecord.objects.count() == shown == Purge.objects.order_by("-pk")[0].count
            for key in gone:
                del self.kept[key]
            self.purged.append((number, present.begin, self.at))
            self.totalled += shown
        else:
            assert before == CallRecord.objects.count()
        self.holds()

    def holds(self):
        """Everybody sees exactly the calls of their own intervals that were not purged."""
        for place, person in enumerate(self.people):
            expected = sorted(
                (self.numbers[number].e164, at)
                for number, at in self.kept.values()
                if any((i.number, i.person) == (number, place) and i.covers(at) for i in self.intervals)
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
    max_examples=200 if PROOF else 10,
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
