"""The form a port order is signed on: "Anbieterwechsel- und Portierungsauftrag", filled in (rule P5)."""

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.utils import translation

from numbers import notation, paper
from numbers.models import HolderKind, PortKind, PortOrder
from portal.hotline import hotline

ROWS = 4  # single numbers side by side


def form(order: PortOrder, numbers: Sequence[str], *, on: date) -> bytes:
    """Return the PDF to sign, made on a day: in German, for the old provider reads it.

    `numbers` are written for people; the order's `tenant`, `area` and `provider` must be loaded.
    """
    code = order.area.area_code if order.area and order.kind == PortKind.BLOCK else ""
    names = [order.holder_name, order.holder_addition][:: -1 if order.holder_kind == HolderKind.PERSON else 1]
    context = {
        "order": order,
        "numbers": [numbers[at : at + ROWS] for at in range(0, len(numbers), ROWS)],
        "base": notation.national(order.base_number, code) if code else "",
        "signer": " ".join(filter(None, names)),
        "tenant": order.tenant,
        "on": on,
        "operator_name": settings.OPERATOR_NAME,
        "operator_address": settings.OPERATOR_ADDRESS,
        "hotline": hotline(),
    }
    with translation.override("de"):
        return paper.render("numbers/porting/paper.html", "numbers/porting/paper.css", context)
