"""The forms of a list of assignments: the file, and the confirmation of what was found in it."""

from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from numbers import assign_list
from numbers.assign_list import Line
from numbers.number_lists import MOST_BYTES, ListRefused

SALT, HOUR = "numbers.assign_list", 3600


class ListForm(forms.Form):
    """A file with a number and an e-mail address in each line."""

    file = forms.FileField(
        label=_("List as CSV"),
        help_text=_("One line per number: phone number; e-mail address. Up to 10,000 lines."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        error_messages={"required": _("Please choose the file."), "empty": _("The file is empty.")},
    )

    def clean_file(self) -> list[Line]:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 5 MB. Please split it."))
        try:
            return assign_list.read(file.read())
        except ListRefused as refused:
            raise forms.ValidationError(str(refused.reason)) from refused


class ConfirmForm(forms.Form):
    """What was shown of a list, sealed: who gets which number, by ids, and of which tenant."""

    operation_id = forms.UUIDField()
    sealed = forms.CharField(max_length=1_000_000)

    def __init__(self, *args: Any, tenant_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant_id = tenant_id

    def clean_sealed(self) -> dict[int, int]:
        try:
            kept = signing.loads(self.cleaned_data["sealed"], salt=f"{SALT}.{self.tenant_id}", max_age=HOUR)
        except signing.BadSignature as error:
            raise forms.ValidationError(
                _("This list was looked at too long ago. Please choose the file again.")
            ) from error
        return {int(number): int(member) for number, member in kept}


def sealed(pairs: dict[int, int], *, tenant_id: int) -> str:
    """Return what a list does, for the confirmation to send back unaltered."""
    return signing.dumps([*pairs.items()], salt=f"{SALT}.{tenant_id}", compress=True)
