"""The operator's desk of porting: what the old provider answered, and numbers that leave."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers import port_desk, port_numbers
from numbers.models import PortProvider, RejectionCode
from numbers.port_numbers import NumbersRefused
from numbers.porting import PortRefused

_DAY = forms.DateInput({"type": "date"}, "%Y-%m-%d")
_NEEDED = {
    "accept": ("on", _("Please enter the date that the old provider names.")),
    "move": ("on", _("Please enter the date that the old provider names.")),
    "reject": ("code", _("Please choose the code of the rejection.")),
}
_ANEW = _("This order was not looked at here. Please look at it anew.")
_STRANGE = dict.fromkeys(("required", "invalid", "invalid_choice"), _ANEW)
# each act of the desk with the fields it takes
ACTS = {
    "take": (),
    "sent": ("reference",),
    "accept": ("on",),
    "reject": ("code", "reason"),
    "accept_change": (),
    "refuse_change": ("reason",),
    "move": ("on",),
    "fault": ("reason",),
    "complete": (),
    "cancel": ("reason",),
}


class AnswerForm(forms.Form):
    """One act on an order as it was looked at (`seen`: its last event), with what it needs."""

    seen = forms.IntegerField(widget=forms.HiddenInput, error_messages=_STRANGE)
    act = forms.ChoiceField(choices=[(act, act) for act in ACTS], error_messages=_STRANGE)
    on = forms.DateField(label=_("Date"), required=False, widget=_DAY)
    code = forms.ChoiceField(label=_("Code"), choices=[("", "–"), *RejectionCode.choices], required=False)
    reason = forms.CharField(
        label=_("Words for the customer"), max_length=500, required=False, widget=forms.Textarea({"rows": 3})
    )
    reference = forms.CharField(label=_("Reference at the old provider"), max_length=40, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, act: str = "") -> None:
        sent = data["act"] if data and data.get("act") in ACTS else act
        super().__init__(data, auto_id=f"{sent}_%s")  # every act has its fields on the same page

    def clean(self) -> dict[str, Any]:
        field, sentence = _NEEDED.get(self.cleaned_data.get("act", ""), ("", ""))
        if field and not self.cleaned_data.get(field) and field not in self.errors:
            self.add_error(field, str(sentence))
        return self.cleaned_data

    def refuse(self, refused: PortRefused) -> None:
        """Say why beside the field it is about, if the act has that field; else above."""
        here = refused.field in ACTS[self.cleaned_data["act"]]
        self.add_error(refused.field if here else None, str(refused.reason))

    def compare(self, version: int) -> None:
        """Of an order that is at another version by now say that alone: its page may not offer the act any more."""
        if self.is_bound and self.cleaned_data.get("seen", version) != version:
            self.errors.clear()
            self.add_error(None, str(port_desk.OUTDATED))

    def parts(self, first: date, last: date) -> dict[str, list[forms.BoundField]]:
        """Return for each act the fields that stand beside its button; those of the act that was sent are filled in.

        `first` and `last` are the days between which one can be entered.
        """
        sent = self["act"].value()
        filled = {act: self if act == sent else AnswerForm(act=act) for act in ACTS}
        for form in filled.values():
            form.fields["on"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}
        return {act: [filled[act][name] for name in names] for act, names in ACTS.items()}


class AnnounceForm(forms.Form):
    """Which numbers leave, when, and who takes them over."""

    numbers = forms.CharField(
        label=_("Phone numbers"),
        max_length=5000,
        help_text=_("One per line, in any notation."),
        widget=forms.Textarea({"rows": 4}),
    )
    leaves_on = forms.DateField(label=_("Date"), widget=_DAY)
    provider = forms.ModelChoiceField(
        label=_("New provider"), queryset=PortProvider.objects.order_by("sort_key"), required=False
    )

    def clean_numbers(self) -> list[str]:
        try:
            return list(port_numbers.singles(self.cleaned_data["numbers"]).e164s)
        except NumbersRefused as refused:
            raise forms.ValidationError([str(problem.sentence) for problem in refused.problems]) from refused
