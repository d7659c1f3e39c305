"""The form a port order is signed on: "Anbieterwechsel- und Portierungsauftrag", filled in (rule P5)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.utils import translation

from numbers import notation, paper
from numbers.models import HolderKind, PortKind, PortOrder
from portal.hotline import hotline

ROWS = 4  # single numbers side by side
TEMPLATE = "numbers/porting/paper.html"


def form(order: PortOrder, numbers: Sequence[str], *, code: str, on: date) -> bytes:
    """Return the PDF to sign, made on a day: in German, for the old provider reads it.

    `numbers` are written for people, `code` (of `port_signed`) tells this form from others; the order's `tenant`,
    `area` and `provider` must be loaded.
    """
    with translation.override("de"):
        return paper.render(TEMPLATE, "numbers/porting/paper.css", said(order, numbers, code=code, on=on))


def said(order: PortOrder, numbers: Sequence[str], *, code: str, on: date) -> dict[str, Any]:
    """Return what the form says; what it prints of the order is what `port_signed.PRINTED` compares."""
    area_code = order.area.area_code if order.area and order.kind == PortKind.BLOCK else ""
    names = [order.holder_name, order.holder_addition][:: -1 if order.holder_kind == HolderKind.PERSON else 1]
    return {
        "order": order,
        "numbers": [numbers[at : at + ROWS] for at in range(0, len(numbers), ROWS)],
        "base": notation.national(order.base_number, area_code) if area_code else "",
        "signer": " ".join(filter(None, names)),
        "tenant": order.tenant,
        "code": code,
        "on": on,
        "operator_name": settings.OPERATOR_NAME,
        "operator_address": settings.OPERATOR_ADDRESS,
        "hotline": hotline(),
    }
