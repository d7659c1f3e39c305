"""Two million calls in two months that are due: a page of a number, a purge, and the drop of a month, measured."""

import re
import statistics
import time
from datetime import date, datetime, timedelta

import psycopg
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from bench import world
from bench.result import Result
from numbers import call_months, calls, itemisation, purge
from numbers.itemisation import Span
from numbers.models import Assignment, CallRecord, PhoneNumber
from portal import berlin
from portal.models import User
from portal.tenancy import every_tenant, tenant_transaction
from staff.models import StaffMember

CALLS, OF_NUMBER = 2_000_000, 5_000  # in all; of the number that is looked at, half of them in each month
PURGED, ROUNDS = 1_000, 10  # calls of each interval that is purged
AGO = (-6, -5)  # both months are due for every tenant: the law ends after six
_MANY = """
INSERT INTO numbers_callrecord (tenant_id, number_id, direction, peer, reverse_charged, started_at, ring_seconds,
                                talk_seconds, result, cost_micro)
SELECT n.tenant_id, n.id, 'out', '+49999' || lpad((g %% 10000000)::text, 7, '0'), false,
       %(begin)s::timestamptz + random() * (%(end)s::timestamptz - %(begin)s::timestamptz), 5, 60, 'answered', 20000
FROM generate_series(1, %(count)s) AS g JOIN numbers_phonenumber AS n
ON n.id = coalesce(%(number)s, 1 + (g::bigint * 7919) %% (SELECT max(id) FROM numbers_phonenumber))
"""


def measure(admin_url: str, by: User) -> list[Result]:
    """Fill two months and measure; the older one is gone afterwards."""
    at = timezone.now()
    months = [berlin.next_month(call_months.of(at), ago) for ago in AGO]
    with every_tenant(), transaction.atomic():
        call_months.ensure(months)
        rows = PhoneNumber.objects.filter(tenant_id=world.MIDDLE).order_by("id")
        number, other = rows[0], rows[1]
    with psycopg.connect(make_conninfo(admin_url, dbname="portal"), autocommit=True) as db:
        db.execute("SET session_replication_role = replica")  # checked row by row it would take an hour
        db.execute("TRUNCATE numbers_callrecord, numbers_assignment, numbers_purge, numbers_usagetotal")
        for month in months:
            begin, end = call_months.bounds(month)
            shape = {"begin": begin, "end": end}
            db.execute(_MANY, shape | {"count": (CALLS - OF_NUMBER) // 2, "number": None})
            db.execute(_MANY, shape | {"count": OF_NUMBER // 2, "number": number.pk})
        db.execute("VACUUM (ANALYZE) numbers_callrecord")
    total = int(_scalar("SELECT count(*) FROM numbers_callrecord"))
    queries, plan, page = _page(number, months, by, at)
    purged = _purge(other, months[1], by, at)
    dropped, drop = _drop(months[0])
    wrong = _past_the_index(plan)
    index = "the number's index"
    return [
        Result(f"50 of a number's calls, of {total / 1e6:.1f} million: statements", str(queries), "≤ 4", queries <= 4),
        Result("their plan", "; ".join(wrong) or index, index, not wrong),
        Result("their time, from the first statement to the last", f"{page:.1f} ms", "≤ 50 ms", page <= 50),
        Result(f"purge of {PURGED:,} calls of a number and person", f"{purged:.0f} ms", "< 100 ms", purged < 100),
        Result(f"lock of the drop of a month of {dropped:,} calls", f"{drop:.0f} ms", "< 1,000 ms", drop < 1000),
    ]


def _past_the_index(plan: str) -> list[str]:
    """Return how rows of calls are read otherwise than by number and time; an empty month may be read as it likes."""
    scans = [line.strip() for line in plan.splitlines() if re.search(r"Scan .*numbers_callrecord_", line)]
    read = [scan for scan in scans if "rows=0.00" not in scan and "Bitmap Heap Scan" not in scan]
    by_number = [scan for scan in read if "tenant_id_number_id_started" in scan]
    return [scan for scan in read if scan not in by_number] + ([] if by_number else ["no index of the number"])


def _scalar(sql: str) -> int:
    with every_tenant(), connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def _page(number: PhoneNumber, months: list[date], by: User, at: datetime) -> tuple[int, str, float]:
    """Look at the newest page and at one in the middle, as the view does: number, order, calls, event."""
    spans, times = [Span(months[0], None, True)], []
    with tenant_transaction(world.MIDDLE, user_id=by.pk):
        rows = calls.listed(spans, number_id=number.pk)
        middle = calls.page(rows, spans, before="")
        with CaptureQueriesContext(connection) as asked:
            _look(number.pk, spans, middle.older, by, at)
        plan = rows.order_by("-started_at", "-pk")[: calls.PAGE + 1].explain(analyze=True, verbose=True)
        for _ in range(ROUNDS * 3):
            began = time.perf_counter()
            _look(number.pk, spans, middle.older, by, at)
            times.append(time.perf_counter() - began)
    return len(asked), plan, statistics.median(times) * 1000


def _look(number_id: int, spans: list[Span], before: str, by: User, at: datetime) -> None:
    found = PhoneNumber.objects.select_related("area").get(pk=number_id)
    itemisation.spans()  # one query; the months looked at are given, for the world has no orders
    page = calls.page(calls.listed(spans, number_id=number_id), spans, before=before)
    if len(page.calls) != calls.PAGE:
        raise SystemExit(f"The page has {len(page.calls)} calls.")
    calls.look(found, what="page", count=len(page.calls), by=by, at=at)


def _purge(number: PhoneNumber, month: date, by: User, at: datetime) -> float:
    """Purge interval after interval of a number, a person each; return the median."""
    begin, times = call_months.bounds(month)[0], []
    for place in range(ROUNDS):
        with tenant_transaction(world.MIDDLE, user_id=by.pk):
            person = StaffMember.objects.create(name=f"Bench {place}", sort_key=f"bench {place}", created_at=at)
            since, until = begin + timedelta(days=2 * place), begin + timedelta(days=2 * place + 2)
            interval = Assignment.objects.create(
                number=number, staff_member=person, from_at=since, until_at=until, settled_at=since
            )
            _calls_of(number, person, since)
            [locked] = PhoneNumber.objects.locked([number.pk])
            began = time.perf_counter()
            count = purge.preview(interval, at=at).count
            done = purge.purge(locked, interval, count_seen=count, notice=purge.NOTICE, by=by, at=at)
        times.append(time.perf_counter() - began)  # with the commit
        if done.count != PURGED:
            raise SystemExit(f"{done.count} calls were purged.")
    return statistics.median(times) * 1000


def _calls_of(number: PhoneNumber, person: StaffMember, since: datetime) -> None:
    shape = {
        "direction": "out",
        "peer": "+499990000000",
        "result": "answered",
        "talk_seconds": 60,
        "cost_micro": 20_000,
    }
    CallRecord.objects.bulk_create(
        CallRecord(
            tenant_id=world.MIDDLE, number=number, holder=person, started_at=since + timedelta(minutes=m), **shape
        )
        for m in range(PURGED)
    )


def _drop(month: date) -> tuple[int, float]:
    """Drop the older month as the nightly job does; return its calls and how long it was locked."""
    with every_tenant(), transaction.atomic():
        count = _count(month)
    with every_tenant():
        began = time.perf_counter()
        with transaction.atomic():
            gone = call_months.drop(month)
        elapsed = time.perf_counter() - began
    if not gone:
        raise SystemExit("The month was not dropped.")
    return count, elapsed * 1000


def _count(month: date) -> int:
    begin, end = call_months.bounds(month)
    return int(CallRecord.objects.filter(started_at__gte=begin, started_at__lt=end).count())
