"""What the swap page offers: the numbers that can take part, narrowed by a search, and what a swap would erase."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models.expressions import RawSQL
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from numbers import messages, overview, port_out, swap
from numbers.models import PhoneNumber
from numbers.outcomes import Outcome
from numbers.swap import Erased

OFFERED = 50  # more options than that nobody reads; the search narrows them
FOUND = 1_000


@dataclass(frozen=True, slots=True)
class Offer:
    """The options of one select as (id, text), and whether a search would bring others."""

    options: list[tuple[int, str]]
    more: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything the page shows about a swap that is being put together.

    `erased` says what the old number loses; `refusal` why the present pair (or the old number alone) cannot be swapped.
    """

    old: PhoneNumber | None
    new: PhoneNumber | None
    old_offer: Offer
    new_offer: Offer
    erased: Erased | None
    refusal: Outcome | None


def choices(*, old: PhoneNumber | None, new: PhoneNumber | None, old_term: str, new_term: str, at: datetime) -> Choices:
    """Return the options for both selects and the consequences of the present choice (rules S2 and S3).

    The new number is offered at the price of the old one only. `area` of both must be loaded.
    """
    inactive = PhoneNumber.objects.inactive(at)
    if old:
        inactive = inactive.filter(price_class=old.price_class)
    active, idle = _found(PhoneNumber.objects.unscheduled(at), old_term, old), _found(inactive, new_term, new)
    leaving = port_out.leaving([number.pk for number in (*active, *idle)])
    return Choices(
        old=old,
        new=new,
        old_offer=_offer(active, leaving),
        new_offer=_offer(idle, leaving),
        erased=swap.erased(old, at=at) if old else None,
        refusal=swap.refusal_of_old(old, at=at) if old else None,
    )


def matching(term: str) -> RawSQL:
    """Return the ids of the numbers a search finds, as a subquery: number in any notation, area or label."""
    return RawSQL("SELECT search_numbers(%s, %s)", [overview.search_terms(term), FOUND])


def _found(numbers: Any, term: str, keep: PhoneNumber | None) -> list[PhoneNumber]:
    """Return the first that match, and the one already chosen before all others; one more than is offered, if any."""
    if term.strip():
        numbers = numbers.filter(pk__in=matching(term))
    found: Iterable[PhoneNumber] = numbers.select_related("area").order_by("e164")[: OFFERED + 1]
    rows = [number for number in found if not keep or number.pk != keep.pk]
    return [keep, *rows] if keep else rows


def _offer(numbers: Sequence[PhoneNumber], leaving: Mapping[int, date]) -> Offer:
    return Offer([(n.pk, _text(n, leaving.get(n.pk))) for n in numbers[:OFFERED]], more=len(numbers) > OFFERED)


def _text(number: PhoneNumber, leaves_on: date | None) -> str:
    """Return an option: the number, what it is called, and when another provider takes it over (rule P7)."""
    on = leaves_on and date_format(leaves_on, "SHORT_DATE_FORMAT")
    leaves = _("leaves for another provider on %(on)s") % {"on": on} if on else ""
    return " · ".join(part for part in (messages.display(number), number.area.name, number.label, leaves) if part)
