"""One operation over many numbers, with a result per number (rule G3).

| step     | what                                                                                     |
|----------|------------------------------------------------------------------------------------------|
| start    | what was confirmed becomes a run with one item per number                                |
| proceed  | the next 500 items, in the transaction of whoever calls: a request or the worker         |
| finished | nothing is left; one mail says how it went                                               |

Up to `AT_ONCE` numbers the request itself proceeds; larger runs are the worker's, chunk by chunk. An item has its
outcome exactly when its number was handled, so a run that died goes on where it stopped.

Deactivations and withdrawals count from the instant they were confirmed, however late the worker comes: their date
holds. Activations count, and cost, from the instant they are carried out; so do assignments.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import structlog
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from billing.slots import SlotMissing
from numbers import assignment, lifecycle, outcomes
from numbers.lifecycle import DateChanged, PriceChanged
from numbers.models import BulkItem, BulkRun, LockedNumber, PhoneNumber
from numbers.outcomes import Outcome, Reason, Result
from portal import outbox, wake
from portal.models import User
from portal.tenancy import every_tenant, tenant_transaction
from staff.models import StaffMember

log = structlog.get_logger(__name__)

AT_ONCE = 100
CHUNK = 500


def start(
    verb: BulkRun.Verb,
    numbers: "QuerySet[PhoneNumber]",
    *,
    prices_seen: Mapping[str, Decimal] | None = None,
    date_seen: date | None = None,
    to: StaffMember | None = None,
    by: User,
    at: datetime,
) -> BulkRun:
    """Start a bulk run over these numbers with the price (net EUR a month, per class), date or person confirmed.

    The worker is woken for what the caller does not `proceed` with.
    """
    parameters: dict[str, Any] = {"prices": {name: str(price) for name, price in (prices_seen or {}).items()}}
    if date_seen:
        parameters["date"] = date_seen.isoformat()
    run: BulkRun = BulkRun.objects.create(verb=verb, by=by, parameters=parameters, created_at=at)
    sql, given = numbers.order_by().values("pk").query.sql_with_params()
    return _fill(run, f"SELECT part.number_id, %s::bigint FROM ({sql}) AS part (number_id)", [to and to.pk, *given])  # noqa: S608 -- the ORM's SQL


def start_list(to: Mapping[int, int], *, by: User, at: datetime) -> BulkRun:
    """Start giving each of these numbers to a staff member of its own, both by id, as a list said it."""
    run: BulkRun = BulkRun.objects.create(verb=BulkRun.Verb.ASSIGN, by=by, created_at=at)
    pairs = "SELECT * FROM unnest(%s::bigint[], %s::bigint[])"
    return _fill(run, pairs, [list(to), list(to.values())])


def _fill(run: BulkRun, pairs: str, given: Sequence[Any]) -> BulkRun:
    """Give a run its items, (number, person or NULL) as this statement finds them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO numbers_bulkitem (tenant_id, run_id, number_id, to_id, outcome, reason)"  # noqa: S608 -- our own SQL
            f" SELECT %s, %s, pair.number_id, pair.to_id, '', '' FROM ({pairs}) AS pair (number_id, to_id)",
            [run.tenant_id, run.pk, *given],
        )
        run.total = cursor.rowcount
    run.save(update_fields=["total"])
    if run.total > AT_ONCE:
        wake.later("numbers.tasks.continue_bulk_runs")
    return run


def proceed(run: BulkRun, *, at: datetime) -> int:
    """Handle the next 500 items of a run and return how many there were; finish the run when none is left.

    Needs the tenant's transaction. A worker that finds another at this run leaves it alone. A price that changed since
    it was confirmed refuses the items that are left, with that reason.
    """
    rows = BulkRun.objects.filter(pk=run.pk, finished_at=None).select_related("by")
    free: BulkRun | None = rows.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
    if free is None:
        return 0
    run = free
    ids = list(
        BulkItem.objects.filter(run=run, outcome="").order_by("number_id").values_list("number_id", flat=True)[:CHUNK]
    )
    if ids:
        numbers = PhoneNumber.objects.locked(ids)
        known = {outcome.number_id: outcome for outcome in _whole(run, numbers, at=at)}
        _note(run, [known.get(pk) or outcomes.refused(pk, Reason.GONE) for pk in ids])
        run.handled += len(ids)
    if run.handled >= run.total:
        run.finished_at = at
    run.save(update_fields=["handled", "finished_at"])
    if run.finished_at:
        _tell(run, at=at)
    return len(ids)


def continue_open(*, at: datetime) -> int:
    """Proceed with every unfinished run of every tenant until nothing is left; return how many items were handled.

    The worker's sweep: each chunk is a transaction of its own under the tenant's own role, and the runs take turns, so
    that a small one does not wait for a large one. A run that fails does not hold up the others.
    """
    handled = 0
    with every_tenant():
        unfinished = list(BulkRun.objects.filter(finished_at=None, created_at__lte=at).order_by("pk"))
    while unfinished:
        done = {run.pk: _chunk(run) for run in unfinished}
        handled += sum(done.values())
        unfinished = [run for run in unfinished if done[run.pk] == CHUNK]
    return handled


def _chunk(run: BulkRun) -> int:
    try:
        with tenant_transaction(run.tenant_id, user_id=run.by_id):
            return proceed(run, at=timezone.now())
    except OperationalError:
        raise
    except Exception:
        log.exception("bulk run failed", run=run.pk)
        return 0


def tally(run: BulkRun) -> dict[Result, int]:
    """Return how many numbers of a run were done, left unchanged and refused."""
    rows = BulkItem.objects.filter(run=run).exclude(outcome="").values_list("outcome").annotate(Count("pk"))
    counted = {Result(name): count for name, count in rows}
    return {result: counted.get(result, 0) for result in Result}


def _whole(run: BulkRun, numbers: Sequence[LockedNumber], *, at: datetime) -> list[Outcome]:
    """Handle a chunk in one go; if one number of it fails, each by itself, so that only that one is refused."""
    try:
        with transaction.atomic():
            return _handle(run, numbers, at=at)
    except (SlotMissing, IntegrityError) as error:
        if len(numbers) == 1:
            log.exception("number failed in a bulk run", run=run.pk, number=numbers[0].pk, reason=str(error))
            return [outcomes.refused(numbers[0].pk, Reason.FAILED)]
    fresh = PhoneNumber.objects.locked([number.pk for number in numbers])  # what failed may have changed those in hand
    return [outcome for number in fresh for outcome in _whole(run, [number], at=at)]


def _handle(run: BulkRun, numbers: Sequence[LockedNumber], *, at: datetime) -> list[Outcome]:
    confirmed_at = run.created_at
    try:
        match BulkRun.Verb(run.verb):
            case BulkRun.Verb.ACTIVATE:
                seen = {name: Decimal(price) for name, price in run.parameters["prices"].items()}
                return lifecycle.activate(numbers, prices_seen=seen, by=run.by, at=at, confirm=False)
            case BulkRun.Verb.DEACTIVATE:
                seen_on = date.fromisoformat(run.parameters["date"])
                return lifecycle.schedule_deactivation(
                    numbers, date_seen=seen_on, by=run.by, at=confirmed_at, confirm=False
                )
            case BulkRun.Verb.WITHDRAW:
                return lifecycle.withdraw(numbers, by=run.by, at=confirmed_at, confirm=False)
            case BulkRun.Verb.ASSIGN:
                return assignment.assign_each(numbers, to=_heirs(run, numbers), by=run.by, at=at)
    except PriceChanged:
        return [outcomes.refused(number.pk, Reason.PRICE_CHANGED) for number in numbers]
    except DateChanged:
        return [outcomes.refused(number.pk, Reason.DATE_CHANGED) for number in numbers]


def _heirs(run: BulkRun, numbers: Sequence[LockedNumber]) -> dict[int, StaffMember]:
    items = BulkItem.objects.filter(run=run, number__in=[number.pk for number in numbers])
    pairs = dict(items.values_list("number_id", "to_id"))
    people = StaffMember.objects.in_bulk(set(pairs.values()))
    return {number_id: people[to_id] for number_id, to_id in pairs.items()}


def _note(run: BulkRun, found: Sequence[Outcome]) -> None:
    """Write the outcomes of a chunk in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE numbers_bulkitem AS item SET outcome = found.outcome, reason = found.reason"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS found (number_id, outcome, reason)"
            " WHERE item.tenant_id = %s AND item.run_id = %s AND item.number_id = found.number_id",
            [
                [outcome.number_id for outcome in found],
                [outcome.result.value for outcome in found],
                [outcome.reason.value if outcome.reason else "" for outcome in found],
                run.tenant_id,
                run.pk,
            ],
        )


def _tell(run: BulkRun, *, at: datetime) -> None:
    counts = {str(result): count for result, count in tally(run).items()}
    context = {"name": run.by.name, "verb": run.verb, "run": run.pk, "count": run.total, **counts}
    context |= {"last_active_on": run.parameters.get("date", "")}
    outbox.later([outbox.Mail(run.by.email, run.by.language, "numbers/bulk_finished", context, run.tenant_id)], at=at)
