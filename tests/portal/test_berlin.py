from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import berlin

days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def test_a_day_begins_at_midnight_in_berlin():
    assert berlin.day(datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert berlin.day(datetime(2026, 6, 30, 22, 0, tzinfo=UTC)) == date(2026, 7, 1)
    assert berlin.begin(date(2026, 7, 1)) == datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
    assert berlin.begin(date(2026, 12, 1)) == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        berlin.day(datetime(2026, 6, 30, 12, 0))


def test_months_are_counted_over_the_turn_of_the_year():
    assert berlin.next_month(date(2026, 12, 31)) == date(2027, 1, 1)
    assert berlin.next_month(date(2026, 11, 30), 2) == date(2027, 1, 1)
    assert berlin.next_month(date(2026, 1, 31), -1) == date(2025, 12, 1)
    assert berlin.next_month(date(2026, 1, 31), 0) == date(2026, 1, 1)
    assert berlin.month(date(2026, 2, 28)) == date(2026, 2, 1)


@given(days, st.integers(-60, 60))
def test_months_there_and_back(on, count):
    there = berlin.next_month(on, count)

    assert there.day == 1
    assert berlin.next_month(there, -count) == berlin.month(on)


@given(days)
def test_a_day_begins_and_ends_with_its_neighbours(on):
    begin, following = berlin.begin(on), berlin.begin(on + timedelta(days=1))

    assert berlin.day(begin) == on
    assert berlin.day(begin - timedelta(microseconds=1)) == on - timedelta(days=1)
    assert following.astimezone(UTC) - begin.astimezone(UTC) in [timedelta(hours=hours) for hours in (23, 24, 25)]
    assert berlin.inactive_from(on) == following
