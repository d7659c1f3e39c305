"""Rules C1 and C2 against an oracle that knows no time zone data: UTC arithmetic and the EU's rule for summer time."""

import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from portal import berlin
from tests import oracle

TABLE = [  # rule C2: request, last active day, inactive from
    ("2026-01-31T22:59:00Z", "2026-02-28", "2026-02-28T23:00:00Z"),
    ("2026-01-31T23:00:00Z", "2026-03-31", "2026-03-31T22:00:00Z"),
    ("2026-02-28T23:30:00Z", "2026-04-30", "2026-04-30T22:00:00Z"),
    ("2026-10-31T22:59:59Z", "2026-11-30", "2026-11-30T23:00:00Z"),
    ("2026-10-31T23:00:00Z", "2026-12-31", "2026-12-31T23:00:00Z"),
    ("2026-11-30T12:00:00Z", "2026-12-31", "2026-12-31T23:00:00Z"),
    ("2026-12-31T23:30:00Z", "2027-02-28", "2027-02-28T23:00:00Z"),
    ("2027-12-31T23:30:00Z", "2028-02-29", "2028-02-29T23:00:00Z"),
    ("2028-01-10T12:00:00Z", "2028-02-29", "2028-02-29T23:00:00Z"),
]
ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati")


def check(at):
    last_active_on = berlin.end_of_following_month(at)
    inactive_from = berlin.inactive_from(last_active_on).astimezone(UTC)
    found = (last_active_on.timetuple()[:3], inactive_from.strftime("%Y-%m-%dT%H:%M:%SZ"))
    last = oracle.end_of_following_month(at)
    assert found == (last, oracle.inactive_from(last)), at


def instants(count, seed):
    """Random instants of 60 years, half of them within two hours of the end of a month or of a change of the clock."""
    rng = random.Random(seed)
    for place in range(count):
        year, month = rng.randrange(2000, 2060), rng.randrange(1, 13)
        if place % 2:
            around = datetime(year, month, oracle.last_day(year, month), 23, tzinfo=UTC)
            if place % 4 == 1:
                month = rng.choice((3, 10))
                around = datetime(year, month, oracle.last_sunday(year, month), 1, tzinfo=UTC)
            yield around + timedelta(microseconds=rng.randrange(-7_200_000_000, 7_200_000_000))
        else:
            yield datetime(year, 1, 1, tzinfo=UTC) + timedelta(microseconds=rng.randrange(365 * 86_400_000_000))


def prove(count, seed):
    """Check the table and that many random instants; return how many were checked."""
    for requested, last_active_on, inactive_from in TABLE:
        at = datetime.fromisoformat(requested)
        check(at)
        assert berlin.end_of_following_month(at) == date.fromisoformat(last_active_on)
        assert berlin.inactive_from(date.fromisoformat(last_active_on)) == datetime.fromisoformat(inactive_from)
    for at in instants(count, seed):
        check(at)
    return len(TABLE) + count


@pytest.mark.parametrize("zone", ZONES)
def test_the_calendar_holds_wherever_the_machine_stands(scale, zone):
    """A process of its own per zone, for the zone of a running one would be that of its start."""
    count, seed = scale(10_000), random.randrange(2**32)
    print(f"random seed {seed}")
    program = (
        "import json, sys, runpy, time; space = runpy.run_path(sys.argv[1]);"
        "print(json.dumps([time.strftime('%z'),"
        " space['prove'](int(sys.argv[2]), 20260101) + space['prove'](int(sys.argv[2]), int(sys.argv[3]))]))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, __file__, str(count), str(seed)],
        env=os.environ | {"TZ": zone, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    offset, checked = json.loads(said.stdout)
    assert checked == 2 * (count + len(TABLE))
    assert (offset == "+0000") == (zone == "UTC")


@pytest.mark.parametrize("zone", ZONES)
def test_an_instant_is_the_same_in_every_notation(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for at in instants(200, seed=7):
            assert berlin.day(at.astimezone()) == berlin.day(at)
            assert berlin.end_of_following_month(at.astimezone()) == berlin.end_of_following_month(at)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_oracle_knows_the_changes_of_the_clock():
    assert [oracle.last_sunday(year, 3) for year in (2024, 2025, 2026, 2027, 2028)] == [31, 30, 29, 28, 26]
    assert [oracle.last_sunday(year, 10) for year in (2024, 2025, 2026, 2027, 2028)] == [27, 26, 25, 31, 29]
