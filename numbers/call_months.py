"""The months that calls are stored in: a partition each, made ahead and dropped by functions of the database's owner.

| who        | may                                                                      |
|------------|--------------------------------------------------------------------------|
| `portal_app` | read and delete calls of its tenant, through the parent alone          |
| `portal_ops` | also ask for a month to be made, or dropped where nothing holds it (T4) |
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection

from portal import berlin

AHEAD = 3  # months, so that a month's beginning never waits for a job
_LISTED = """
SELECT to_date(right(relname, 7), 'YYYY_MM') FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'public.numbers_callrecord'::regclass ORDER BY 1
"""


def of(at: datetime) -> date:
    """Return the first day of the Berlin month of an instant."""
    return berlin.month(berlin.day(at))


def bounds(month: date) -> tuple[datetime, datetime]:
    """Return the instants at which a month begins and ends (exclusive)."""
    return berlin.begin(month), berlin.begin(berlin.next_month(month))


def present() -> list[date]:
    """Return the months there is a partition for, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_LISTED)
        return [month for (month,) in cursor.fetchall()]


def ensure(months: Iterable[date]) -> int:
    """Make the months that are missing and return how many were. Needs the operator's role."""
    missing = sorted(set(months) - set(present()))
    return sum(_ask("create_call_month", month) for month in missing)


def ahead(at: datetime) -> list[date]:
    """Return the month of an instant, the one before and those that must be there in advance."""
    return [berlin.next_month(of(at), count) for count in range(-1, AHEAD + 1)]


def drop(month: date) -> bool:
    """Drop a month that is due for every tenant with calls in it and that nobody disputes; return whether it went.

    What has to stay makes the database's function refuse, whatever the caller thinks. Needs the operator's role.
    """
    return _ask("drop_call_month", month)


def _ask(function: str, month: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [month])
        return bool(cursor.fetchone()[0])
