"""The form of the swap: which number goes, which comes, and that the settings may go."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class NumberChoice(forms.TypedChoiceField):
    """A select that offers the nearest of thousands; any number may come back, and the view looks it up."""

    def __init__(self, **options: Any) -> None:
        super().__init__(coerce=int, empty_value=None, widget=forms.Select(attrs={"size": 6}), **options)

    def valid_value(self, value: Any) -> bool:
        return str(value).isdecimal()


class SwapForm(forms.Form):
    """Two numbers and a tick, which names the number and what was listed of it: it agrees to that list only."""

    old = NumberChoice(
        label=_("Number you want to deactivate (swap out)"),
        error_messages={"required": _("Please choose the number you want to deactivate.")},
    )
    new = NumberChoice(
        label=_("New number to be activated in its place"),
        error_messages={"required": _("Please choose the new number.")},
    )
    sure = forms.CharField(
        error_messages={"required": _("Please confirm that the settings of the old number may be deleted.")}
    )
    operation_id = forms.UUIDField()

    def clean_sure(self) -> str:
        ticked: str = self.cleaned_data["sure"]
        if ticked.partition(".")[0] != str(self.cleaned_data.get("old")):
            raise forms.ValidationError(
                _("You chose another number. Please look at what is deleted now, and confirm it.")
            )
        return ticked

    def offer(self, old: list[tuple[int, str]], new: list[tuple[int, str]]) -> "SwapForm":
        """Fill the two selects."""
        self.fields["old"].choices = old  # type: ignore[attr-defined]  # it is a ChoiceField
        self.fields["new"].choices = new  # type: ignore[attr-defined]  # it is a ChoiceField
        return self
