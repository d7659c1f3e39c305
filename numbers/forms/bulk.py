"""Bulk actions: which numbers and what to do with them, and what somebody saw when they confirmed it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from billing.models import PriceClass
from numbers.forms.assignment import PersonChoice
from numbers.forms.overview import read as read_filters
from numbers.models import BulkRun
from numbers.overview import Wanted

MOST_TICKED = 100  # a page has no more rows


@dataclass(frozen=True, slots=True)
class Choice:
    """A verb, and the numbers ticked or (`everything`) all that match what is wanted, as a query string."""

    verb: BulkRun.Verb
    ids: tuple[int, ...]
    everything: str

    @property
    def wanted(self) -> Wanted:
        return read_filters(QueryDict(self.everything))


def read(data: QueryDict) -> Choice | None:
    """Return what a form or address chose, or None if it chose nothing."""
    verb, everything = data.get("verb", ""), data.get("everything", "")
    ids = {
        int(text)
        for text in data.getlist("ids")[:MOST_TICKED]
        if text.isascii() and text.isdecimal() and len(text) < 19
    }
    if verb not in BulkRun.Verb or not (ids or everything):
        return None
    return Choice(BulkRun.Verb(verb), () if everything else tuple(sorted(ids)), everything)


class ConfirmForm(forms.Form):
    """The figures that were shown: nothing else can happen than what was agreed to (rules L1 and C4)."""

    operation_id = forms.UUIDField()
    changing = forms.IntegerField(min_value=0)
    date_seen = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    to = PersonChoice(label=_("Assign the numbers to"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for price_class in PriceClass:
            self.fields[f"price_{price_class}"] = forms.DecimalField(required=False, max_digits=8, decimal_places=2)

    def seen(self) -> dict[str, Any]:
        """Return the figures by name, as `bulk_preview.Preview.agrees` takes them."""
        return {
            "changing": self.cleaned_data["changing"],
            "prices_seen": self.prices_seen(),
            "date_seen": self.cleaned_data["date_seen"],
        }

    def prices_seen(self) -> dict[str, Decimal]:
        prices = {str(price_class): self.cleaned_data[f"price_{price_class}"] for price_class in PriceClass}
        return {name: price for name, price in prices.items() if price is not None}
