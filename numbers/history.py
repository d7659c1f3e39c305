"""What happened: events of the trace as sentences, for a number's page, the dashboard and the tenant's history."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from numbers import (
    destinations,
    effects,
    forwarding,
    handovers,
    letter_history,
    letters,
    port_completion,
    port_history,
    swap_choices,
)
from numbers.destinations import Names
from numbers.models import Forwarding, NumberOrder, OrderState, PhoneNumber, Usage
from portal import berlin, tenancy
from portal.models import AuditEvent, Membership
from staff import history as staff_history

# verb: what a person chooses in the filter, and the icon and tone of its line
KINDS: dict[str, tuple[Promise, str, str]] = {
    "tenant.created": (gettext_lazy("Company added to the portal"), "building-2", ""),
    "number.added": (gettext_lazy("Added to the inventory"), "plus", ""),
    "number.activated": (gettext_lazy("Activated"), "circle-play", "ok"),
    "number.deactivation_scheduled": (gettext_lazy("Deactivation scheduled"), "circle-alert", "warn"),
    "number.deactivation_withdrawn": (gettext_lazy("Deactivation withdrawn"), "undo-2", "ok"),
    "number.deactivated": (gettext_lazy("Deactivated"), "circle-minus", "off"),
    "number.swapped_out": (gettext_lazy("Swapped out"), "shuffle", "off"),
    "number.swapped_in": (gettext_lazy("Swapped in"), "shuffle", "ok"),
    "number.changed": (gettext_lazy("Label, note or usage changed"), "pencil", ""),
    "number.forwarded": (gettext_lazy("Forwarding set up"), "phone-forwarded", ""),
    "number.forwarding_removed": (gettext_lazy("Forwarding removed"), "phone-off", "off"),
    "calls.viewed": (gettext_lazy("Calls looked at"), "search", ""),
    "calls.purged": (gettext_lazy("Calls deleted with the reassignment"), "trash-2", "off"),
    "calls.retention_changed": (gettext_lazy("How long calls are kept was changed"), "shield-check", "warn"),
    "itemised_bill.ordered": (gettext_lazy("Itemised bill ordered, with the declaration"), "list-checks", "ok"),
    "itemised_bill.withdrawn": (gettext_lazy("Itemised bill and declaration withdrawn"), "undo-2", "off"),
    "dispute.opened": (gettext_lazy("Dispute opened"), "circle-alert", "warn"),
    "dispute.closed": (gettext_lazy("Dispute closed"), "circle-check", ""),
    "number.assigned": (gettext_lazy("Assigned"), "user-plus", "ok"),
    "number.unassigned": (gettext_lazy("Assignment removed"), "user-minus", "off"),
    "number.handover_planned": (gettext_lazy("Hand-over planned"), "calendar-clock", "warn"),
    "number.handover_withdrawn": (gettext_lazy("Hand-over withdrawn"), "undo-2", "ok"),
    "number.returned": (gettext_lazy("Returned"), "arrow-left", "off"),
    "number.ported_out": (gettext_lazy("Ported out"), "arrow-right", "off"),
}
KINDS |= {
    "order.placed": (gettext_lazy("Numbers ordered"), "shopping-cart", ""),
    "order.approved": (gettext_lazy("Order approved"), "circle-check", "ok"),
    "order.rejected": (gettext_lazy("Order rejected"), "circle-x", "off"),
}
KINDS |= {
    "fax.received": (gettext_lazy("Fax printed"), "printer", ""),
    "fax.addressed": (gettext_lazy("Number of a fax entered"), "pencil", ""),
    "fax.sent": (gettext_lazy("Fax sent"), "circle-check", "ok"),
    "fax.failed": (gettext_lazy("Fax not sent"), "circle-x", "warn"),
    "fax.cancelled": (gettext_lazy("Fax cancelled"), "circle-slash", "off"),
    "fax.retried": (gettext_lazy("Fax sent again"), "refresh-cw", ""),
    "fax.deleted": (gettext_lazy("Fax deleted"), "trash-2", "off"),
}
KINDS |= staff_history.KINDS | letter_history.KINDS | port_history.KINDS
OTHER = (gettext_lazy("Event"), "info", "")
FIELDS = {"label": gettext_lazy("Label"), "usage": gettext_lazy("Usage"), "note": gettext_lazy("Note")}
PAGE = 50
FAX_JOB = "send_faxes"  # who acts for the worker of the floor above
AUTOMATIC = "automatic"  # the person in the filter for what a job did


@dataclass(frozen=True, slots=True)
class Line:
    """One event, ready to be shown: `number` is written after DIN 5008, `number_id` leads to its page, `order_id` to
    that of an order."""

    at: datetime
    sentence: str
    actor: str
    icon: str
    tone: str
    number: str
    number_id: int | None
    order_id: int | None


type Say = Callable[[Any, Any, Names], str]


def teach(kinds: dict[str, tuple[Promise, str, str]], sentences: Mapping[str, Say]) -> None:
    """Add what a floor above leaves in the trace: its verbs as KINDS has them, and how they are said."""
    KINDS.update(kinds)
    _SENTENCES.update(sentences)


def events() -> QuerySet[AuditEvent]:
    """Return what happened in the announced tenant, newest first."""
    return AuditEvent.objects.filter(tenant_id=tenancy.current()).order_by("-pk")


def of_numbers() -> QuerySet[AuditEvent]:
    """Return what happened to the tenant's numbers, newest first."""
    return events().filter(object_type="number")


def of_number(number: PhoneNumber) -> QuerySet[AuditEvent]:
    """Return everything that ever happened to this number, newest first, with the order that brought it."""
    orders = NumberOrder.objects.filter(decided_at=number.allocated_at, numbers__contains=[number.e164])
    ordered = Q(object_type="order", object_id__in=list(orders.values_list("pk", flat=True)))
    return events().filter(Q(object_type="number", object_id=number.pk) | ordered)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the history is narrowed to; days are Berlin days, both included. `person` is a user's id or AUTOMATIC."""

    verb: str = ""
    person: str = ""
    number: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def any(self) -> bool:
        return self != Wanted()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the history; `newer` and `older` are the ids from which the neighbouring pages begin."""

    lines: list[Line]
    newer: int | None
    older: int | None


def people() -> list[tuple[str, str]]:
    """Return the people whose acts can be asked for, as (id, name)."""
    members = Membership.objects.filter(tenant_id=tenancy.current()).select_related("user").order_by("user__name")
    return [(str(member.user_id), member.user.name) for member in members]


def page(wanted: Wanted, *, before: int | None, after: int | None) -> Page:
    """Return the events just older than `before` or just newer than `after` (ids), else the newest.

    Keyset paging: a deep page costs what the first one does.
    """
    found = _narrowed(wanted)
    if after:
        ascending = found.filter(pk__gt=after).order_by("pk")[: PAGE + 1]
        newer_first = list(ascending)
        rows = newer_first[:PAGE][::-1]
        return Page(lines(rows), rows[0].pk if len(newer_first) > PAGE else None, rows[-1].pk if rows else None)
    older = list((found.filter(pk__lt=before) if before else found)[: PAGE + 1])
    rows = older[:PAGE]
    return Page(
        lines(rows),
        newer=rows[0].pk if rows and before else None,
        older=rows[-1].pk if len(older) > PAGE else None,
    )


def _narrowed(wanted: Wanted) -> QuerySet[AuditEvent]:
    found = events()
    if wanted.verb:
        found = found.filter(verb=wanted.verb)
    if wanted.person:
        found = found.filter(actor=None if wanted.person == AUTOMATIC else int(wanted.person))
    if wanted.number:
        found = found.filter(object_type="number", object_id__in=swap_choices.matching(wanted.number))
    if wanted.since:
        found = found.filter(at__gte=berlin.begin(wanted.since))
    if wanted.until:
        found = found.filter(at__lt=berlin.begin(wanted.until + timedelta(days=1)))
    return found


def lines(found: Iterable[AuditEvent]) -> list[Line]:
    """Return these events as sentences in the reader's language (one query for the numbers they name)."""
    rows = list(found)
    names = _names(rows)
    return [_line(event, names) for event in rows]


def _line(event: AuditEvent, names: Names) -> Line:
    kind, icon, tone = KINDS.get(event.verb, OTHER)
    is_number = event.object_type == "number"
    return Line(
        at=event.at,
        sentence=_sentence(event, names) or str(kind),
        actor=_actor(event),
        icon=icon,
        tone=tone,
        number=names.get(event.object_label, event.object_label) if is_number else "",
        number_id=event.object_id if is_number else None,
        order_id=event.object_id if event.object_type == "order" else None,
    )


def _sentence(event: AuditEvent, names: Names) -> str:
    if event.verb in letter_history.KINDS:
        return letter_history.sentence(event)
    if event.verb in port_history.KINDS:
        return port_history.sentence(event)
    if event.verb in staff_history.KINDS:
        return staff_history.named(event)
    say = _SENTENCES.get(event.verb)
    return say(event.before, event.after, names) if say else ""


def _actor(event: AuditEvent) -> str:
    if event.actor_name in (effects.JOB, forwarding.JOB, handovers.JOB, letters.JOB, port_completion.JOB):
        return _("automatically, on the planned date")
    if event.actor_name == FAX_JOB:
        return _("automatically")
    return event.actor_name


def _names(rows: Sequence[AuditEvent]) -> Names:
    """Return how the numbers named by these events are written."""
    named = {
        str(value) for event in rows for value in (event.object_label, *event.before.values(), *event.after.values())
    }
    return destinations.names(text for text in named if text.startswith("+49"))


def _day(text: str) -> str:
    return date_format(date.fromisoformat(text), "SHORT_DATE_FORMAT") if text else ""


def _activated(before: Any, after: Any, names: Names) -> str:
    return _("Activated")


def _scheduled(before: Any, after: Any, names: Names) -> str:
    return _("Deactivation scheduled, active up to and including %(on)s") % {
        "on": _day(after.get("last_active_on", ""))
    }


def _withdrawn(before: Any, after: Any, names: Names) -> str:
    day = _day(before.get("last_active_on", ""))
    return _("Deactivation on %(on)s withdrawn, the number stays active") % {"on": day}


def _deactivated(before: Any, after: Any, names: Names) -> str:
    return _("Deactivated, inactive from %(on)s") % {"on": _day(after.get("inactive_from", ""))}


def _swapped_out(before: Any, after: Any, names: Names) -> str:
    new = names.get(after.get("new", ""), "")
    return _("Swapped for %(number)s, all settings deleted, now inactive") % {"number": new}


def _swapped_in(before: Any, after: Any, names: Names) -> str:
    return _("Took the place of %(number)s, now active") % {"number": names.get(after.get("old", ""), "")}


def _changed(before: Any, after: Any, names: Names) -> str:
    return "; ".join(_change(field, before.get(field, ""), after[field]) for field in FIELDS if field in after)


def _change(field: str, before: str, after: str) -> str:
    if field == "note":
        return _("Note changed") if after else _("Note removed")
    if field == "usage":
        before, after = (str(Usage(value).label) if value else "" for value in (before, after))
    words = {"field": FIELDS[field], "before": before, "after": after}
    if not after:
        return _("%(field)s “%(before)s” removed") % words
    if not before:
        return _("%(field)s “%(after)s” set") % words
    return _("%(field)s changed from “%(before)s” to “%(after)s”") % words


def _forwarded(before: Any, after: Any, names: Names) -> str:
    return _("Forwarding %(when)s to %(destination)s set up") % _rule(after, names)


def _forwarding_removed(before: Any, after: Any, names: Names) -> str:
    return _("Forwarding %(when)s to %(destination)s removed") % _rule(before, names)


def _assigned(before: Any, after: Any, names: Names) -> str:
    words = {"name": after.get("staff_member", ""), "before": before.get("staff_member", "")}
    if before:
        return _("Assigned to %(name)s, until then %(before)s had it") % words
    return _("Assigned to %(name)s") % words


def _unassigned(before: Any, after: Any, names: Names) -> str:
    return _("No longer assigned to %(name)s") % {"name": before.get("staff_member", "")}


def _planned(before: Any, after: Any, names: Names) -> str:
    return _("Hand-over to %(name)s on %(on)s planned") % _handover(after)


def _called_off(before: Any, after: Any, names: Names) -> str:
    return _("Hand-over to %(name)s on %(on)s withdrawn") % _handover(before)


def _handover(kept: Any) -> dict[str, str]:
    return {"name": kept.get("staff_member", ""), "on": _day(kept.get("from_on", ""))}


def _ordered(before: Any, after: Any, names: Names) -> str:
    count = after.get("count", 1)
    words = {"count": count, "area": after.get("area", "")}
    if after.get("state") == OrderState.PLACED:
        return _("%(count)s numbers in %(area)s ordered, waiting for approval") % words
    return ngettext("%(count)s number in %(area)s ordered", "%(count)s numbers in %(area)s ordered", count) % words


def _order_rejected(before: Any, after: Any, names: Names) -> str:
    return _("Order rejected: %(reason)s") % {"reason": after.get("reason", "")}


def _rule(rule: Any, names: Names) -> dict[str, str]:
    destination = rule.get("destination", "")
    when = str(Forwarding.When(rule.get("when", "always")).label)
    if seconds := rule.get("after_seconds"):
        when = _("when there is no answer after %(seconds)s s") % {"seconds": seconds}
    return {"when": when, "destination": names.get(destination) or destinations.written(destination)}


_SENTENCES: dict[str, Say] = {
    "number.activated": _activated,
    "number.deactivation_scheduled": _scheduled,
    "number.deactivation_withdrawn": _withdrawn,
    "number.deactivated": _deactivated,
    "number.swapped_out": _swapped_out,
    "number.swapped_in": _swapped_in,
    "number.changed": _changed,
    "number.forwarded": _forwarded,
    "number.forwarding_removed": _forwarding_removed,
    "number.assigned": _assigned,
    "number.unassigned": _unassigned,
    "number.handover_planned": _planned,
    "number.handover_withdrawn": _called_off,
    "order.placed": _ordered,
    "order.rejected": _order_rejected,
}
