"""The form of a forwarding: in which case, where to."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers.forwarding import ForwardingRefused, read_destination
from numbers.models import Forwarding

SECONDS = 20
CASES = [
    (Forwarding.When.ALWAYS, _("Always")),
    (Forwarding.When.BUSY, _("When busy")),
    (Forwarding.When.NO_ANSWER, _("When there is no answer")),
]


class ForwardingForm(forms.Form):
    """A case, a destination, and for "no answer" the seconds before it."""

    when = forms.ChoiceField(label=_("When"), choices=CASES, widget=forms.RadioSelect)
    destination = forms.CharField(
        label=_("Destination"),
        max_length=120,
        help_text=_("A phone number or a SIP address, for example 040 66969-010 or sip:reception@phone.example."),
        error_messages={"required": _("Please say where the calls go.")},
    )
    after_seconds = forms.IntegerField(
        label=_("Seconds before forwarding"),
        min_value=5,
        max_value=120,
        required=False,
        help_text=_("Only for “when there is no answer”: 5 to 120 seconds."),
    )

    def clean_destination(self) -> str:
        try:
            return read_destination(self.cleaned_data["destination"])
        except ForwardingRefused as refused:
            raise forms.ValidationError(str(refused.reason)) from refused

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("when") != Forwarding.When.NO_ANSWER:
            cleaned["after_seconds"] = None
        elif cleaned.get("after_seconds") is None and "after_seconds" not in self.errors:
            self.add_error("after_seconds", _("Please say after how many seconds, 5 to 120."))
        return cleaned
