"""The form of a new staff member with numbers."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from numbers.reassign import Ticked
from staff.forms.member import MemberForm

MOST = 20


class NumbersChoice(forms.TypedMultipleChoiceField):
    """Ticked numbers; any id may come back, and the view looks them up."""

    def __init__(self, **options: Any) -> None:
        super().__init__(coerce=int, required=False, empty_value=[], **options)

    def valid_value(self, value: Any) -> bool:
        return bool(ids([str(value)]))


class HireForm(MemberForm):
    """A person, the numbers they get, and per number of somebody else what was shown of it and ticked."""

    numbers = NumbersChoice(label=_("Phone numbers"))
    notice = forms.CharField(required=False, max_length=20)

    def clean_numbers(self) -> list[int]:
        chosen: list[int] = self.cleaned_data["numbers"]
        if len(chosen) > MOST:
            raise forms.ValidationError(_("Please choose at most %(most)s numbers here.") % {"most": MOST})
        return chosen

    def ticked(self) -> dict[int, Ticked]:
        """Return the purges that were ticked, by number, with what was seen."""
        return {
            pk: Ticked(
                _number(self.data, f"purge_{pk}"), _number(self.data, f"count_{pk}"), self.cleaned_data["notice"]
            )
            for pk in self.cleaned_data["numbers"]
            if self.data.get(f"purge_{pk}")
        }

    def saw(self, number_id: int) -> str:
        """Return whose interval of a number was shown, as it was posted back."""
        return str(self.data.get(f"seen_{number_id}", ""))


def sent(data: QueryDict) -> dict[str, list[str]]:
    """Return what was sent in the fields of this page and no others, without what marks the sending itself."""
    of_numbers = [f"{name}_{pk}" for pk in ids(data.getlist("numbers")) for name in ("seen", "count", "purge")]
    names = [name for name in (*HireForm.base_fields, "number_q", *of_numbers) if name != "operation_id"]
    return {name: data.getlist(name) for name in names if name in data}


def ids(texts: list[str]) -> list[int]:
    """Return those texts that are ids, at most as many as somebody may choose."""
    return [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19][: MOST + 1]


def _number(data: Mapping[str, Any], name: str) -> int:
    found = ids([data.get(name, "")])
    return found[0] if found else 0
