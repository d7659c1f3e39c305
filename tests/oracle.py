"""The calendar once more, written without any time zone data: UTC arithmetic and the EU's rule for summer time."""

from datetime import date, timedelta

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def last_day(year, month):
    leap = month == 2 and ((year % 4 == 0 and year % 100 != 0) or year % 400 == 0)
    return DAYS[month - 1] + leap


def last_sunday(year, month):
    """Zeller's congruence for the weekday, counted back from the end of the month."""
    day = last_day(year, month)
    shifted_year, shifted_month = (year, month) if month > 2 else (year - 1, month + 12)
    weekday = day + 13 * (shifted_month + 1) // 5 + shifted_year + shifted_year // 4 - shifted_year // 100
    return day - ((weekday + shifted_year // 400) % 7 - 1) % 7  # 0 is a Saturday


def summer(utc):
    """Whether a UTC (year, month, day, hour) lies between one o'clock UTC of the two last Sundays."""
    return (utc[0], 3, last_sunday(utc[0], 3), 1) <= utc < (utc[0], 10, last_sunday(utc[0], 10), 1)


def day(at):
    """Return the Berlin (year, month, day) of a UTC datetime."""
    year, month, day, hour = at.year, at.month, at.day, at.hour
    if hour + (2 if summer((year, month, day, hour)) else 1) < 24:
        return year, month, day
    if day < last_day(year, month):
        return year, month, day + 1
    return (year, month + 1, 1) if month < 12 else (year + 1, 1, 1)


def end_of_following_month(at):
    """Return the (year, month, day) of the last active day of a deactivation requested then."""
    year, month, _ = day(at)
    year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return year, month, last_day(year, month)


def inactive_from(last):
    """Return the UTC instant, as text, at which the day after the last of a month begins in Berlin."""
    year, month, number = last
    hour = 22 if 3 <= month <= 9 else 23  # summer time has begun by the end of March and ended by that of October
    return f"{year:04}-{month:02}-{number:02}T{hour}:00:00Z"


def as_date(triple):
    return date(*triple)


def days_of(first, until):
    """Return the days from `first` on and before `until`."""
    return [first + timedelta(days=n) for n in range((until - first).days)]
