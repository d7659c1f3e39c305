"""The form of the page on which somebody leaves: one choice per number."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from numbers.people import Held, Then
from staff.models import StaffMember


class ReleaseForm(forms.Form):
    """For each number a colleague, or nobody; then the person is locked or leaves."""

    then = forms.ChoiceField(
        label=_("Then"),
        choices=[(Then.LOCK, _("Lock the person")), (Then.LEAVE, _("Remove the person for good"))],
        widget=forms.RadioSelect,
    )
    operation_id = forms.UUIDField()

    def __init__(self, *args: Any, held: Sequence[Held], colleagues: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = [number for number in held if not number.begins]
        choices = [("", _("Nobody (remove the assignment)")), *((str(pk), name) for pk, name in colleagues)]
        for number in self.held:
            self.fields[f"to_{number.number_id}"] = forms.ChoiceField(
                label=number.number, choices=choices, required=False
            )

    def lines(self) -> list[tuple[Held, BoundField]]:
        """Return each number with its field."""
        return [(number, self[f"to_{number.number_id}"]) for number in self.held]

    def heirs(self, people: Mapping[int, StaffMember]) -> dict[int, StaffMember]:
        """Return who gets which number, by its id."""
        chosen = {n.number_id: self.cleaned_data[f"to_{n.number_id}"] for n in self.held}
        return {number_id: people[int(text)] for number_id, text in chosen.items() if text and int(text) in people}
