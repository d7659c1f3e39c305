"""Addresses: what somebody enters, in its own fields; and the PIN of a letter."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers import area_check, pins, window
from numbers.models import Address, LocalArea
from portal.sorting import fold

_STREET_WITH_NUMBER = re.compile(r"[^\W\d_]{3,}\.?\s+\d+\s?[a-zA-Z]?$")
_HOUSE_NUMBER = re.compile(r"\d[\w\s/+.-]*")
_FOREIGN = _("We can write to addresses in Germany only: a postcode has five digits, e.g. 10115.")


def _line(label: Any, *, most: int, missing: Any = "", **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, error_messages={"required": missing}, **options)


class AddressForm(forms.Form):
    """One address with its local area; a combination that looks wrong has to be confirmed (rule V1)."""

    company = _line(
        _("Company"),
        most=120,
        missing=_("Please enter the company, as it stands on the letter box."),
        help_text=_("As it stands on the letter box."),
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    extra = _line(
        _("Addition"),
        most=80,
        required=False,
        help_text=_("E.g. department, floor or c/o."),
        widget=forms.TextInput({"autocomplete": "address-line2"}),
    )
    street = _line(
        _("Street"),
        most=80,
        missing=_("Please enter the street."),
        widget=forms.TextInput({"autocomplete": "address-line1"}),
    )
    house_number = _line(_("House number"), most=12, missing=_("Please enter the house number."))
    postcode = _line(
        _("Postcode"),
        most=10,
        missing=_("Please enter the postcode."),
        widget=forms.TextInput({"autocomplete": "postal-code", "inputmode": "numeric"}),
    )
    town = _line(
        _("Town"),
        most=80,
        missing=_("Please enter the town."),
        widget=forms.TextInput({"autocomplete": "address-level2"}),
    )
    area = _line(
        _("Local area"),
        most=100,
        missing=_("Please choose the local area."),
        help_text=_("Area code or name, e.g. 030 or Berlin. For numbers of this area the address counts."),
        widget=forms.TextInput({"list": "areas", "autocomplete": "off"}),
    )
    sure = forms.BooleanField(label=_("I have checked it: postcode, town and local area are right."), required=False)
    operation_id = forms.UUIDField()

    def __init__(self, *args: Any, fixed_area: LocalArea | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fixed_area, self.doubted = fixed_area, False
        if fixed_area:
            del self.fields["area"]

    def clean(self) -> dict[str, Any]:
        for name in ("company", "extra", "street", "house_number", "town"):
            if name in self.cleaned_data:
                self.cleaned_data[name] = self._tidy(name)
        area = self.cleaned_data["area"] = self.fixed_area or self.cleaned_data.get("area")
        if isinstance(area, LocalArea) and {"postcode", "town"} <= self.cleaned_data.keys():
            found = area_check.doubts(area, postcode=self.cleaned_data["postcode"], town=self.cleaned_data["town"])
            self.doubted = bool(found)
            for name, reason in ({} if self.cleaned_data.get("sure") else found).items():
                self.add_error(name if name in self.fields else "town", str(reason))
        return self.cleaned_data

    def clean_street(self) -> str:
        street: str = self.cleaned_data["street"]
        if _STREET_WITH_NUMBER.search(street):
            raise forms.ValidationError(_("Please enter the house number in the field of its own."))
        return street

    def clean_house_number(self) -> str:
        number: str = self.cleaned_data["house_number"]
        if not _HOUSE_NUMBER.fullmatch(number):
            raise forms.ValidationError(_("A house number begins with a digit, e.g. 12a."))
        return number

    def clean_postcode(self) -> str:
        postcode: str = self.cleaned_data["postcode"]
        if not re.fullmatch(r"[0-9]{5}", postcode):
            raise forms.ValidationError(_FOREIGN)
        return postcode

    def clean_area(self) -> LocalArea:
        text: str = self.cleaned_data["area"]
        found = area_named(text)
        if len(found) != 1:
            several = _("Several local areas have this name: %(areas)s. Please enter the area code.")
            unknown = _("There is no such local area. Please enter its area code, e.g. 030.")
            raise forms.ValidationError(str(several) % {"areas": _listed(found)} if found else str(unknown))
        return found[0]

    def address(self) -> dict[str, str]:
        """Return what was entered, by the fields of an address."""
        names = ("company", "extra", "street", "house_number", "postcode", "town")
        return {name: self.cleaned_data[name] for name in names}

    def _tidy(self, name: str) -> str:
        text = window.tidy(self.cleaned_data[name])
        if self.fields[name].required and not text:
            self.add_error(name, str(self.fields[name].error_messages["required"]))
        return text


def area_named(text: str) -> list[LocalArea]:
    """Return the local areas that somebody may mean: by area code, or by name."""
    digits = re.sub(r"\D", "", text).lstrip("0")
    if digits:
        return list(LocalArea.objects.filter(area_code=digits))
    return list(LocalArea.objects.filter(sort_key=fold(text)).order_by("area_code"))


def initial(address: Address) -> dict[str, Any]:
    """Return what the form of an existing address begins with."""
    names = ("company", "extra", "street", "house_number", "postcode", "town")
    return {name: getattr(address, name) for name in names} | {"area": str(address.area)}


def _listed(areas: Sequence[LocalArea]) -> str:
    return ", ".join(map(str, areas[:5]))


class PinForm(forms.Form):
    """The PIN of a letter; blanks, hyphen and case do not matter."""

    pin = forms.CharField(
        label=_("PIN from the letter"),
        max_length=20,
        error_messages={
            "required": _("Please enter the PIN from the letter."),
            "max_length": _("A PIN has eight letters and digits, e.g. 7K3M-Q9XD."),
        },
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false", "class": "num"}
        ),
    )
    operation_id = forms.UUIDField()

    def clean_pin(self) -> str:
        pin = pins.normal(self.cleaned_data["pin"])
        if not pin:
            text = _("A PIN has eight letters and digits, e.g. 7K3M-Q9XD. This did not count as a try.")
            raise forms.ValidationError(text)
        return pin


class AskForm(forms.Form):
    """A click that does one thing."""

    operation_id = forms.UUIDField()
