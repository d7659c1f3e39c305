"""The form of the page on which somebody leaves: what becomes of each number."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from numbers.forwarding import ForwardingRefused, read_destination
from numbers.people import Away, Held, Then
from staff.models import StaffMember


class ReleaseForm(forms.Form):
    """For each number a colleague, a destination for some days, or neither; then the person is locked or leaves."""

    then = forms.ChoiceField(
        label=_("Then"),
        choices=[(Then.LOCK, _("Lock the person")), (Then.LEAVE, _("Remove the person for good"))],
        widget=forms.RadioSelect,
    )
    days = forms.IntegerField(
        label=_("Days of forwarding"),
        min_value=1,
        max_value=180,
        initial=30,
        required=False,
        help_text=_("Only for numbers whose calls are forwarded: 1 to 180 days, then the forwarding ends by itself."),
    )
    operation_id = forms.UUIDField()

    def __init__(self, *args: Any, held: Sequence[Held], colleagues: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = [number for number in held if not number.begins]
        choices = [("", _("Nobody (remove the assignment)")), *((str(pk), name) for pk, name in colleagues)]
        for number in self.held:
            label = _("%(number)s goes to") % {"number": number.number}
            self.fields[f"to_{number.number_id}"] = forms.ChoiceField(label=label, choices=choices, required=False)
            self.fields[f"away_{number.number_id}"] = forms.CharField(
                label=_("Or forward its calls for some days to"),
                max_length=120,
                required=False,
                widget=forms.TextInput({"autocomplete": "off", "placeholder": _("Phone number or SIP address")}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for number in self.held:
            self._clean_away(f"away_{number.number_id}", cleaned.get(f"to_{number.number_id}", ""))
        return cleaned

    def _clean_away(self, name: str, heir: str) -> None:
        if not (text := self.cleaned_data.get(name)):
            return
        if heir:
            self.add_error(name, _("Choose a colleague or a destination, not both."))
        elif self.cleaned_data.get("days") is None and "days" not in self.errors:
            self.add_error("days", _("Please say for how many days, 1 to 180."))
        try:
            self.cleaned_data[name] = read_destination(text)
        except ForwardingRefused as refused:
            self.add_error(name, str(refused.reason))

    def lines(self) -> list[tuple[Held, BoundField, BoundField]]:
        """Return each number with its fields."""
        return [(number, self[f"to_{number.number_id}"], self[f"away_{number.number_id}"]) for number in self.held]

    def heirs(self, people: Mapping[int, StaffMember]) -> dict[int, StaffMember]:
        """Return who gets which number, by its id."""
        chosen = {n.number_id: self.cleaned_data[f"to_{n.number_id}"] for n in self.held}
        return {number_id: people[int(text)] for number_id, text in chosen.items() if text and int(text) in people}

    def away(self, *, today: date) -> dict[int, Away]:
        """Return where the calls of which number go, by its id, and up to which day."""
        chosen = {n.number_id: self.cleaned_data[f"away_{n.number_id}"] for n in self.held}
        last_on = today + timedelta(days=self.cleaned_data["days"] or 0)
        return {number_id: Away(destination, last_on) for number_id, destination in chosen.items() if destination}
