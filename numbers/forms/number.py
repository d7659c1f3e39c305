"""The form of a number's label, note and usage."""

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers.models import PhoneNumber, Usage


class NumberForm(forms.Form):
    """What a tenant writes about a number."""

    label = forms.CharField(
        label=_("Label"),
        max_length=60,
        required=False,
        help_text=_("Shown in lists and found by the search, for example “Reception”."),
    )
    usage = forms.ChoiceField(label=_("Usage"), choices=Usage)
    note = forms.CharField(label=_("Note"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 4}))

    @classmethod
    def of(cls, number: PhoneNumber) -> "NumberForm":
        """Return the form filled with what stands."""
        return cls(initial={"label": number.label, "usage": number.usage, "note": number.note})
