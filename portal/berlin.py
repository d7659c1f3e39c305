"""The calendar of the house: days and months are those of Europe/Berlin (rules C1 and C2)."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


def day(at: datetime) -> date:
    """Return the Berlin calendar day of an aware instant."""
    if at.tzinfo is None:
        raise ValueError("An instant needs its time zone.")
    return at.astimezone(BERLIN).date()


def begin(on: date) -> datetime:
    """Return the instant at which a Berlin day begins."""
    return datetime.combine(on, time.min, tzinfo=BERLIN)


def month(on: date) -> date:
    """Return the first day of the month."""
    return on.replace(day=1)


def next_month(on: date, count: int = 1) -> date:
    """Return the first day of the month `count` months later (or, negative, earlier)."""
    months = on.year * 12 + on.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def end_of_following_month(at: datetime) -> date:
    """Return the last active day of a deactivation requested at this instant: the end of the month after (rule C1)."""
    return next_month(day(at), 2) - timedelta(days=1)


def inactive_from(last_active_on: date) -> datetime:
    """Return the instant from which a number with that last active day is inactive (exclusive end, rule C1)."""
    return begin(last_active_on + timedelta(days=1))
