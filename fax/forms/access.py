"""The forms around fax credentials: to whom, whose no longer, and how they are mailed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

MOST = 200  # recipients of one click


class _Members(forms.Field):
    """Any number of staff members by their ids; the view looks them up."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.SelectMultiple)

    def to_python(self, value: Any) -> list[int]:
        texts = list(value or [])
        if not all(text.isascii() and text.isdecimal() and len(text) < 19 for text in texts):
            raise forms.ValidationError(_("Please choose from the list."))
        return sorted({int(text) for text in texts})


class SendForm(forms.Form):
    """Who is to get the credentials; a personal fax needs no choice."""

    members = _Members()
    operation_id = forms.UUIDField()

    def __init__(self, *args: Any, fixed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fixed = fixed

    def clean_members(self) -> list[int]:
        chosen: list[int] = self.cleaned_data["members"]
        if not chosen and not self.fixed:
            raise forms.ValidationError(_("Please choose at least one person."))
        if len(chosen) > MOST:
            raise forms.ValidationError(_("Please choose at most 200 people at once."))
        return chosen


class RevokeForm(forms.Form):
    """Agree that somebody's access ends."""

    operation_id = forms.UUIDField()


class SettingsForm(forms.Form):
    """Whether mails hold the password itself."""

    plain_mail = forms.BooleanField(label=_("Mail the password itself instead of a one-time link"), required=False)
