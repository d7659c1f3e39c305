"""allauth's forms in the portal's words: labels, no placeholders that repeat them, the password rule."""

from typing import Any

from allauth.account import forms as account
from allauth.core import context as allauth_context
from allauth.mfa.base import forms as codes
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from portal import signin
from portal.models import User

SAID_BY_ALLAUTH = (  # whose German says "du"; our catalogue goes before its own
    gettext_noop("You must type the same password each time."),
)
USED_SECONDS = 120  # longer than a code can be valid, with a clock that is off by one step

PASSWORD_RULE = _("At least 12 characters. A few words are easier to remember than signs.")
LABELS: dict[str, Any] = {
    "login": _("E-mail"),
    "email": _("E-mail"),
    "password": _("Password"),
    "oldpassword": _("Current password"),
    "password1": _("New password"),
    "password2": _("Repeat the new password"),
    "code": _("Code"),
    "name": _("Name"),
    "passwordless": _("Also sign in without a password with it"),
}
HELP: dict[str, Any] = {
    "password1": PASSWORD_RULE,
    "name": _("So that you recognise it, for example “Office laptop”."),
    "passwordless": _("The device then asks for your fingerprint, face or PIN."),
}


class InOurWords:
    """A form of allauth with the labels and help of this portal."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = LABELS.get(name, field.label)
            field.help_text = HELP.get(name, "")


class SignInForm(InOurWords, account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs |= {"autocomplete": "username", "autofocus": True}


class ConfirmForm(InOurWords, account.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs["autofocus"] = True


class ChangePasswordForm(InOurWords, account.ChangePasswordForm):
    pass


class SetPasswordForm(InOurWords, account.SetPasswordForm):
    pass


class AskForResetForm(InOurWords, account.ResetPasswordForm):
    users: list[User]

    def clean_email(self) -> str:
        """Know people by the address they sign in with only: one they merely wish to change to proves nothing yet."""
        email: str = super().clean_email()
        self.users = [user for user in self.users if user.email == email]
        return email


class ResetPasswordForm(InOurWords, account.ResetPasswordKeyForm):
    pass


class ChangeEmailForm(InOurWords, account.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New e-mail address")


class _OnceOnly(InOurWords):
    """A code counts once: allauth forgets used ones after 30 s, a clock that may be off keeps them valid longer."""

    user: Any
    authenticator: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "autofocus": True}

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]  # of the form this is mixed into
        kept = "".join(code.split())
        by_app = getattr(self, "authenticator", None) is None or self.authenticator.type == Authenticator.Type.TOTP
        if by_app and not cache.add(f"portal.code:{self.user.pk}:{kept}", 1, timeout=USED_SECONDS):
            raise signin.SecondFactorAdapter().validation_error("incorrect_code")
        return code


class CodeForm(_OnceOnly, codes.AuthenticateForm):
    pass


class ConfirmCodeForm(_OnceOnly, codes.ReauthenticateForm):
    pass


class ActivateAppForm(_OnceOnly, totp.ActivateTOTPForm):
    pass


class _AnyAnswer:
    """A browser's answer may be anything; what allauth stumbles over is a passkey that opens nothing, not our error."""

    user: Any

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]  # of the form this is mixed into
        except (KeyError, TypeError, ValueError, AttributeError, forms.ValidationError) as error:
            signin.passkey_failed(allauth_context.request, self.user)
            raise signin.SecondFactorAdapter().validation_error("incorrect_passkey") from error


class SignInByPasskeyForm(_AnyAnswer, passkeys.LoginWebAuthnForm):
    pass


class PasskeyForm(_AnyAnswer, passkeys.AuthenticateWebAuthnForm):
    pass


class ConfirmByPasskeyForm(_AnyAnswer, passkeys.ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(InOurWords, passkeys.AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"passwordless": True} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise signin.SecondFactorAdapter().validation_error("incorrect_passkey") from error
        return cleaned


class RenamePasskeyForm(InOurWords, passkeys.EditWebAuthnForm):
    pass
