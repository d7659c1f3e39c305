"""The list of the tenant's port orders: which part of it an address asks for (rule G4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Min, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from numbers import notation
from numbers.models import PortNumber, PortOrder, PortProvider, PortState
from portal import columns
from portal.sorting import fold

SHOWN = 50
SORTS = ("numbers", "provider", "on", "by")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of the list: search, state ("" is any) and order; newest first without one."""

    q: str = ""
    state: str = ""
    sort: str = ""


def read(data: Mapping[str, str]) -> Wanted:
    """Return the part of the list that a query string asks for; what it cannot mean is left out."""
    state, sort = data.get("state", ""), data.get("sort", "")
    return Wanted(
        q=columns.term(data),
        state=state if state in PortState.values else "",
        sort=sort if sort.removeprefix("-") in SORTS else "",
    )


def found(wanted: Wanted) -> "QuerySet[PortOrder]":
    """Return the orders that match, in the order wanted, with what the list shows of each."""
    rows = PortOrder.objects.select_related("area", "provider", "by")
    if wanted.state:
        rows = rows.in_state(wanted.state)
    if wanted.q:
        rows = rows.filter(matching(wanted.q))
    rows = rows.annotate(first=Min("numbers__e164"), on=Coalesce("confirmed_on", "requested_on"))
    field = F(
        {"numbers": "first", "provider": "provider__sort_key", "by": "by__name"}.get(_bare(wanted), _bare(wanted))
    )
    down = wanted.sort.startswith("-")
    order = [field.desc(nulls_last=True) if down else field.asc(nulls_last=True)] if wanted.sort else []
    ordered: QuerySet[PortOrder] = rows.order_by(*order, "-pk")
    return ordered


def heads(wanted: Wanted) -> list[dict[str, Any]]:
    """Return the heads of the columns; a click sorts by one, a second one the other way round."""
    labels = {
        "numbers": _("Phone numbers"),
        "provider": _("Old provider"),
        "state": _("State"),
        "on": _("Date"),
        "by": _("By"),
    }
    return columns.heads(labels, sort=wanted.sort, sorts=SORTS)


def _bare(wanted: Wanted) -> str:
    return wanted.sort.removeprefix("-")


def matching(term: str) -> Q:
    """Match a number in any notation, provider, area, customer number or reference there, or who began the order."""
    text = notation.search_text(term)
    words = Q(provider__in=PortProvider.objects.matching(term)) | Q(area__sort_key__contains=fold(term))
    words |= Q(provider_customer_number__icontains=term) | Q(by__name__icontains=term) | Q(reference__icontains=term)
    if not text.isdecimal():
        return words
    digits = text.removeprefix("0")
    return words | Q(pk__in=PortNumber.objects.filter(e164__contains=digits).values("order"))
