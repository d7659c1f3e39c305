"""Porting: the four steps of an order, each kept as far as it can be read; the signed form; a new date."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from numbers import destinations, notation, port_numbers, port_page, porting
from numbers.models import DirectoryEntry, HolderKind, PhoneNumber, PortKind, PortOrder, PortProvider, Remaining
from numbers.notation import Unreadable
from numbers.port_numbers import Numbers, NumbersRefused, Problem
from portal import berlin
from portal.documents import MOST_BYTES
from portal.sorting import fold

_DAY = {"type": "date"}


def _line(label: Any, *, most: int, **options: Any) -> forms.CharField:
    too_long = _("At most %(limit_value)d characters are possible here.")
    return forms.CharField(
        label=label, max_length=most, required=False, error_messages={"max_length": too_long}, **options
    )


class StepForm(forms.Form):
    """A step of an order. A draft may lack everything; `needed` is what an order may not lack that is submitted."""

    use_required_attribute = False
    seen = forms.CharField(required=False, max_length=100)
    needed: tuple[str, ...] = ()
    overtaken = False  # somebody changed the step since its page was opened, so nothing was kept

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self._mark()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's, and named so
        self._mark()

    def _mark(self) -> None:
        """Let the pages say what is needed, once nothing is refused any more because it is not there."""
        for name in self.needed:
            self.fields[name].required = True

    def changes(self) -> dict[str, Any]:
        """Return what could be read, by the fields of an order; what could not stays as it was."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("operation_id", "seen")}


class NumbersForm(StepForm):
    """Which numbers: single ones in any notation, or a block by base number and range (rule P2)."""

    needed = ("numbers", "base_number", "range_from", "range_until")
    kind = forms.ChoiceField(label=_("What do you port?"), choices=PortKind.choices, widget=forms.RadioSelect)
    numbers = forms.CharField(
        label=_("Phone numbers"),
        required=False,
        max_length=5000,
        strip=False,
        help_text=_("One per line, in any notation. All of them belong to one line at one provider."),
        widget=forms.Textarea({"rows": 5, "class": "num", "inputmode": "tel", "spellcheck": "false"}),
    )
    base_number = _line(
        _("Base number"),
        most=40,
        help_text=_("Without the extension, e.g. 030 23125."),
        widget=forms.TextInput({"inputmode": "tel", "class": "num"}),
    )
    range_from = _line(_("First extension"), most=4, widget=forms.TextInput({"inputmode": "numeric", "class": "num"}))
    range_until = _line(_("Last extension"), most=4, widget=forms.TextInput({"inputmode": "numeric", "class": "num"}))
    pilot = _line(
        _("Extension of the switchboard"),
        most=4,
        help_text=_(
            "What reaches the switchboard, as the old provider has it, often 0: also where the extensions are 00 to "
            "99. Leave it empty if there is none."
        ),
        widget=forms.TextInput({"inputmode": "numeric", "class": "num"}),
    )
    pasted = forms.CharField(
        label=_("Or paste all numbers of the block"),
        required=False,
        max_length=30_000,
        help_text=_("Then base number and range are read from them."),
        widget=forms.Textarea({"rows": 3, "class": "num", "spellcheck": "false"}),
    )
    operation_id = forms.UUIDField(required=False)
    wanted: Numbers | None = None

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        try:
            if said.get("kind") == PortKind.BLOCK:
                self.wanted = self._block(said)
            elif "numbers" in said:
                self.wanted = port_numbers.singles(said["numbers"])
        except NumbersRefused as refused:
            self.say(refused.problems)
        return said

    def say(self, problems: Iterable[Problem]) -> None:
        """Put each problem beside its field: of a block, what concerns its numbers stands at the base number."""
        is_block = self.cleaned_data.get("kind") == PortKind.BLOCK
        numbers = "base_number" if is_block and not self.cleaned_data.get("pasted") else "pasted" if is_block else ""
        for field, sentence in port_page.said(problems):
            self.add_error(numbers or "numbers" if field in ("numbers", "address") else field, sentence)

    def _block(self, said: dict[str, Any]) -> Numbers | None:
        if said.get("pasted", "").strip():  # it wins over the block that was there before
            return port_numbers.block(*self._read(said["pasted"]), said.get("pilot", "").strip())
        names = ("base_number", "range_from", "range_until", "pilot")
        return port_numbers.block(*(said[name].strip() for name in names)) if set(names) <= said.keys() else None

    def _read(self, text: str) -> tuple[str, str, str]:
        """Return base number, first and last extension of a block's numbers; a block has no holes (rule P2)."""
        if missing := port_numbers.holes(text):
            named = ", ".join(map(destinations.written, missing[:5]))
            sentence = str(_("A block is ported whole. These numbers are missing: %(numbers)s")) % {"numbers": named}
            raise NumbersRefused([Problem("numbers", sentence + (" …" if len(missing) > 5 else ""))])
        e164s = port_numbers.listed(text)
        first, last = e164s[0], e164s[-1]
        digits = next(n for n in range(1, len(first)) if first[:-n] == last[:-n])
        if digits > port_numbers.MOST_DIGITS:
            raise NumbersRefused([Problem("numbers", port_numbers.TOO_FAR)])
        return first[:-digits], first[-digits:], last[-digits:]


class ProviderForm(StepForm):
    """Where the numbers are now."""

    needed = ("provider",)
    operation_id = forms.UUIDField()
    provider = _line(
        _("Old provider"),
        most=130,
        help_text=_("Type a part of its name or its porting code, e.g. D001."),
        widget=forms.TextInput({"list": "providers", "autocomplete": "off"}),
    )
    provider_customer_number = _line(
        _("Customer number there"),
        most=40,
        help_text=_("It stands on every bill."),
        widget=forms.TextInput({"autocomplete": "off", "class": "num"}),
    )
    contract_ends_on = forms.DateField(
        label=_("End of the contract"),
        required=False,
        help_text=_("If it has been terminated or ends by itself."),
        error_messages={"invalid": _("Please enter a date, e.g. 31.12.2026.")},
        widget=forms.DateInput(_DAY, "%Y-%m-%d"),
    )

    def clean_contract_ends_on(self) -> date | None:
        day: date | None = self.cleaned_data["contract_ends_on"]
        if day and not 1990 <= day.year <= timezone.localdate().year + 50:
            raise forms.ValidationError(_("Please check the year."))
        return day

    def clean_provider(self) -> PortProvider | None:
        text = self.cleaned_data["provider"].strip()
        if not text:
            return None
        found = provider_named(text)
        if len(found) != 1:
            several = _("Several providers match: %(names)s. Please choose one.")
            unknown = _("We do not know this provider. Please choose it from the list, or call us.")
            names = ", ".join(map(str, found[:5]))
            raise forms.ValidationError(str(several) % {"names": names} if found else str(unknown))
        return found[0]


class HolderForm(StepForm):
    """Holder and address, exactly as the old provider has them (rule P2)."""

    needed = ("holder_name", "street", "house_number", "postcode", "town")
    operation_id = forms.UUIDField()
    holder_kind = forms.ChoiceField(
        label=_("The line belongs to a"), choices=HolderKind.choices, widget=forms.RadioSelect
    )
    holder_name = _line(_("Holder"), most=120, help_text=_("Company with its legal form, or surname of the person."))
    holder_addition = _line(_("Addition"), most=80, help_text=_("First name of a person, or addition to the company."))
    street = _line(_("Street"), most=80, widget=forms.TextInput({"autocomplete": "address-line1"}))
    house_number = _line(_("House number"), most=12)
    postcode = _line(_("Postcode"), most=5, widget=forms.TextInput({"inputmode": "numeric"}))
    town = _line(_("Town"), most=80, widget=forms.TextInput({"autocomplete": "address-level2"}))
    further_holders = forms.CharField(
        label=_("Further holders"),
        required=False,
        max_length=1000,
        help_text=_("Everybody else in whose name the line is, one per line. Each of them signs the form."),
        widget=forms.Textarea({"rows": 3}),
    )

    def clean_postcode(self) -> str:
        postcode: str = self.cleaned_data["postcode"].strip()
        if postcode and not re.fullmatch(r"[0-9]{5}", postcode):
            raise forms.ValidationError(_("A German postcode has five digits, e.g. 10115."))
        return postcode

    def clean_further_holders(self) -> list[str]:
        lines = [" ".join(line.split()) for line in self.cleaned_data["further_holders"].splitlines()]
        holders = [line for line in lines if line]
        if len(holders) > 10 or any(len(line) > 120 for line in holders):
            raise forms.ValidationError(_("At most ten further holders are possible, each with up to 120 characters."))
        return holders


class DateForm(StepForm):
    """When, and what else happens that day."""

    needed = ("requested_on", "remaining", "directory_entry")
    operation_id = forms.UUIDField()
    requested_on = forms.DateField(
        label=_("Requested date"),
        required=False,
        error_messages={"invalid": _("Please choose a date from the calendar.")},
        widget=forms.DateInput(_DAY, "%Y-%m-%d"),
    )
    remaining = forms.ChoiceField(
        label=_("What becomes of the other numbers of the old line?"),
        choices=Remaining.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    activate = forms.BooleanField(label=_("Activate the numbers on the port date"), required=False)
    directory_entry = forms.ChoiceField(
        label=_("Directory entry"), choices=DirectoryEntry.choices, widget=forms.RadioSelect, required=False
    )
    temporary = _line(
        _("Temporary number"),
        most=40,
        help_text=_(
            "If you use another number until then: after porting you swap the two in one step. Until that the first "
            "ported number (of a block: the switchboard) waits inactive and free of charge."
        ),
        widget=forms.TextInput({"list": "temporaries", "inputmode": "tel", "autocomplete": "off", "class": "num"}),
    )

    def __init__(self, *args: Any, order: PortOrder, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order, self.at = order, at

    def clean_requested_on(self) -> date | None:
        on: date | None = self.cleaned_data["requested_on"]
        if on and (obstacle := porting.date_refusal(self.order, on, today=berlin.day(self.at))):
            raise forms.ValidationError(str(obstacle.sentence))
        return on

    def clean_temporary(self) -> PhoneNumber | None:
        text = self.cleaned_data["temporary"].strip()
        if not text:
            return None
        try:
            found = port_numbers.temporaries(self.at).filter(e164=notation.parse(text)).first()
        except Unreadable as error:
            raise forms.ValidationError(str(error.reason)) from error
        if found is None:
            raise forms.ValidationError(port_numbers.NO_TEMPORARY)
        return found

    def changes(self) -> dict[str, Any]:
        """Return what could be read; without a choice the directory entry stays as it was."""
        found = super().changes()
        return {name: value for name, value in found.items() if name != "directory_entry" or value}


class ActForm(forms.Form):
    """A click that needs no further word."""

    operation_id = forms.UUIDField()


class SeenForm(ActForm):
    """A click on an order as its page showed it (`numbers.port_seen`)."""

    seen = forms.CharField(required=False, max_length=100)


class SubmitForm(SeenForm):
    """The order is meant; the monthly price of an active number that was shown with it, if they are to be activated."""

    price_seen = forms.DecimalField(max_digits=8, decimal_places=2, required=False)


class UploadForm(SeenForm):
    """The signed copy of the form (rule P5)."""

    document = forms.FileField(
        label=_("Signed form"),
        help_text=_("PDF, at most 10 MB and 20 pages."),
        error_messages={"required": _("Please choose the PDF of the signed form.")},
        widget=forms.ClearableFileInput({"accept": ".pdf,application/pdf"}),
    )

    code = forms.CharField(
        label=_("Form code"),
        max_length=20,
        help_text=_("It stands at the foot of each page of the form."),
        error_messages={"required": _("Please enter the code that stands at the foot of the signed form.")},
        widget=forms.TextInput({"class": "num", "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_document(self) -> bytes:
        file = self.cleaned_data["document"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 10 MB."))
        content: bytes = file.read()
        return content


class MoveForm(SeenForm):
    """Another date for an order that is confirmed or under way."""

    requested_on = forms.DateField(
        label=_("New date"),
        error_messages={
            "required": _("Please choose a date from the calendar."),
            "invalid": _("Please choose a date from the calendar."),
        },
        widget=forms.DateInput(_DAY, "%Y-%m-%d"),
    )


class ReplaceForm(ActForm):
    """The tick that says that the settings of the temporary number may go; it names those listed (rule S3)."""

    sure = forms.CharField(
        max_length=100,
        error_messages={"required": _("Please confirm that the settings of the old number may be deleted.")},
    )


def provider_named(text: str) -> list[PortProvider]:
    """Return the providers that somebody may mean: as the list writes one, by porting code, by name or a part of it."""
    if code := re.search(r"\b[Dd]\d{3}\b", text):
        return list(PortProvider.objects.filter(code=code[0].upper()))
    found = list(PortProvider.objects.matching(text)[:20])
    exact = [one for one in found if one.sort_key == fold(text)]
    return exact or found


def say(form: forms.Form, problems: Iterable[Problem]) -> None:
    """Put each problem beside its field, with the numbers it is about."""
    for field, sentence in port_page.said(problems):
        form.add_error(field if field in form.fields else None, sentence)
