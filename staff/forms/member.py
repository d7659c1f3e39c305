"""The form of a person, and the small ones of what is done to them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.models import Role
from staff.members import Person
from staff.models import StaffMember, StaffSettings

ROLES = [
    (Role.STAFF, _("Staff member: sees their own phone numbers")),
    (Role.BILLING, _("Billing contact: sees the costs")),
    (Role.ADMINISTRATOR, _("Administrator: manages everything")),
]


class MemberForm(forms.Form):
    """What is written down about a person; `access` asks whether they are invited to sign in, and as what."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Please enter the name.")},
    )
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        help_text=_("For the invitation and for mails about their phone numbers."),
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    extension = forms.RegexField(
        label=_("Extension"),
        regex=r"^[0-9]{1,10}$",
        required=False,
        help_text=_("The short number inside your company, for example 23."),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": _("An extension has up to ten digits and nothing else.")},
    )
    department = forms.CharField(
        label=_("Department"),
        max_length=60,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "list": "departments"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=[("de", "Deutsch"), ("en", "English")], initial="de")
    access = forms.ChoiceField(
        label=_("Login"),
        choices=[("", _("Without login")), *ROLES],
        required=False,
        help_text=_("With a login, the person gets an invitation by mail, valid for seven days."),
    )
    operation_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, departments: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.departments = list(departments)

    @classmethod
    def of(cls, member: StaffMember, data: Any = None, *, departments: Iterable[str] = ()) -> "MemberForm":
        """Return the form of somebody who is there: their login is changed elsewhere, and so is its address."""
        initial = {name: getattr(member, name) for name in ("name", "extension", "department", "language")}
        form = cls(data, initial=initial | {"email": member.address}, departments=departments)
        del form.fields["access"]
        if member.user_id:
            form.fields["email"].disabled = True
            form.fields["email"].help_text = _("The person signs in with it and changes it themselves.")
        return form

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("access") and not cleaned.get("email") and "email" not in self.errors:
            self.add_error("email", _("An invitation needs an e-mail address."))
        return cleaned

    def person(self) -> Person:
        """Return what was entered about the person."""
        names = ("name", "email", "extension", "department", "language")
        return Person(**{name: self.cleaned_data[name] for name in names})

    def role(self) -> Role | None:
        """Return the role the person is invited with, or None without a login."""
        chosen = self.cleaned_data.get("access")
        return Role(chosen) if chosen else None


class ActForm(forms.Form):
    """An act that is confirmed by a click."""

    operation_id = forms.UUIDField()


class RoleForm(ActForm):
    """A role, with what it may see."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=ROLES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose a role.")},
    )


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes its parameter for type checkers only
    """What the tenant lets its staff do."""

    class Meta:
        model = StaffSettings
        fields = ("mails_on_assignment", "edits_forwarding", "sees_own_calls")
