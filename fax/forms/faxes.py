"""Forms of the journal: the number a fax goes to, and what is done with one."""

from django import forms
from django.utils.translation import gettext_lazy as _


class AddressForm(forms.Form):
    """Say where a waiting fax goes."""

    operation_id = forms.UUIDField()
    destination = forms.CharField(
        label=_("Fax number"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        help_text=_("With area code, such as 069 90009-123, or +43 … for other countries."),
    )


class ActForm(forms.Form):
    """Do one thing with a fax."""

    operation_id = forms.UUIDField()
