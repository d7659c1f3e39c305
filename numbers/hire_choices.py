"""What the page of a new staff member offers: the numbers they may get, narrowed by a search (rules A1 and A2)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from numbers import assignment_preview, detail, holders, messages
from numbers.assignment_preview import Preview
from numbers.models import PhoneNumber, Usage
from numbers.swap_choices import matching

OFFERED = 12  # more options than that nobody reads; the search narrows them


@dataclass(frozen=True, slots=True)
class Choice:
    """A number that may be chosen: what it is, and who has it at present (names, empty for nobody)."""

    number_id: int
    number: str
    text: str
    held_by: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A number that was chosen, with who has it and what goes with them: what the dialog of an assignment shows."""

    choice: Choice
    shown: Preview

    @property
    def seen(self) -> str:
        """Return what whoever looks at the page sees of the present holder: their interval, to be posted back."""
        return str(self.shown.interval or "")


@dataclass(frozen=True, slots=True)
class Offer:
    """The numbers chosen, those that may be chosen beside them, and whether a search would bring others."""

    chosen: list[Chosen]
    others: list[Choice]
    more: bool


def offer(term: str, *, chosen: Collection[int], at: datetime) -> Offer:
    """Offer the first working numbers that match, those of nobody first; what is chosen stands before all others."""
    kept = PhoneNumber.objects.held().filter(pk__in=list(chosen)).select_related("area").order_by("e164")
    others = PhoneNumber.objects.active(at).exclude(pk__in=list(chosen)).select_related("area")
    if term.strip():
        others = others.filter(pk__in=matching(term))
    held = Exists(holders.present(at).filter(number=OuterRef("pk")))
    rows = list(others.annotate(held=held).order_by("held", "e164")[: OFFERED + 1])
    names = _names([*kept, *rows], at)
    rules = detail.rules_of(kept, at=at)
    return Offer(
        [Chosen(_choice(n, names), assignment_preview.preview(n, rules=rules[n.pk], at=at)) for n in kept],
        [_choice(n, names) for n in rows[:OFFERED]],
        more=len(rows) > OFFERED,
    )


def _names(numbers: Collection[PhoneNumber], at: datetime) -> dict[int, str]:
    found = holders.of_numbers([number.pk for number in numbers], at=at)
    return {pk: ", ".join(holder.name for holder in holding.present) for pk, holding in found.items()}


def _choice(number: PhoneNumber, names: dict[int, str]) -> Choice:
    usage = str(number.get_usage_display()) if number.usage != Usage.VOICE else ""
    text = " · ".join(part for part in (number.area.name, number.label, usage) if part)
    return Choice(number.pk, messages.display(number), text, names.get(number.pk, ""))
