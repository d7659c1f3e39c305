"""The forms of an assignment: to whom, from when."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers.reassign import Ticked

NOBODY = "nobody"


class PersonChoice(forms.ChoiceField):
    """A select that offers the nearest of many people; any may come back, and the view looks them up."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Select(attrs={"size": 6}), **options)

    def valid_value(self, value: Any) -> bool:
        return value == NOBODY or (str(value).isascii() and str(value).isdecimal() and len(str(value)) < 19)


def offer(form: forms.Form, people: list[tuple[Any, str]]) -> None:
    """Fill the select of a form that asks for a person."""
    form.fields["to"].choices = people  # type: ignore[attr-defined]  # it is a ChoiceField


class AssignForm(forms.Form):
    """A person, and a day if the number is to change hands later."""

    to = PersonChoice(
        label=_("Assign the number to"), error_messages={"required": _("Please choose who gets the number.")}
    )
    from_on = forms.DateField(
        label=_("Only from a later day on"),
        required=False,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        help_text=_("Leave it empty to assign the number at once. Until that day everything stays as it is."),
    )
    purge = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)  # the interval that was shown
    count_seen = forms.IntegerField(required=False, min_value=0)
    notice = forms.CharField(required=False, max_length=20)
    operation_id = forms.UUIDField()

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        from_on = cleaned.get("from_on")
        if from_on and from_on <= self.today:
            self.add_error("from_on", _("Please choose a day after today, or leave it empty."))
        if from_on and from_on > self.today.replace(year=self.today.year + 2, day=1):
            self.add_error("from_on", _("Please choose a day within the next two years."))
        if from_on and cleaned.get("to") == NOBODY:
            self.add_error("from_on", _("An assignment can only be removed at once. Please leave the day empty."))
        if from_on and cleaned.get("purge"):
            self.add_error("from_on", _("Traffic data can only be deleted at once. Leave the day empty, or the box."))
        return cleaned

    def ticked(self) -> Ticked | None:
        """Return the purge that was ticked, with what was seen."""
        interval, seen = self.cleaned_data["purge"], self.cleaned_data["count_seen"]
        return Ticked(interval, seen or 0, self.cleaned_data["notice"]) if interval else None


class TakeForm(forms.Form):
    """Take a number from one person, or call off what is planned for it."""

    operation_id = forms.UUIDField()
    member = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
