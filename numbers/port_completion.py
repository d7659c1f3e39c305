"""When the day of a changeover comes: people are reminded, numbers arrive (P6), numbers leave (P7); the job for it.

An order and the inventory change in one transaction, so they agree wherever a run is interrupted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import DataError, IntegrityError
from django.utils.translation import gettext_lazy as _

from billing import prices, slots
from billing.models import PriceClass
from numbers import inventory, port_calendar, port_desk, port_mails, port_numbers, port_out, port_temporary
from numbers.inventory import NewNumber
from numbers.models import (
    LockedPortOrder,
    NumberState,
    PhoneNumber,
    PortEventKind,
    PortNumber,
    PortOrder,
    PortOut,
    ToSend,
)
from numbers.moves import move
from numbers.porting import PortRefused, expect, numbers_of, step, to_activate
from portal import berlin, tenancy
from portal.models import User

log = structlog.get_logger(__name__)
JOB = "apply_portings"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a run of the job has come: its stage (0 reminders, 1 arrivals, 2 departures) and the last id."""

    stage: int = 0
    pk: int = 0


def complete(order: LockedPortOrder, *, by: User | str, at: datetime) -> None:
    """Let the numbers of an order whose day has come arrive in the inventory, and end the order.

    They are inactive, or (if asked for, and it costs no more than was agreed to) active with a paid slot from today on;
    a number that is to replace a temporary one waits inactive for that. Raises PortRefused, before the day or when
    somebody holds a number already: then nothing may be committed.
    """
    expect(order, "complete")
    if order.confirmed_on is None or order.confirmed_on > port_calendar.begun(at):
        raise PortRefused(_("The day of the changeover has not come yet."))
    wanted = numbers_of(order)
    PortNumber.objects.filter(order=order).update(open=False)
    entries = [
        NewNumber(e164, order.area_id or 0, base_number=order.base_number, extension=_extension(order, e164))
        for e164 in wanted.e164s
    ]
    added = inventory.add(entries, tenant_id=order.tenant_id, by=by, at=at)
    if missing := sorted(set(wanted.e164s) - {number.e164 for number in added}):
        found = port_numbers.not_free(missing)
        raise PortRefused(found[0].sentence, "numbers", found)
    works = _activate(order, added, by=by, at=at)
    to = {"completed_at": at, "change_on": None, "fault": "", "to_send": ToSend.NOTHING}
    details = {"count": len(added), "works": works}
    step(order, "complete", PortEventKind.COMPLETED, key="0", by=by, at=at, details=details, **to)
    waits = port_temporary.waiting(order, at=at)
    said = waits.words | {"others": len(added) - 1} if waits else {}
    port_mails.tell("numbers/port_done", order, at=at, works=works, **said)


def remind(order: LockedPortOrder, *, at: datetime) -> None:
    """Tell the tenant's administrators that the changeover is tomorrow; once for each date."""
    key = order.confirmed_on.isoformat() if order.confirmed_on else ""
    step(order, "remind", PortEventKind.REMINDED, key=key, by=JOB, at=at)
    port_mails.tell("numbers/port_reminder", order, at=at)


def count_due(*, at: datetime) -> int:
    """Return how many reminders, arrivals and departures are due, over all tenants."""
    due = (PortOrder.objects.to_remind(at), PortOrder.objects.due(at), PortOut.objects.due(at))
    return sum(rows.count() for rows in due)


def take_effect(*, at: datetime, after: Cursor) -> tuple[int, Cursor | None]:
    """Do the next thing that is due: one reminder, one order's arrival, or the departures of one tenant on one day.

    Returns how much was done (0 also where something was due and could not be done) and where to go on, which is None
    only once nothing more is due.
    Rows that others have locked are left for the next pass. Needs the operator's role and `tenancy.every_tenant()`;
    each is done within its tenant's walls. An order whose numbers cannot arrive gets a fault and is left to people; one
    whose rows the database refuses is left for the next run, so that it does not stop the others.
    """
    if after.stage == 2:
        gone = port_out.take_effect(at=at, by=JOB)
        return gone or 0, None if gone is None else after
    due = PortOrder.objects.to_remind(at) if after.stage == 0 else PortOrder.objects.due(at)
    rows = due.filter(pk__gt=after.pk).order_by("pk").select_for_update(no_key=True, skip_locked=True, of=("self",))
    found = rows.first()
    if found is None:
        return 0, Cursor(after.stage + 1)
    try:
        done = _arrive(found, at=at) if after.stage else _remind(found, at=at)
    except (DataError, IntegrityError):
        log.exception("port order not carried on", order=found.pk)
        done = 0
    return done, Cursor(after.stage, found.pk)


def _remind(found: PortOrder, *, at: datetime) -> int:
    with tenancy.tenant_transaction(found.tenant_id):
        remind(PortOrder.objects.locked(found.pk), at=at)
    return 1


def _arrive(found: PortOrder, *, at: datetime) -> int:
    try:
        with tenancy.tenant_transaction(found.tenant_id):
            complete(PortOrder.objects.locked(found.pk), by=JOB, at=at)
    except PortRefused as error:
        with tenancy.tenant_transaction(found.tenant_id):
            port_desk.report_fault(PortOrder.objects.locked(found.pk), str(error.reason), by=JOB, at=at)
        return 0
    return 1


def _extension(order: PortOrder, e164: str) -> str:
    return e164[len(order.base_number) :] if order.base_number else ""


def _activate(order: PortOrder, added: Sequence[PhoneNumber], *, by: User | str, at: datetime) -> str:
    """Bring into service what was asked for; return "yes", "no", or "price" when it costs more by now (rule L1)."""
    wanted = set(to_activate(order))
    chosen = [number.pk for number in added if number.e164 in wanted]
    if not chosen:
        return "no"
    today = berlin.day(at)
    if order.price_seen is None or prices.quote(PriceClass.STANDARD, on=today).monthly > order.price_seen:
        return "price"
    rows = PhoneNumber.objects.locked(chosen)
    to: dict[str, Any] = {"state": NumberState.ACTIVE, "active_since": today}
    move(rows, "number.activated", before={"state": NumberState.INACTIVE}, by=by, at=at, **to)
    slots.open_slots([(row.e164, row.price_class) for row in rows], tenant_id=order.tenant_id, on=today)
    return "yes"
