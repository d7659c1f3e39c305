"""The filters of the history. A value that cannot be read narrows nothing and is marked."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers import history
from numbers.history import Wanted


class HistoryForm(forms.Form):
    """Kind of event, person, number, first and last day."""

    verb = forms.ChoiceField(label=_("Event"), required=False)
    person = forms.ChoiceField(label=_("Person"), required=False)
    number = forms.CharField(label=_("Phone number"), max_length=80, required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def __init__(self, data: Any, *, people: list[tuple[str, str]]) -> None:
        super().__init__(data)
        kinds = [(verb, label) for verb, (label, _icon, _tone) in history.KINDS.items()]
        everybody = [("", _("All people")), *people, (history.AUTOMATIC, _("Automatic"))]
        self.fields["verb"].choices = [("", _("All events")), *kinds]  # type: ignore[attr-defined]  # it is a ChoiceField
        self.fields["person"].choices = everybody  # type: ignore[attr-defined]  # it is a ChoiceField

    def wanted(self) -> Wanted:
        """Return what is to be shown."""
        self.is_valid()
        return Wanted(**{name: value for name, value in self.cleaned_data.items() if value})
