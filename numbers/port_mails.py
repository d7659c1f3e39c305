"""Mails about porting: to the tenant's administrators, and to the operator what there is to do. None names a price."""

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from numbers import messages, notation, port_codes
from numbers.models import PortNumber, PortOrder
from portal import outbox
from portal.models import User


def tell(template: str, order: PortOrder, *, at: datetime, **extra: Any) -> None:
    """Write the administrators of the order's tenant what happened to it; days travel as text."""
    said = _said(order) | {name: v.isoformat() if isinstance(v, date) else v for name, v in extra.items()}
    people = messages.administrators([order.tenant_id]).get(order.tenant_id, [])
    outbox.later([_mail(template, one, said, order.tenant_id) for one in people], at=at)


def tell_operator(order: PortOrder, *, at: datetime) -> None:
    """Write the operator that an order waits for them, and what is to be handed over to the old provider."""
    said = _said(order) | {"tenant": order.tenant.name, "to_send": order.to_send}
    outbox.later([outbox.Mail(settings.OPERATOR_EMAIL, "de", "numbers/port_to_do", said)], at=at)


def shown(order: PortOrder, e164s: list[str]) -> list[str]:
    """Return these numbers of an order as DIN 5008 writes them, those of a block with their hyphen (rule N1)."""
    area, base = order.area.area_code if order.area else "", order.base_number
    return [
        notation.national(e164, area, base_number=base, extension=e164[len(base) :] if base else "") for e164 in e164s
    ]


def _mail(template: str, person: User, said: dict[str, Any], tenant_id: int) -> outbox.Mail:
    words = {"name": person.name}
    if code := said.get("code"):
        with translation.override(person.language):
            words["meaning"] = str(port_codes.MEANING[code])
    return outbox.Mail(person.email, person.language, template, said | words, tenant_id)


def _said(order: PortOrder) -> dict[str, Any]:
    e164s = list(PortNumber.objects.filter(order=order).order_by("e164").values_list("e164", flat=True))
    return {
        "pk": order.pk,
        "numbers": [{"number": number} for number in shown(order, e164s[: messages.SHOWN])],
        "count": len(e164s),
        "more": max(0, len(e164s) - messages.SHOWN),
        "provider": order.provider.name if order.provider else "",
        "confirmed": order.confirmed_on.isoformat() if order.confirmed_on else "",
        "requested": order.requested_on.isoformat() if order.requested_on else "",
    }
