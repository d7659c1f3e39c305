"""Porting numbers in: what the operator does (rules P3, P4, P6). States and moves are those of `numbers.porting`.

Nothing here talks to the old provider: people hand the order over (`port_transport`) and record the answer.
Every operation takes a locked order inside its tenant's transaction.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from numbers import port_calendar, port_list, port_mails
from numbers.models import (
    LockedPortOrder,
    PortEvent,
    PortEventKind,
    PortOrder,
    PortState,
    RejectionCode,
    ToSend,
)
from numbers.porting import PortRefused, expect, step, trace
from portal import audit, berlin
from portal.models import User

ASKING = (PortEventKind.SUBMITTED, PortEventKind.CHANGE_ASKED, PortEventKind.CANCELLED)  # these set `to_send`
type Waiting = tuple[ToSend, int, int]

IN_WORDS = (RejectionCode.VAE, RejectionCode.SON)  # codes that say nothing without the old provider's words
OUTDATED = _("Something has happened to this order since you looked at it. Please look at it anew.")


@dataclass(frozen=True, slots=True)
class Task:
    """An order on the operator's desk: until when to do something (None: nothing is to be done by the operator), and
    whether a line has been dead too long."""

    order: PortOrder
    due_on: date | None
    interrupted: bool


def tasks(*, at: datetime, q: str = "") -> list[Task]:
    """Return what is on the desk, over all tenants, the most urgent first. Needs `tenancy.every_tenant()`.

    `q` narrows it to a customer, a number in any notation, a provider, a reference or the number of an order.
    What waits to be handed over is due within a working day of the submission, change or cancellation that made it
    wait; the old provider's answer at the latest on the day asked for, a changeover on the confirmed one. A rejected
    order waits for the tenant.
    """
    orders = PortOrder.objects.on_the_desk().select_related("tenant", "provider", "area", "agent")
    if term := " ".join(q.replace("\x00", "").split())[:100]:
        customer = Q(tenant__name__icontains=term) | Q(tenant__customer_number__iexact=term)
        own = Q(pk=int(term)) if term.isascii() and term.isdecimal() and len(term) < 19 else Q()
        orders = orders.filter(customer | own | Q(reference__icontains=term) | port_list.matching(term))
    dead = set(PortOrder.objects.interrupted(at).values_list("pk", flat=True))
    asked = PortEvent.objects.filter(kind__in=ASKING, order__in=orders).values_list("order").annotate(Max("at"))
    since: dict[int, datetime] = dict(asked)
    found = [Task(order, _due_on(order, since.get(order.pk)), order.pk in dead) for order in orders]
    return sorted(found, key=lambda task: (not task.interrupted, task.due_on or date.max, task.order.pk))


def version(pk: int) -> int:
    """Return which of its events was the order's last: whoever decides about it has to know that one."""
    newest: int = PortEvent.objects.filter(order=pk).aggregate(Max("pk", default=0))["pk__max"]
    return newest


def expect_version(order: LockedPortOrder, seen: int) -> None:
    """Raise PortRefused if something has happened to the order since somebody looked at it."""
    if version(order.pk) != seen:
        raise PortRefused(OUTDATED)


def take(order: LockedPortOrder, *, by: User, at: datetime) -> None:
    """Take an order over, from whoever works on it now. Raises PortRefused."""
    if order.agent_id == by.pk:
        raise PortRefused(_("This order is yours already."))
    step(order, "take", PortEventKind.TAKEN, key=_next(order, PortEventKind.TAKEN), by=by, at=at, agent=by)


def waiting(order: PortOrder) -> Waiting:
    """Return what waits to be handed over: what it is, of which attempt, after how many changes of the date."""
    return ToSend(order.to_send), order.attempt, order.changes


def set_off(order: LockedPortOrder, *, by: str, at: datetime) -> None:
    """Note, before an adapter talks, that what waits may reach the old provider from now on, answer or no answer.

    An order that is cancelled after that is called off there. Raises PortRefused when nothing waits any more.
    """
    expect(order, "note_sent")
    if not order.to_send:
        raise PortRefused(_("Nothing waits to be handed over to the old provider."))
    if not order.on_its_way:
        order.on_its_way = True
        order.save(update_fields=["on_its_way"])
        trace(order, "porting.set_off", {}, {"what": order.to_send}, by=by, at=at)


def note_sent(
    order: LockedPortOrder, *, reference: str = "", handed: Waiting | None = None, by: User | str, at: datetime
) -> None:
    """Note that the old provider has what waited in `to_send`, and its reference (WBCI: VA-ID). Raises PortRefused.

    `handed` is what an adapter handed over: if somebody has changed or cancelled the order meanwhile, what waits now
    goes on waiting.
    """
    handed = handed or waiting(order)
    key = ".".join(map(str, handed))
    if not handed[0] or PortEvent.objects.filter(order=order, kind=PortEventKind.SENT, key=key).exists():
        raise PortRefused(_("Nothing waits to be handed over to the old provider."))
    to: dict[str, Any] = {"reference": reference.strip() or order.reference}
    to |= {"to_send": ToSend.NOTHING} if handed == waiting(order) else {}
    details = {"what": handed[0], "reference": reference.strip()}
    step(order, "note_sent", PortEventKind.SENT, key=key, by=by, at=at, details=details, **to)


def keep_reference(order: LockedPortOrder, reference: str, *, handed: Waiting, by: str, at: datetime) -> None:
    """Keep the reference an adapter got for what it handed over, if people noted that without one meanwhile."""
    if handed[1] == order.attempt and not order.reference and reference.strip():
        before, after = audit.change(order, {"reference": reference.strip()})
        order.save(update_fields=["reference"])
        trace(order, "porting.sent", before, after | {"what": handed[0]}, by=by, at=at)


def accept(order: LockedPortOrder, on: date, *, by: User, at: datetime) -> None:
    """Record that the old provider accepts the order, with its date, which may differ from the one asked for (rule P3).

    The tenant's administrators are told the date. Raises PortRefused.
    """
    expect(order, "accept")
    _expect_possible(on, at=at)
    details = {"on": on.isoformat()}
    to = {"confirmed_on": on, "to_send": ToSend.NOTHING}
    step(order, "accept", PortEventKind.ACCEPTED, key=str(order.attempt), by=by, at=at, details=details, **to)
    _set_date(order, "move_date", on, changes=order.changes, by=by, at=at)


def reject(order: LockedPortOrder, code: RejectionCode, reason: str = "", *, by: User, at: datetime) -> None:
    """Record that the old provider rejects the order: the market's code and, for VAE and SON, its words (rule P4).

    The order can be corrected and submitted again; its numbers stay in it. Raises PortRefused.
    """
    expect(order, "reject")
    said = reason.strip()
    if code in IN_WORDS and not said:
        raise PortRefused(
            _("This code needs the old provider's words, so that the customer knows what to do."), "reason"
        )
    gone = {"confirmed_on": None, "change_on": None, "fault": ""}
    to = gone | {"code": code, "reason": said, "to_send": ToSend.NOTHING}
    details = {"code": code, "reason": said}
    step(order, "reject", PortEventKind.REJECTED, key=str(order.attempt), by=by, at=at, details=details, **to)
    port_mails.tell("numbers/port_rejected", order, at=at, code=code, reason=said)


def accept_change(order: LockedPortOrder, *, by: User, at: datetime) -> None:
    """Record that the old provider agrees to the date somebody asked for. Raises PortRefused."""
    on = _asked_for(order)
    _expect_possible(on, at=at)
    _set_date(order, "answer_change", on, changes=order.changes, by=by, at=at)


def refuse_change(order: LockedPortOrder, reason: str, *, by: User, at: datetime) -> None:
    """Record that the old provider refuses the date somebody asked for, and why; the old one holds.

    Raises PortRefused.
    """
    _asked_for(order)
    if not reason.strip():
        raise PortRefused(_("Please say why, so that the customer knows what to do."), "reason")
    details, key = {"reason": reason.strip()}, f"{order.attempt}.{order.changes}"
    to = {"change_on": None, "to_send": ToSend.NOTHING}
    step(order, "answer_change", PortEventKind.CHANGE_REFUSED, key=key, by=by, at=at, details=details, **to)
    port_mails.tell("numbers/port_change_refused", order, at=at, reason=reason.strip())


def move_date(order: LockedPortOrder, on: date, *, by: User, at: datetime) -> None:
    """Record another date that the old provider set by itself, or after a failed changeover. Raises PortRefused."""
    expect(order, "move_date")
    _expect_possible(on, at=at)
    if on == order.confirmed_on:
        raise PortRefused(_("This date is confirmed already. Please choose another one."), "on")
    _set_date(order, "move_date", on, changes=order.changes + 1, by=by, at=at)


def report_fault(order: LockedPortOrder, reason: str, *, by: User | str, at: datetime) -> None:
    """Record that the changeover did not succeed: the job leaves the order alone until a new date or completion.

    The tenant's administrators are told. Raises PortRefused.
    """
    expect(order, "report_fault")
    if order.confirmed_on is None or order.confirmed_on > port_calendar.begun(at):
        raise PortRefused(_("The changeover has not begun yet."))
    if order.fault:
        raise PortRefused(_("A fault is reported already."))
    if not reason.strip():
        raise PortRefused(_("Please say what went wrong, so that the customer knows."), "reason")
    details, key = {"reason": reason.strip()}, _next(order, PortEventKind.FAULT)  # one date can fail, and so the next
    step(order, "report_fault", PortEventKind.FAULT, key=key, by=by, at=at, details=details, fault=reason.strip()[:500])
    port_mails.tell("numbers/port_fault", order, at=at, reason=reason.strip())


def _next(order: PortOrder, kind: PortEventKind) -> str:
    """Return the key of what may happen to an order any number of times."""
    return str(PortEvent.objects.filter(order=order, kind=kind).count() + 1)


def _set_date(order: LockedPortOrder, verb: str, on: date, *, changes: int, by: User, at: datetime) -> None:
    key, details = f"{order.attempt}.{changes}", {"on": on.isoformat()}
    to = {"confirmed_on": on, "change_on": None, "changes": changes, "fault": "", "to_send": ToSend.NOTHING}
    step(order, verb, PortEventKind.DATE_SET, key=key, by=by, at=at, details=details, **to)
    port_mails.tell("numbers/port_date_set", order, at=at)


def _asked_for(order: PortOrder) -> date:
    expect(order, "answer_change")
    if order.change_on is None:
        raise PortRefused(_("Nobody asked for another date, or it has been answered already."))
    on: date = order.change_on
    return on


def possible(at: datetime) -> tuple[date, date]:
    """Return the first and the last day that can be confirmed: tomorrow, and 180 days ahead (rule P3)."""
    today = berlin.day(at)
    return today + timedelta(days=1), port_calendar.latest(today)


def _expect_possible(on: date, *, at: datetime) -> None:
    """Refuse a day on which no number changes provider, that is not ahead, or that is too far ahead."""
    first, last = possible(at)
    if on > last:
        raise PortRefused(_("This date is too far ahead. At most 180 days are possible."), "on")
    if on < first:
        raise PortRefused(_("This day is not ahead. Please choose a later one."), "on")
    if obstacle := port_calendar.day_off(on):
        raise PortRefused(obstacle, "on")


def _due_on(order: PortOrder, asked_at: datetime | None) -> date | None:
    if order.state == PortState.REJECTED:
        return None
    soon = port_calendar.working_day_after(berlin.day(asked_at)) if asked_at and order.to_send else None
    awaited = {PortState.SUBMITTED: order.requested_on, PortState.CONFIRMED: order.confirmed_on}
    return min(filter(None, (soon, awaited.get(PortState(order.state)))), default=None)
