"""Deleting calls: first their usage is totalled per number and month, without peers, in the same statement (T2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from numbers.models import CallRecord, UsageTotal
from portal import berlin, tenancy

_PURGE = """
WITH gone AS (
    DELETE FROM numbers_callrecord WHERE {where}
    RETURNING tenant_id, number_id, started_at, talk_seconds, cost_micro
), totalled AS (
    INSERT INTO numbers_usagetotal AS total (tenant_id, number_id, month, calls, talk_seconds, cost_micro)
    SELECT tenant_id, number_id, date_trunc('month', started_at AT TIME ZONE 'Europe/Berlin')::date,
           count(*), sum(talk_seconds), sum(cost_micro)
    FROM gone GROUP BY 1, 2, 3
    ON CONFLICT (tenant_id, number_id, month) DO UPDATE SET calls = total.calls + excluded.calls,
        talk_seconds = total.talk_seconds + excluded.talk_seconds, cost_micro = total.cost_micro + excluded.cost_micro
)
SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls came to, without their peers."""

    calls: int
    talk_seconds: int
    cost_micro: int


def purge_interval(*, number_id: int, holder_id: int, from_at: datetime, until_at: datetime) -> int:
    """Total and delete the calls of a number that one person had within [from_at, until_at); return how many."""
    return _purge(
        "tenant_id = %s AND number_id = %s AND holder_id = %s AND started_at >= %s AND started_at < %s",
        [tenancy.current(), number_id, holder_id, from_at, until_at],
    )


def purge_person(*, holder_id: int, held: Sequence[tuple[int | None, date]]) -> int:
    """Total and delete every call a person had but those that a dispute holds (number or None, month)."""
    where = ["tenant_id = %s", "holder_id = %s"]
    parameters: list[Any] = [tenancy.current(), holder_id]
    for number_id, month in held:
        within = "started_at >= %s AND started_at < %s"
        where.append(f"NOT ({within} AND (%s::bigint IS NULL OR number_id = %s))")
        parameters += [berlin.begin(month), berlin.begin(berlin.next_month(month)), number_id, number_id]
    return _purge(" AND ".join(where), parameters)


def add(usages: Sequence[tuple[int, int, date, Usage]]) -> None:
    """Add usage of calls that are not stored to the totals: (tenant, number, month, usage) each."""
    rows = [(tenant, number, month, u.calls, u.talk_seconds, u.cost_micro) for tenant, number, month, u in usages]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO numbers_usagetotal AS total (tenant_id, number_id, month, calls, talk_seconds, cost_micro)"
            " SELECT t, n, m, sum(c), sum(s), sum(e) FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::int[],"
            " %s::bigint[], %s::bigint[]) AS given (t, n, m, c, s, e) GROUP BY 1, 2, 3"
            " ON CONFLICT (tenant_id, number_id, month) DO UPDATE SET calls = total.calls + excluded.calls,"
            " talk_seconds = total.talk_seconds + excluded.talk_seconds,"
            " cost_micro = total.cost_micro + excluded.cost_micro",
            [list(column) for column in zip(*rows, strict=True)],
        )


def of_number(number_id: int, month: date) -> Usage:
    """Return what all calls of a number in a month came to, those included that were purged."""
    begin, end = berlin.begin(month), berlin.begin(berlin.next_month(month))
    found = CallRecord.objects.filter(number=number_id, started_at__gte=begin, started_at__lt=end).aggregate(
        calls=Count("pk"), talk=Sum("talk_seconds"), cost=Sum("cost_micro")
    )
    gone = UsageTotal.objects.filter(number=number_id, month=month).first() or UsageTotal(
        calls=0, talk_seconds=0, cost_micro=0
    )
    return Usage(
        found["calls"] + gone.calls, (found["talk"] or 0) + gone.talk_seconds, (found["cost"] or 0) + gone.cost_micro
    )


def _purge(where: str, parameters: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_PURGE.format(where=where), list(parameters))
        return int(cursor.fetchone()[0])
