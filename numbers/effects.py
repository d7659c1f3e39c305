"""What happens when a scheduled deactivation takes effect (rule L5), for the job and for operations that come first.

Status, cost and exports follow the date alone (rule C3); this only materialises it: attachments end, the state is
written, one event holds a snapshot. Everything is booked on the planned date, however late it runs.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, cast

from django.db import connection

from numbers import attachments, messages
from numbers.models import LocalArea, LockedNumber, NumberState, PhoneNumber
from portal import berlin, lookups, outbox
from portal.logs import request_id

JOB = "apply_deactivations"
BATCH = 5_000

_APPLY = """
WITH changed AS (
    UPDATE numbers_phonenumber AS n SET state = 'inactive', last_active_on = NULL, active_since = NULL
    FROM (SELECT id, last_active_on AS day FROM numbers_phonenumber WHERE id = ANY(%(ids)s)) AS due
    WHERE n.id = due.id AND n.id = ANY(%(ids)s)  -- said twice, or a merge join walks all ids before these
    RETURNING n.id, n.tenant_id, n.e164, due.day
)
INSERT INTO portal_auditevent (tenant_id, at, actor_id, actor_name, on_behalf_of, verb, object_type, object_id,
                               object_label, before, after, request_id)
SELECT tenant_id, %(at)s, NULL, %(job)s, '', 'number.deactivated', 'number', id, e164,
       jsonb_build_object('state', 'deactivation_scheduled', 'last_active_on', day)
           || coalesce(%(snapshots)s::jsonb -> id::text, '{}'::jsonb),
       jsonb_build_object('state', 'inactive', 'inactive_from', day + 1), %(reference)s
FROM changed ORDER BY id
"""


class _Row(NamedTuple):
    pk: int
    tenant_id: int
    e164: str
    base_number: str
    extension_digits: str
    label: str
    last_active_on: date
    area_id: int
    area: LocalArea


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a run of the job has come: last active day and id of the last number it took."""

    last_active_on: date = date.min
    number_id: int = 0


def settle(numbers: Sequence[LockedNumber], *, at: datetime) -> int:
    """Let those of these locked numbers that are past their last active day become inactive, as planned; return how
    many. Called by every operation before it decides."""
    overdue = [n for n in numbers if n.is_due(at)]
    if overdue:
        apply(overdue, at=at)
    for number in overdue:
        number.state, number.last_active_on, number.active_since = NumberState.INACTIVE, None, None
    return len(overdue)


def take_effect(*, as_of: date, at: datetime, after: Cursor) -> tuple[int, Cursor | None]:
    """Deactivate the next batch of numbers of all tenants that are due at the beginning of the day `as_of`.

    At most 5,000, skipping rows others have locked. `after` is where the last batch ended, so that each starts behind
    the dead index entries of those before. Returns how many took effect and the new cursor, None once nothing is left.
    Needs the operator's role and `tenancy.every_tenant()`.
    """
    due = PhoneNumber.objects.due(berlin.begin(as_of)).order_by("last_active_on", "pk")
    due = due.extra(  # a row comparison, which the ORM cannot say
        where=["(last_active_on, id) > (%s, %s)"], params=[after.last_active_on, after.number_id]
    )
    rows = due.select_for_update(no_key=True, skip_locked=True).values_list(*_Row._fields[:-1])[:BATCH]
    batch = _with_areas(rows)
    if not batch:
        return 0, None
    # Plain rows know what is asked of a number here; thousands of model instances cost as much as writing them.
    apply(cast("list[PhoneNumber]", batch), at=at)
    return len(batch), Cursor(batch[-1].last_active_on, batch[-1].pk)


def apply(batch: Sequence[PhoneNumber], *, at: datetime) -> None:
    """End what hangs on these locked, due numbers, write their state and trace, and tell the administrators."""
    snapshots = attachments.detach(batch, by_swap=False, by=JOB, at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            _APPLY,
            {
                "ids": lookups.keys(n.pk for n in batch),
                "at": at,
                "job": JOB,
                "snapshots": json.dumps({str(key): value for key, value in snapshots.items()}),
                "reference": request_id.get(),
            },
        )
    _tell(batch, at=at)


def _tell(batch: Sequence[PhoneNumber], *, at: datetime) -> None:
    """One notice per tenant, planned day and administrator."""
    groups: dict[tuple[int, date], list[PhoneNumber]] = {}
    for number in batch:
        groups.setdefault((number.tenant_id, number.last_active_on or berlin.day(at)), []).append(number)
    people = messages.administrators({tenant for tenant, _ in groups})
    mails: list[outbox.Mail] = []
    for (tenant, day), numbers in groups.items():
        told = people.get(tenant, [])
        mails += messages.notice("numbers/deactivated", numbers, people=told, last_active_on=day)
    outbox.later(mails, at=at)


def _with_areas(rows: Iterable[tuple[Any, ...]]) -> list[_Row]:
    found = list(rows)
    areas = LocalArea.known({row[-1] for row in found})
    return [_Row._make((*row, areas[row[-1]])) for row in found]
