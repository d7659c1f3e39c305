"""Forms around a person's data: taking it away, and erasing it."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ExportForm(forms.Form):
    """Ask for everything that is known."""

    operation_id = forms.UUIDField()


class ErasureForm(forms.Form):
    """Agree that a person is erased, having read what cannot be proven afterwards (rules T1 and T6)."""

    operation_id = forms.UUIDField()
    count_seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    notice = forms.CharField(max_length=20, widget=forms.HiddenInput)
    agreed = forms.BooleanField(
        label=_("I have read this. The data is to be erased for good."),
        error_messages={"required": _("Please tick that you have read what cannot be undone.")},
    )
