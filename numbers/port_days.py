"""The calendar of a port order as its pages show it: months with the days that can be asked for (rule P3)."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import written
from numbers import port_calendar
from portal import berlin

OPEN = 2  # months that are unfolded
_DAY_AND_MONTH = "d.m."
_DAY = timedelta(days=1)


def day(on: date | None) -> str:
    """Return a day as it is written, with the day of the week."""
    return f"{date_format(on, 'D')}, {date_format(on, 'SHORT_DATE_FORMAT')}" if on else ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar: `why` says in a word why it cannot be chosen, and is empty if it can."""

    on: date
    why: str
    rest: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar in weeks from Monday on; None where a week belongs to another month.

    `notes` say in words which working days cannot be chosen, and why.
    """

    name: str
    weeks: list[list[Day | None]]
    notes: list[str]
    open: bool


@dataclass(frozen=True, slots=True)
class _Span:
    """The days that can be chosen; `deadline` if the old contract ends them, not the 180 days."""

    first: date
    last: date
    deadline: bool


def calendar(today: date, chosen: date | None, *, last: date | None = None) -> list[Month]:
    """Return the months in which a date can be asked for today; the first two and that of the chosen day are open.

    `last` is the deadline of the old contract, if it ends. Nothing is left if that is too near.
    """
    first, latest = port_calendar.earliest(today), port_calendar.latest(today)
    span = _Span(first, min(last or latest, latest), last is not None and last < latest)
    months: list[Month] = []
    month = berlin.month(first)
    while first <= span.last and month <= span.last:
        is_open = len(months) < OPEN or (chosen is not None and berlin.month(chosen) == month)
        months.append(Month(written.month_name(month), _weeks(month, span, chosen), _notes(month, span), is_open))
        month = berlin.next_month(month)
    return months


def weekdays() -> list[tuple[str, str]]:
    """Return the days of a week from Monday on, short and in full."""
    return [(str(WEEKDAYS_ABBR[n]), str(WEEKDAYS[n])) for n in range(7)]


def _notes(month: date, span: _Span) -> list[str]:
    """Return in words which working days of a month cannot be chosen, and why."""
    days = _days_of(month)
    off = [on for on in days if port_calendar.holiday(on) and on.isoweekday() <= 5]
    notes = [f"{_short(on)} {port_calendar.holiday(on)}" for on in off]
    if days[0] < span.first:
        text = _("until %s too early: the old provider needs at least seven working days")
        notes.insert(0, text % _short(span.first - _DAY))
    if days[-1] > span.last:
        ended = _("from %s on too late: porting is possible until one month after the contract ends")
        far = _("from %s on too far ahead: at most 180 days are possible")
        notes.append((ended if span.deadline else far) % _short(span.last + _DAY))
    return notes


def _short(on: date) -> str:
    return str(date_format(on, _DAY_AND_MONTH))


def _weeks(month: date, span: _Span, chosen: date | None) -> list[list[Day | None]]:
    days: list[Day | None] = [None] * (month.isoweekday() - 1)
    days += [_day(on, span, chosen) for on in _days_of(month)]
    days += [None] * (-len(days) % 7)
    return [days[at : at + 7] for at in range(0, len(days), 7)]


def _days_of(month: date) -> list[date]:
    return [month.replace(day=n) for n in range(1, (berlin.next_month(month) - month).days + 1)]


def _day(on: date, span: _Span, chosen: date | None) -> Day:
    return Day(on, _why(on, span), not port_calendar.is_working_day(on), on == chosen)


def _why(on: date, span: _Span) -> str:
    if name := port_calendar.holiday(on):
        return name
    if on.isoweekday() > 5:
        return _("weekend")
    if on < span.first:
        return _("too early")
    return _("too late") if on > span.last else ""
