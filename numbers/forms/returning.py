"""Returning a number: the tick that says it is meant."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ReturnForm(forms.Form):
    """Agree that the number is gone for good."""

    operation_id = forms.UUIDField()
    sure = forms.BooleanField(
        label=_("I return this number irrevocably."),
        error_messages={"required": _("Please confirm that you return the number irrevocably.")},
    )
