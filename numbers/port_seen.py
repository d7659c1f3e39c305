"""What a page of a port order showed: its form sends it back, and a stale page changes nothing."""

import hashlib
import json
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from numbers import port_page, port_signed, porting
from numbers.models import PortOrder
from numbers.porting import PortRefused
from portal.models import AuditEvent, User


class Overtaken(Exception):
    """Somebody changed the step of the wizard since its page was opened."""


def standing(order: PortOrder) -> str:
    """Return where an order stands, for whoever cancels it or asks for another date: what can be edited, with it."""
    return contents(order) if order.is_editable() else ".".join(map(str, _stands(order)))


def contents(order: PortOrder) -> str:
    """Return a digest of what the summary shows of an order: where it stands, and all that was entered."""
    printed = port_signed.printed(order, porting.numbers_of(order).e164s)
    said = [*_stands(order), printed, order.activate, order.temporary_id]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def entered(order: PortOrder, step: str) -> str:
    """Return a digest of what a step of the wizard shows of an order; what stands on other steps changes nothing."""
    said: list[Any] = [order.serializable_value(name) for name in port_page.fields_of(step)]
    said += porting.numbers_of(order).e164s if step == "numbers" else ()
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def meanwhile(order: PortOrder, step: str, *, seen: str, user: User) -> dict[str, Any]:
    """Return who changed a step last and what it says now, for a person who had it open since before.

    `by` is empty if their page does not say what it showed: then nobody can be said to have changed anything.
    """
    names = [name for name in port_page.STEPS[step][2] if name != "address"]
    changes = AuditEvent.objects.filter(object_type="port_order", object_id=order.pk, after__has_any_keys=names)
    last = changes.order_by("-id").first()
    says = next(section.pairs for section in port_page.sections(order, []) if section.name == step)
    by = last.actor_name if last else _("Somebody")
    return {"by": by if seen else "", "self": last is not None and last.actor_id == user.pk, "says": says}


def _stands(order: PortOrder) -> list[Any]:
    known = int(porting.is_known_there(order))
    return [order.state, order.attempt, order.changes, known, order.confirmed_on, order.change_on]


def expect(now: str, seen: str, otherwise: Promise) -> None:
    """Raise PortRefused with this sentence if the page had shown something else."""
    if now != seen:
        raise PortRefused(otherwise)
