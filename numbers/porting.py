"""Porting numbers in: what the tenant does (rules P1–P6). What the operator does is in `port_desk`.

| from      | verb     | to        | effect                                                            |
|-----------|----------|-----------|-------------------------------------------------------------------|
| draft     | submit   | submitted | its numbers are in no other order from now on                     |
| submitted | accept   | confirmed | the old provider's date is set                                    |
| submitted | reject   | rejected  | a code of the market says what to correct                         |
| confirmed | reject   | rejected  | the same, until it is completed                                   |
| rejected  | submit   | submitted | the same order, next attempt                                      |
| confirmed | complete | completed | the numbers are in the inventory                                  |
| draft, submitted, rejected, confirmed | cancel | cancelled | until 24 hours before the day (P3)      |

Everything else leaves the state as it is and is possible in the states of `STAYS`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing import prices
from billing.models import PriceClass
from numbers import port_calendar, port_mails, port_numbers, port_signed, swap
from numbers.lifecycle import PriceChanged
from numbers.models import (
    LockedPortOrder,
    PhoneNumber,
    PortDocument,
    PortEvent,
    PortEventKind,
    PortKind,
    PortNumber,
    PortOrder,
    PortState,
    ToSend,
)
from numbers.outcomes import Outcome, Result
from numbers.port_numbers import Numbers, Problem
from portal import audit, berlin, tenancy
from portal.models import User
from portal.refusals import Refused

MOVES = {
    (PortState.DRAFT, "submit"): PortState.SUBMITTED,
    (PortState.REJECTED, "submit"): PortState.SUBMITTED,
    (PortState.SUBMITTED, "accept"): PortState.CONFIRMED,
    (PortState.SUBMITTED, "reject"): PortState.REJECTED,
    (PortState.CONFIRMED, "reject"): PortState.REJECTED,
    (PortState.CONFIRMED, "complete"): PortState.COMPLETED,
    (PortState.DRAFT, "cancel"): PortState.CANCELLED,
    (PortState.SUBMITTED, "cancel"): PortState.CANCELLED,
    (PortState.REJECTED, "cancel"): PortState.CANCELLED,
    (PortState.CONFIRMED, "cancel"): PortState.CANCELLED,
}
_OPEN = (PortState.SUBMITTED, PortState.CONFIRMED, PortState.REJECTED)
STAYS: Mapping[str, Sequence[PortState]] = {
    "start": (PortState.DRAFT,),
    "save": (PortState.DRAFT, PortState.REJECTED),
    "add_document": (PortState.DRAFT, PortState.SUBMITTED, PortState.REJECTED),
    "take": _OPEN,
    "note_sent": (*_OPEN, PortState.CANCELLED),
    "ask_date": (PortState.CONFIRMED,),
    "answer_change": (PortState.CONFIRMED,),
    "move_date": (PortState.CONFIRMED,),
    "report_fault": (PortState.CONFIRMED,),
    "remind": (PortState.CONFIRMED,),
    "replace": (PortState.COMPLETED,),
}
EDITABLE = (
    *("provider", "provider_customer_number", "contract_ends_on", "holder_kind", "holder_name", "holder_addition"),
    *("street", "house_number", "postcode", "town", "further_holders", "requested_on", "remaining", "activate"),
    *("directory_entry", "temporary"),
)
_REQUIRED: Mapping[str, Promise] = {
    "provider": _("Please choose the old provider."),
    "holder_name": _("Please enter the holder exactly as the old provider knows them."),
    "street": _("Please enter the street exactly as the old provider has it."),
    "house_number": _("Please enter the house number exactly as the old provider has it."),
    "postcode": _("Please enter the postcode exactly as the old provider has it."),
    "town": _("Please enter the town exactly as the old provider has it."),
    "remaining": _("Please say what becomes of the other numbers of the line."),
    "requested_on": _("Please choose a date."),
}


class PortRefused(Refused):
    """It cannot be done to this order; `problems` says what is wrong field by field, if it is about what is ordered."""

    def __init__(self, reason: Promise | str, field: str | None = None, problems: Sequence[Problem] = ()) -> None:
        super().__init__(reason, field)
        self.problems = list(problems)


def start(*, by: User, at: datetime) -> PortOrder:
    """Begin an order as an empty draft of the announced tenant."""
    order = PortOrder(tenant_id=tenancy.current(), by=by, created_at=at)
    order.save()
    step(order, "start", PortEventKind.BEGUN, key="0", by=by, at=at)
    return order


def save(order: LockedPortOrder, changes: Mapping[str, Any], *, by: User, at: datetime) -> None:
    """Keep these fields (of `EDITABLE`) of a draft, or of a rejected order that is being corrected.

    Nothing is checked here but the state: `problems` says what is missing or wrong, `submit` insists on it.
    """
    if unknown := changes.keys() - set(EDITABLE):
        raise TypeError(f"not a field of a port order that people change: {unknown}")
    expect(order, "save")
    before, after = audit.change(order, changes)
    if after:
        order.save(update_fields=list(after))
        trace(order, "porting.saved", before, after, by=by, at=at)


def set_numbers(order: LockedPortOrder, numbers: Numbers, *, by: User, at: datetime) -> None:
    """Let a draft, or a rejected order, be about these numbers instead. Raises PortRefused.

    They are claimed when the order is submitted; those it had before are free for others. A rejected order was
    submitted, so its numbers stay claimed, and new ones must be free (rule P6).
    """
    expect(order, "save")
    was = numbers_of(order)
    about = {"kind": numbers.kind, "area": port_numbers.area_of(numbers), "base_number": numbers.base_number}
    about |= {"range_from": numbers.first, "range_until": numbers.last, "pilot": numbers.pilot}
    before, after = audit.change(order, about)
    if sorted(was.e164s) != sorted(numbers.e164s):
        before["numbers"], after["numbers"] = was.written, numbers.written
    if after:
        order.save(update_fields=list(about))
        _put(order, numbers.e164s, claimed=order.state == PortState.REJECTED)
        trace(order, "porting.saved", before, after, by=by, at=at)


def numbers_of(order: PortOrder) -> Numbers:
    """Return what the order is about."""
    e164s = tuple(PortNumber.objects.filter(order=order).order_by("e164").values_list("e164", flat=True))
    return Numbers(PortKind(order.kind), e164s, order.base_number, order.range_from, order.range_until, order.pilot)


def problems(order: PortOrder, *, at: datetime) -> list[Problem]:
    """Return everything that hinders the order from being submitted, field by field; empty if nothing does."""
    found = [Problem(name, sentence) for name, sentence in _REQUIRED.items() if not getattr(order, name)]
    if order.holder_kind == "person" and not order.holder_addition:
        found.append(Problem("holder_addition", _("Please enter the first name as the old provider has it.")))
    if order.postcode and not (len(order.postcode) == 5 and order.postcode.isdigit()):
        found.append(Problem("postcode", _("A postcode has five digits.")))
    numbers = numbers_of(order)
    if not numbers.e164s:
        found.append(Problem("numbers", _("Please enter the numbers to be ported.")))
    found += port_numbers.findings(numbers, own=order.pk, at=at)
    if obstacle := date_refusal(order, order.requested_on, today=berlin.day(at)):
        found.append(obstacle)
    if order.temporary_id and not port_numbers.temporaries(at).filter(pk=order.temporary_id).exists():
        found.append(Problem("temporary", port_numbers.NO_TEMPORARY))
    if unsigned := port_signed.refusal(order, numbers.e164s):
        found.append(Problem("document", unsigned))
    return found


def date_refusal(order: PortOrder, on: date | None, *, today: date) -> Problem | None:
    """Return why this date, or none at all, cannot be asked for (rules P1, P3), or None if it can."""
    last = deadline(order)
    if last and (missed := port_calendar.missed(last, today=today)):
        return Problem("contract_ends_on", missed)
    refusal = on and port_calendar.refusal(on, today=today, last=last)
    return Problem("requested_on", refusal) if refusal else None


def deadline(order: PortOrder) -> date | None:
    """Return the last day on which the order's numbers can be ported, or None as long as the contract goes on."""
    return port_calendar.deadline(order.contract_ends_on) if order.contract_ends_on else None


def hints(order: PortOrder) -> list[Problem]:
    """Return what is worth a second look and hinders nothing."""
    numbers = numbers_of(order).e164s
    found = [
        Problem("numbers", _("This number is short. If it is not an old one, a digit is missing."), e164)
        for e164 in port_numbers.short(numbers)
    ]
    found += _date_hints(order.requested_on, order.contract_ends_on) if order.requested_on else []
    if waits := _waits(order):
        text = _("This number arrives inactive, at no charge, until you let it replace the temporary number.")
        found.append(Problem("temporary", text, waits))
    if not order.activate and numbers != (waits,):
        found.append(Problem("activate", _("The numbers arrive inactive and do not ring until you activate them.")))
    return found


def _date_hints(on: date, ends: date | None) -> list[Problem]:
    before = _("The old contract goes on until %s: until then you pay for it as well.")
    after = _("The old contract ends on %s already: from then until the port date the numbers may be out of service.")
    sentences: list[Promise | str] = []
    if port_calendar.is_before_rest(on):
        sentences.append(_("The next day is no working day: the old provider may ask for another date."))
    if ends and ends != on:
        sentences.append(str(before if on < ends else after) % date_format(ends, "SHORT_DATE_FORMAT"))
    return [Problem("requested_on", sentence) for sentence in sentences]


def add_document(
    order: LockedPortOrder, *, name: str, pages: int, size: int, code: str, by: User, at: datetime
) -> None:
    """Add a signed form that was checked and kept under this random name; earlier versions stay.

    `code` stands on it and has to be that of what the order says now (rule P5). Raises PortRefused.
    """
    if not port_signed.is_code(code, order, e164s := numbers_of(order).e164s):
        raise PortRefused(port_signed.OTHER_CODE, "code")
    version = PortDocument.objects.filter(order=order).count() + 1
    step(order, "add_document", PortEventKind.DOCUMENT, key=str(version), by=by, at=at, details={"pages": pages})
    file = {"version": version, "name": name, "pages": pages, "size": size}
    file["printed"] = port_signed.printed(order, e164s)
    PortDocument.objects.create(tenant_id=order.tenant_id, order=order, by=by, at=at, **file)


def submit(order: LockedPortOrder, *, price_seen: Decimal | None = None, by: User, at: datetime) -> None:
    """Submit a draft, or a rejected order once more; from now on its numbers are in no other order (rule P6).

    `price_seen` is the monthly fee (net EUR, per number) agreed to if numbers arrive in paid service (`to_activate`);
    the porting itself costs nothing (rule P1). Raises PortRefused with its problems, PriceChanged.
    """
    expect(order, "submit")
    if found := problems(order, at=at):
        raise PortRefused(found[0].sentence, found[0].field, found)
    active = to_activate(order)
    if active:
        quote = prices.quote(PriceClass.STANDARD, on=berlin.day(at))
        if price_seen != quote.monthly:
            raise PriceChanged({PriceClass.STANDARD: quote})
    _put(order, numbers_of(order).e164s, claimed=True)
    attempt = order.attempt + 1
    to: dict[str, Any] = {"submitted_at": at, "attempt": attempt, "code": "", "reason": "", "to_send": ToSend.ORDER}
    to["price_seen"] = price_seen if active else None
    step(order, "submit", PortEventKind.SUBMITTED, key=str(attempt), by=by, at=at, **to)
    port_mails.tell_operator(order, at=at)


def ask_date(order: LockedPortOrder, on: date, *, by: User, at: datetime) -> None:
    """Ask the old provider for another date than the confirmed one, until 24 hours before it (rule P3).

    The confirmed date holds until the answer. Raises PortRefused.
    """
    expect(order, "ask_date")
    expect_unlocked(order, at=at)
    if order.change_on:
        raise PortRefused(_("Another date has been asked for already; please wait for the answer."))
    if on == order.confirmed_on:
        raise PortRefused(_("This date is confirmed already. Please choose another one."), "requested_on")
    if obstacle := date_refusal(order, on, today=berlin.day(at)):
        raise PortRefused(obstacle.sentence, obstacle.field)
    to: dict[str, Any] = {"change_on": on, "changes": order.changes + 1, "to_send": ToSend.CHANGE}
    key, details = f"{order.attempt}.{order.changes + 1}", {"on": on.isoformat()}
    step(order, "ask_date", PortEventKind.CHANGE_ASKED, key=key, by=by, at=at, details=details, **to)
    port_mails.tell_operator(order, at=at)


def cancel(order: LockedPortOrder, *, reason: str = "", by: User, at: datetime) -> None:
    """Cancel an order until 24 hours before its date; its numbers are free for another order. Raises PortRefused.

    An operator's agent gives a reason, which the tenant is told by mail.
    """
    expect(order, "cancel")
    expect_unlocked(order, at=at)
    if by.is_operator and not reason.strip():
        raise PortRefused(_("Please say why, so that the customer knows what to do."), "reason")
    called_off = is_known_there(order)
    PortNumber.objects.filter(order=order).update(open=False)
    to: dict[str, Any] = {"confirmed_on": None, "change_on": None, "fault": "", "code": "", "reason": ""}
    to["to_send"] = ToSend.CANCELLATION if called_off else ToSend.NOTHING
    details = {"reason": reason.strip()} if reason.strip() else {}
    step(order, "cancel", PortEventKind.CANCELLED, key="0", by=by, at=at, details=details, **to)
    if by.is_operator:
        port_mails.tell("numbers/port_cancelled", order, at=at, reason=reason.strip())
    if called_off:
        port_mails.tell_operator(order, at=at)


def is_known_there(order: PortOrder) -> bool:
    """Return whether the old provider may have the order and act on it, so that cancelling means telling it."""
    is_told: bool = order.on_its_way or order.to_send != ToSend.ORDER
    return order.state in (PortState.SUBMITTED, PortState.CONFIRMED) and is_told


def replace_temporary(order: LockedPortOrder, *, agreed: str | None = None, by: User, at: datetime) -> Outcome:
    """Let the ported number take the place of the temporary one: a swap in one step, at no cost (rule S1).

    Once for an order: afterwards the two are numbers like any others. Returns the swap's outcome for the temporary
    number. Raises PortRefused before the order is completed, a second time, and with the swap's reason; ErasedChanged.
    """
    expect(order, "replace")
    if order.temporary_id is None:
        raise PortRefused(_("No temporary number was chosen for this order."))
    ported = PhoneNumber.objects.held().filter(e164=main_number(order)).first()
    rows = {number.pk: number for number in PhoneNumber.objects.locked([order.temporary_id, ported and ported.pk])}
    if ported is None or order.temporary_id not in rows or was_replaced(order):
        raise PortRefused(_("There is no temporary number to replace, or it is replaced already."))
    outcome = swap.swap(rows[order.temporary_id], rows[ported.pk], agreed=agreed, by=by, at=at)
    if outcome.result != Result.DONE:
        raise PortRefused(outcome.sentence)
    step(order, "replace", PortEventKind.REPLACED, key="0", by=by, at=at)
    return outcome


def was_replaced(order: PortOrder) -> bool:
    """Return whether the ported number has taken the place of the temporary one."""
    replaced: bool = PortEvent.objects.filter(order=order, kind=PortEventKind.REPLACED).exists()
    return replaced


def main_number(order: PortOrder) -> str:
    """Return the number (E.164) that stands for the order: a block's switchboard, else the first."""
    if order.base_number and order.pilot:
        return f"{order.base_number}{order.pilot}"
    return numbers_of(order).e164s[0]


def to_activate(order: PortOrder) -> list[str]:
    """Return the numbers (E.164) that arrive in paid service: none unless asked for, and not the one that waits.

    The main number waits, inactive, when it is to replace a temporary one: that swap opens no further slot (rule S1).
    """
    waits = _waits(order)
    return [e164 for e164 in numbers_of(order).e164s if e164 != waits] if order.activate else []


def _waits(order: PortOrder) -> str:
    """Return the number (E.164) that is to replace a temporary one, or nothing if none is."""
    return main_number(order) if order.temporary_id and PortNumber.objects.filter(order=order).exists() else ""


def step(
    order: PortOrder,
    verb: str,
    kind: PortEventKind,
    *,
    key: str,
    by: User | str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    **to: Any,
) -> None:
    """Let a verb happen: the state that `MOVES` says, these fields, one event and the trace. Raises PortRefused.

    The only place that writes an order's state. `key` says which occasion of its kind it is; the database refuses the
    same twice.
    """
    expect(order, verb)
    state = order.state
    to |= {"on_its_way": False} if "to_send" in to else {}
    before, after = audit.change(order, to)
    order.state = MOVES.get((PortState(state), verb), PortState(state))
    order.save(update_fields=["state", *to])
    PortEvent.objects.create(
        tenant_id=order.tenant_id, order=order, kind=kind, key=key, at=at, by_name=str(by)[:120], details=details or {}
    )
    after |= {"state": order.state, **(details or {})}
    trace(order, f"porting.{kind}", before | {"state": state}, after, by=by, at=at)


def expect(order: PortOrder, verb: str) -> None:
    """Raise PortRefused if the verb is not possible in the order's state."""
    if (order.state, verb) not in MOVES and order.state not in STAYS.get(verb, ()):
        sentence = _("This is not possible any more: the order is %(state)s. Please look at it anew.")
        raise PortRefused(str(sentence) % {"state": PortState(order.state).label})


def expect_unlocked(order: PortOrder, *, at: datetime) -> None:
    """Raise PortRefused in the last 24 hours before the confirmed day (rule P3)."""
    if order.is_locked(at):
        raise PortRefused(
            _("The changeover is less than 24 hours away; nothing can be changed any more. Please call us.")
        )


def _put(order: PortOrder, e164s: Sequence[str], *, claimed: bool) -> None:
    """Write the order's numbers anew. Raises PortRefused for those to be claimed that another open order has.

    In one order for everybody, so that two orders that share numbers never wait for one another in a ring.
    """
    PortNumber.objects.filter(order=order).delete()
    rows = [PortNumber(tenant_id=order.tenant_id, order=order, e164=e, open=claimed) for e in sorted(set(e164s))]
    PortNumber.objects.bulk_create(rows, ignore_conflicts=True)
    written = set(PortNumber.objects.filter(order=order).values_list("e164", flat=True))
    if lost := sorted(set(e164s) - written):
        found = port_numbers.not_free(lost)
        raise PortRefused(found[0].sentence, "numbers", found)


def trace(
    order: PortOrder, verb: str, before: dict[str, Any], after: dict[str, Any], *, by: User | str, at: datetime
) -> None:
    """Leave an event of the order in the trace."""
    entry = audit.Entry("port_order", order.pk, order.base_number or order.kind, before, after)
    audit.record(verb, [entry], by=by, at=at, tenant_id=order.tenant_id)
