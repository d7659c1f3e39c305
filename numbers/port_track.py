"""How far a port order has come, what comes next, and what happened, for its page (rule P6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.models import PortEvent, PortEventKind, PortOrder, PortState
from numbers.port_completion import JOB
from numbers.port_days import day
from portal import berlin


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the tracker: `state` is done, now, wrong or empty."""

    title: str
    text: str
    state: str


def tracker(order: PortOrder, events: Sequence[PortEvent], *, to_sign: bool = False) -> list[Step]:
    """Return how far a submitted order has come: submitted, accepted or rejected, date confirmed, done.

    `to_sign` says that a rejected order was corrected and has to be signed anew.
    """
    at = {event.kind: day(berlin.day(event.at)) for event in events}
    confirmed = order.state in (PortState.CONFIRMED, PortState.COMPLETED)
    submitted = Step(_("Submitted"), day(order.submitted_at and berlin.day(order.submitted_at)), "done")
    if order.state == PortState.REJECTED:
        parts = (at.get(PortEventKind.REJECTED, ""), _("to be signed anew") if to_sign else "")
        answer = Step(_("Rejected"), " · ".join(filter(None, parts)), "wrong")
    elif confirmed:
        answer = Step(_("Accepted"), at.get(PortEventKind.ACCEPTED, ""), "done")
    else:
        sent = at.get(PortEventKind.SENT) if not order.to_send else None
        text = _("with the old provider since %(on)s") % {"on": sent} if sent else _("being prepared by us")
        answer = Step(_("Old provider's answer"), text, "now")
    set_on = Step(_("Date confirmed"), day(order.confirmed_on), "done" if confirmed else "")
    if order.state == PortState.COMPLETED:
        done = Step(_("Done"), at.get(PortEventKind.COMPLETED, ""), "done")
    else:
        done = Step(_("Done"), "", "now" if confirmed else "")
    return [submitted, answer, set_on, done]


NEXT = {
    PortState.DRAFT: gettext_lazy("Not submitted yet: fill in what is missing and upload the signed form."),
    PortState.SUBMITTED: gettext_lazy(
        "We hand your order over to the old provider. You get a mail as soon as it has answered; there is nothing to "
        "do for you."
    ),
    PortState.REJECTED: gettext_lazy("Please correct what the old provider objects to, and submit the order again."),
    PortState.COMPLETED: gettext_lazy("The numbers are in your inventory."),
    PortState.CANCELLED: gettext_lazy("The order was cancelled; the numbers stay where they are."),
}


def next_step(order: PortOrder, at: datetime, *, to_sign: bool = False) -> str:
    """Return in one sentence what comes next, and for whom; `to_sign` as in `tracker`."""
    if to_sign:
        return _("The form has to be signed anew and uploaded. Then the order can be submitted.")
    if order.state != PortState.CONFIRMED:
        return str(NEXT[PortState(order.state)])
    on = {"on": day(order.confirmed_on), "asked": day(order.change_on)}
    if order.fault:
        return _("Something went wrong at the changeover. We are working on it together with the old provider.")
    if order.change_on:
        return _("You asked for %(asked)s instead of %(on)s. Until the old provider agrees, %(on)s stands.") % on
    if order.is_locked(at):
        return _("The numbers change over on %(on)s. Less than 24 hours before nothing can be changed any more.") % on
    return _("The numbers change over on %(on)s. Until the day before you can ask for another date or cancel.") % on


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened to an order."""

    at: datetime
    by: str
    text: str
    more: str


def lines(events: Iterable[PortEvent]) -> list[Line]:
    """Return what happened, newest first."""
    return [
        Line(event.at, _by(event.by_name), str(event.get_kind_display()), _more(event.details))
        for event in sorted(events, key=lambda one: (one.at, one.pk), reverse=True)
    ]


def _by(name: str) -> str:
    return _("automatically") if name == JOB else name


def _more(details: Mapping[str, Any]) -> str:
    on = details.get("on")
    parts = [
        day(date.fromisoformat(on)) if on else "",
        *(details.get(name) for name in ("code", "reason", "reference")),
    ]
    return " · ".join(str(part) for part in parts if part)
