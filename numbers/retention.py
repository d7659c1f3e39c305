"""How long calls stay (rule T4), and the nightly proof that none stays longer.

| a month's calls                            | at night                                                    |
|--------------------------------------------|-------------------------------------------------------------|
| not due for the tenant                     | stay                                                        |
| due, held by an open dispute               | stay until it is closed                                     |
| due for every tenant, nothing held         | the whole month is dropped                                  |
| due for some tenants                       | theirs are deleted, in batches                              |

There are no invoices yet: a month counts as invoiced when it ends. Limits are therefore beginnings of Berlin months.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count, Min

from numbers import call_mail, call_months, disputes
from numbers.models import CallKey, CallRecord, CallRetention, IntakeLine, RetentionProof
from numbers.models.keeping import MOST_MONTHS, USUAL_MONTHS
from portal import audit, berlin, tenancy
from portal.models import Tenant, User

JOB, PROOF = "retire_calls", "prove_call_retention"
BATCH = 5_000
QUARANTINE = timedelta(days=90)
_DELETE = """
WITH due AS (
    SELECT id, started_at FROM numbers_callrecord AS c
    WHERE tenant_id = %(tenant)s AND started_at >= %(begin)s AND started_at < %(end)s AND {free}
    LIMIT %(most)s
)
DELETE FROM numbers_callrecord AS c USING due
WHERE c.id = due.id AND c.started_at = due.started_at AND c.tenant_id = %(tenant)s
  AND c.started_at >= %(begin)s AND c.started_at < %(end)s
"""
_BEYOND = """
SELECT count(*), count(*) FILTER (WHERE {free}) FROM numbers_callrecord AS c
WHERE tenant_id = %s AND started_at < %s
"""
_FREE = """
NOT EXISTS (SELECT FROM numbers_dispute AS d WHERE d.tenant_id = c.tenant_id AND d.closed_at IS NULL
            AND d.month = date_trunc('month', c.started_at AT TIME ZONE 'Europe/Berlin')::date
            AND (d.number_id IS NULL OR d.number_id = c.number_id))
"""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the nightly job has come: the month and the tenant it works on (0: the first)."""

    month: date = date.min
    tenant_id: int = 0


def months(tenant_id: int) -> int:
    """Return how many months after the invoice this tenant's calls are kept."""
    row = CallRetention.objects.filter(tenant=tenant_id).first()
    return row.months if row else USUAL_MONTHS


def keep(count: int, *, by: User, at: datetime) -> None:
    """Set how many months after the invoice the announced tenant's calls are kept, from tonight on (rule T4).

    If that is new, it leaves an event and tells all administrators by mail.
    """
    if not 1 <= count <= MOST_MONTHS:
        raise ValueError(count)
    tenant_id = tenancy.current()
    before = months(tenant_id)
    CallRetention.objects.update_or_create(tenant_id=tenant_id, defaults={"months": count, "changed_at": at})
    if count != before:
        entry = audit.Entry("tenant", tenant_id, "calls", {"months": before}, {"months": count}, tenant_id)
        audit.record("calls.retention_changed", [entry], by=by, at=at)
        call_mail.tell("numbers/retention_changed", by=by, at=at, before=before, months=count)


def limit(count: int, *, at: datetime) -> datetime:
    """Return the instant before which calls are due when they are kept `count` months after the invoice."""
    return berlin.begin(berlin.next_month(call_months.of(at), -count))


def limits(tenant_ids: Iterable[int], *, at: datetime) -> dict[int, datetime]:
    """Return that instant for each of these tenants."""
    wanted = list(tenant_ids)
    said = dict(CallRetention.objects.filter(tenant__in=wanted).values_list("tenant", "months"))
    return {tenant: limit(said.get(tenant, USUAL_MONTHS), at=at) for tenant in wanted}


def due(*, at: datetime) -> list[tuple[date, int]]:
    """Return the (month, tenant) pairs whose calls are due, oldest first; tenants without any calls there included."""
    known = limits(Tenant.objects.values_list("pk", flat=True), at=at)
    return sorted(
        (month, tenant)
        for month in call_months.present()
        for tenant, until in known.items()
        if call_months.bounds(month)[1] <= until
    )


def step(place: Place, *, at: datetime) -> tuple[int, Place | None]:
    """Delete the next batch of due calls of all tenants; return how many went and where to go on.

    Drops the months that may go whole first. Needs the operator's role and `tenancy.every_tenant()`.
    """
    if place == Place():
        call_months.ensure(call_months.ahead(at))
        dropped = sum(_drop(month) for month in sorted({month for month, _ in due(at=at)}))
        _forget(at=at)
        if dropped:
            return dropped, Place(date.min, 1)
    for month, tenant in due(at=at):
        if (month, tenant) >= (place.month, place.tenant_id) and (count := _delete(month, tenant)):
            return count, Place(month, tenant)
    return 0, None


def _drop(month: date) -> int:
    begin, end = call_months.bounds(month)
    count = int(CallRecord.objects.filter(started_at__gte=begin, started_at__lt=end).count())
    # what came in after the count is no less due
    return max(count, 1) if call_months.drop(month) else 0


def _delete(month: date, tenant_id: int) -> int:
    begin, end = call_months.bounds(month)
    with connection.cursor() as cursor:
        cursor.execute(_DELETE.format(free=_FREE), {"tenant": tenant_id, "begin": begin, "end": end, "most": BATCH})
        return int(cursor.rowcount)


def _forget(*, at: datetime) -> None:
    """Forget keys of calls that nobody would take any more, and lines in quarantine that nobody claimed."""
    CallKey.objects.filter(month__lt=berlin.day(limit(MOST_MONTHS, at=at))).delete()
    IntakeLine.objects.filter(received_at__lt=at - QUARANTINE).delete()


def prove(*, at: datetime) -> list[RetentionProof]:
    """Count, per tenant, the calls beyond the limit that nothing holds; write and return the day's findings.

    Needs the operator's role and `tenancy.every_tenant()`.
    """
    known = limits(Tenant.objects.order_by("pk").values_list("pk", flat=True), at=at)
    held = set(disputes.open_now().values_list("tenant", flat=True))
    found = CallRecord.objects.values("tenant").annotate(count=Count("pk"), oldest=Min("started_at"))
    kept = {row["tenant"]: (row["count"], row["oldest"]) for row in found}
    proofs = []
    for tenant, until in known.items():
        count, oldest = kept.get(tenant, (0, None))
        old, free = _beyond(tenant, until) if oldest and oldest < until else (0, 0)
        proofs.append(
            RetentionProof(
                tenant_id=tenant,
                on=berlin.day(at),
                checked_at=at,
                beyond=free if tenant in held else old,
                held=old - free if tenant in held else 0,
                kept=count,
                oldest_at=oldest,
            )
        )
    return list(
        RetentionProof.objects.bulk_create(
            proofs,
            update_conflicts=True,
            unique_fields=["tenant", "on"],
            update_fields=["checked_at", "beyond", "held", "kept", "oldest_at"],
        )
    )


def _beyond(tenant_id: int, until: datetime) -> tuple[int, int]:
    """Return how many calls of a tenant are older than the limit, and how many of these no dispute holds."""
    with connection.cursor() as cursor:
        cursor.execute(_BEYOND.format(free=_FREE), [tenant_id, until])
        old, free = cursor.fetchone()
        return int(old), int(free)
