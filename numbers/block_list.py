"""The list of the tenant's blocks: which part of it an address asks for (rule G4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Value
from django.utils.translation import gettext as _

from numbers import notation
from numbers.models import NumberBlock, PhoneNumber
from portal import columns
from portal.sorting import fold

SHOWN = 50
SORTS = {"base": "base_number", "area": "area__sort_key", "size": "extension_digits"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of the list: search and order; by local area without one."""

    q: str = ""
    sort: str = ""


def read(data: Mapping[str, str]) -> Wanted:
    """Return the part of the list that a query string asks for; what it cannot mean is left out."""
    sort = data.get("sort", "")
    return Wanted(q=columns.term(data), sort=sort if sort.removeprefix("-") in SORTS else "")


def found(wanted: Wanted) -> "QuerySet[NumberBlock]":
    """Return the blocks that match, in the order wanted, their `area` loaded."""
    rows = NumberBlock.objects.select_related("area")
    if wanted.q:
        rows = rows.filter(_matching(wanted.q))
    field = F(SORTS.get(wanted.sort.removeprefix("-"), "area__sort_key"))
    order = field.desc() if wanted.sort.startswith("-") else field.asc()
    ordered: QuerySet[NumberBlock] = rows.order_by(order, "base_number")
    return ordered


def heads(wanted: Wanted) -> list[dict[str, Any]]:
    """Return the heads of the columns; a click sorts by one, a second one the other way round."""
    labels = {
        "base": _("Base number"),
        "area": _("Local area"),
        "size": _("Extensions"),
        "held": _("Yours"),
        "active": _("Active"),
    }
    return columns.heads(labels, sort=wanted.sort, sorts=SORTS, amounts=("size", "held", "active"))


def rows(blocks: Sequence[NumberBlock], *, at: datetime) -> list[dict[str, Any]]:
    """Return the lines of the list, each with how many of a block's numbers are held and active."""
    held = PhoneNumber.objects.held().exclude(extension_digits="")
    bases = held.filter(base_number__in=[block.base_number for block in blocks]).values_list("base_number")
    active = Count("pk", filter=Q(pk__in=PhoneNumber.objects.active(at).values("pk")))
    counted = {base: counts for base, *counts in bases.annotate(held=Count("pk"), active=active)}
    return [
        {
            "pk": block.pk,
            "base": notation.national(block.base_number, block.area.area_code),
            "area": block.area.name,
            "size": 10**block.extension_digits,
        }
        | dict(zip(("held", "active"), counted.get(block.base_number, (0, 0)), strict=True))
        for block in blocks
    ]


def _matching(term: str) -> Q:
    """Match an area by its name, a base number in any notation, or the number of any extension."""
    text = notation.search_text(term)
    if not text.isdecimal():
        return Q(area__sort_key__contains=fold(term))
    number = f"+{text}" if text.startswith("49") else f"+49{text.removeprefix('0')}"
    whole = NumberBlock.objects.alias(whole=Value(number)).filter(whole__startswith=F("base_number"))
    named = Q(base_number__startswith=number) if text.startswith("0") else Q(base_number__contains=text)
    return named | Q(pk__in=whole.values("pk"))
