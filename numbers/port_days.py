"""The calendar of a port order as its pages show it: months with the days that can be asked for (rule P3)."""

from dataclasses import dataclass
from datetime import date

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format

from billing import written
from numbers import port_calendar
from portal import berlin

OPEN = 2  # months that are unfolded
_DAY_AND_MONTH = "d.m."


def day(on: date | None) -> str:
    """Return a day as it is written, with the day of the week."""
    return f"{date_format(on, 'D')}, {date_format(on, 'SHORT_DATE_FORMAT')}" if on else ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar: `why` says why it cannot be chosen, and is empty if it can."""

    on: date
    why: str
    rest: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar in weeks from Monday on; None where a week belongs to another month."""

    name: str
    weeks: list[list[Day | None]]
    holidays: list[str]
    open: bool


def calendar(today: date, chosen: date | None) -> list[Month]:
    """Return the months in which a date can be asked for today; the first two and that of the chosen day are open."""
    first, last = port_calendar.earliest(today), port_calendar.latest(today)
    months: list[Month] = []
    month = berlin.month(first)
    while month <= last:
        is_open = len(months) < OPEN or (chosen is not None and berlin.month(chosen) == month)
        off = [day for day in _days_of(month) if port_calendar.holiday(day) and day.isoweekday() <= 5]
        named = [f"{date_format(day, _DAY_AND_MONTH)} {port_calendar.holiday(day)}" for day in off]
        months.append(Month(written.month_name(month), _weeks(month, today, chosen), named, is_open))
        month = berlin.next_month(month)
    return months


def weekdays() -> list[tuple[str, str]]:
    """Return the days of a week from Monday on, short and in full."""
    return [(str(WEEKDAYS_ABBR[n]), str(WEEKDAYS[n])) for n in range(7)]


def _weeks(month: date, today: date, chosen: date | None) -> list[list[Day | None]]:
    days: list[Day | None] = [None] * (month.isoweekday() - 1)
    days += [_day(on, today, chosen) for on in _days_of(month)]
    days += [None] * (-len(days) % 7)
    return [days[at : at + 7] for at in range(0, len(days), 7)]


def _days_of(month: date) -> list[date]:
    return [month.replace(day=n) for n in range(1, (berlin.next_month(month) - month).days + 1)]


def _day(on: date, today: date, chosen: date | None) -> Day:
    why = port_calendar.refusal(on, today=today)
    rest = not port_calendar.is_working_day(on)
    return Day(on, port_calendar.holiday(on) or (str(why) if why else ""), rest, on == chosen)
