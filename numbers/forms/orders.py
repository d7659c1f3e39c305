"""Ordering: what is looked for, what was chosen, and what somebody agreed to."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers import pool
from numbers.models import OrderKind
from numbers.orders import BLOCK_SIZES
from numbers.pool import PatternRefused
from portal.documents import MOST_BYTES

MOST = 100  # numbers of one order; a block of 100 is the largest


class SearchForm(forms.Form):
    """Which numbers somebody looks for: where, of what kind, how many, and what they should look like."""

    area = forms.ChoiceField(
        label=_("Local area"),
        error_messages={
            "required": _("Please choose a local area."),
            "invalid_choice": _("You have no verified address in this local area. Please verify one first."),
        },
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=OrderKind.choices, widget=forms.RadioSelect, initial="single")
    count = forms.IntegerField(
        label=_("How many"),
        initial=1,
        min_value=1,
        max_value=MOST,
        help_text=_("A block has 10 or 100 numbers."),
        error_messages={
            "min_value": _("Please choose at least one number."),
            "max_value": _("One order has at most 100 numbers."),
            "invalid": _("Please enter how many numbers you need, e.g. 5."),
            "required": _("Please enter how many numbers you need, e.g. 5."),
        },
    )
    q = forms.CharField(
        label=_("Pattern"),
        required=False,
        max_length=20,
        help_text=_("For numbers that are easy to remember: ? is one digit, * any digits, e.g. *777 or 12?21."),
    )

    def __init__(self, *args: Any, areas: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["area"].choices = [("", _("Please choose")), *areas]  # type: ignore[attr-defined]  # a ChoiceField

    def clean_q(self) -> str:
        text: str = self.cleaned_data["q"]
        try:
            pool.expression(text, self.cleaned_data.get("area", ""))
        except PatternRefused as refused:
            raise forms.ValidationError(str(refused.reason)) from refused
        return text

    def clean(self) -> dict[str, Any]:
        kind, count = self.cleaned_data.get("kind"), self.cleaned_data.get("count")
        if kind == OrderKind.BLOCK and count and count not in BLOCK_SIZES:
            self.add_error("count", _("A block has 10 or 100 numbers; please enter one of the two."))
        if kind == OrderKind.CONSECUTIVE and count == 1:
            self.add_error("count", _("Consecutive numbers are at least two."))
        return self.cleaned_data


class ChoiceForm(forms.Form):
    """What was picked from the list, or that the next free ones will do."""

    next = forms.BooleanField(required=False)
    basket = forms.UUIDField(required=False)

    def picked(self) -> list[str]:
        """Return the numbers ticked (E.164), or the first one of each run."""
        ticked: list[str] = self.data.getlist("numbers")  # type: ignore[attr-defined]  # a QueryDict
        return [text for text in dict.fromkeys(ticked) if text[:1] == "+" and text[1:].isdecimal() and len(text) < 17]


class ConfirmForm(forms.Form):
    """The figures that were shown, and the proof where one is needed (rule O3)."""

    operation_id = forms.UUIDField()
    basket = forms.UUIDField()
    kind = forms.ChoiceField(choices=OrderKind.choices)
    count_seen = forms.IntegerField(min_value=1)
    fee_seen = forms.DecimalField(max_digits=10, decimal_places=2)
    proof = forms.FileField(
        label=_("Proof of your need"),
        required=False,
        help_text=_("PDF or JPEG, at most 10 MB, e.g. a plan of your extensions or your number of staff."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.jpg,.jpeg"}),
    )

    def wanting_proof(self, *, wanted: bool) -> "ConfirmForm":
        """Say beside the field whether the proof is needed."""
        self.fields["proof"].required = wanted
        return self

    def clean_proof(self) -> bytes:
        file = self.cleaned_data["proof"]
        if not file:
            return b""
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 10 MB."))
        content: bytes = file.read()
        return content
