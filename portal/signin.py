"""Sign-in: what allauth asks us, and the trace of what happens at the door.

allauth owns passwords, second factors, limits and sessions; here is only where this portal differs. Its mails go
through the outbox. Verbs of the trace, all with object type "user" and without a tenant: user.signed_in,
sign_in_failed, sign_in_limited, sign_in_refused, signed_out, reauthenticated, password_changed, password_reset,
email_changed, second_factor_added, second_factor_removed, second_factor_failed, recovery_codes_generated and
session_ended.
"""

import base64
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from allauth.account import signals as account_signals
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from allauth.mfa import signals as mfa_signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import audit, outbox
from portal.models import User

NOBODY = "unknown"  # who tried the door and was not let in
_SHOWN = ("password_reset_url", "activate_url", "from_email", "to_email", "ip")


class AccountAdapter(DefaultAccountAdapter):
    """What allauth asks about accounts: nobody signs up, mails are messages of ours, failures leave a trace."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": gettext_lazy("This account is locked."),
        "email_password_mismatch": gettext_lazy("The e-mail address or the password is not correct."),
        "email_taken": gettext_lazy("This e-mail address can't be used."),
        "enter_current_password": gettext_lazy("This is not your current password."),
        "incorrect_password": gettext_lazy("The password is not correct."),
        "invalid_password_reset": gettext_lazy("This link is no longer valid."),
        "too_many_login_attempts": gettext_lazy("Too many failed attempts. Please try again in five minutes."),
        "rate_limited": gettext_lazy("Too many attempts. Please try again in five minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not is_recent(allauth_context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        words: dict[str, str | Promise] = {
            "reauthenticate": gettext_lazy("Use your password"),
            "mfa_reauthenticate": gettext_lazy("Use your authenticator app or a recovery code"),
            "mfa_reauthenticate:webauthn": gettext_lazy("Use your passkey"),
        }
        methods = super().get_reauthentication_methods(user)
        return [method | {"description": words[method["id"]]} for method in methods]

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            _trace("user.sign_in_limited", _by_address(credentials.get("email", "")), request)
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        _trace("user.sign_in_failed", _by_address(credentials.get("email", "")), request)

    def pre_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse | None:
        if settings.PROCESS == "operator" and not user.is_operator:
            _trace("user.sign_in_refused", user, request, by=user)
            messages.error(request, _("This account has no access to the operator's console."))
            return redirect("account_login")
        refused: HttpResponse | None = super().pre_login(request, user, **details)
        if refused:
            _trace("user.sign_in_refused", user, request, by=user)
        return refused

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        """Show the portal in the person's language on a device where none was chosen yet."""
        response: HttpResponse = super().post_login(request, user, **details)
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            translation.activate(user.language)
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                user.language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Take the new address unless somebody else signs in with it: the form did not say so, to tell nobody apart."""
        if User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id).exists():
            messages.error(request, _("This e-mail address can't be used."))
            return False
        confirmed: bool = super().confirm_email(request, email_address)
        return confirmed

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        super().send_notification_mail(template_prefix, user, {**(context or {}), "user": user}, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Put the mail into the outbox; "account/email/password_changed" becomes `mail/account/password_changed`."""
        user, now = context.get("user"), timezone.now()
        language = user.language if isinstance(user, User) else translation.get_language()
        with translation.override(language):
            shown = _shown(context, now)
        template = f"account/{template_prefix.rpartition('/')[2]}"
        outbox.later([outbox.Mail(email, language, template, shown)], at=now)


class SecondFactorAdapter(DefaultMFAAdapter):
    """What allauth asks about second factors: their secrets are kept encrypted, keyed by the portal's secret key."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not correct, or it was used already."),
        "incorrect_passkey": gettext_lazy("This passkey is not known here. Please choose another way."),
        "cannot_generate_recovery_codes": gettext_lazy("Set up a second factor first."),
    }

    def encrypt(self, text: str) -> str:
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _keys().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        return _("Passkey of %(date)s") % {"date": date_format(timezone.localdate(), "SHORT_DATE_FORMAT")}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.OPERATOR_NAME}


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Ending sessions leaves a trace, one event for each."""

    def end_sessions(self, sessions: Sequence[Any]) -> None:
        for session in sessions:
            _trace("user.session_ended", session.user, allauth_context.request, by=session.user, device=str(session))
        super().end_sessions(sessions)


def is_recent(request: HttpRequest) -> bool:
    """Return whether this person showed a password, code or passkey in this session within the last five minutes."""
    if not request.user.is_authenticated:
        return False
    records = get_authentication_records(request, request.user)
    return bool(records) and 0 <= time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def know_address(user: Any) -> None:
    """Tell allauth that the person's address is the one they sign in with, and forget any other proven one.

    To be called when somebody else than allauth changed `user.email`; the page "E-mail address" does it on its own.
    """
    EmailAddress.objects.filter(user=user, verified=True).exclude(email=user.email).delete()
    proven = {"verified": True, "primary": True}
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults=proven)


def device(user_agent: str) -> str:
    """Name browser and system in two words, as far as the browser tells; "" if it tells nothing known."""
    browsers = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}
    systems["Linux"] = "Linux"
    found = (next((name for mark, name in known.items() if mark in user_agent), "") for known in (browsers, systems))
    return ", ".join(name for name in found if name)


def passkey_failed(request: HttpRequest, user: User | None) -> None:
    """Record that somebody showed a passkey that opens nothing; `user` is whoever gave the right password before."""
    _trace("user.second_factor_failed" if user else "user.sign_in_failed", user or User(), request)


def connect() -> None:
    """Connect the trace to allauth's signals (called once, when the apps are ready)."""
    account_signals.user_logged_in.connect(_signed_in)
    account_signals.authentication_step_completed.connect(_step_completed)
    account_signals.password_changed.connect(_password_changed)
    account_signals.password_set.connect(_password_changed)
    account_signals.password_reset.connect(_password_reset)
    account_signals.email_changed.connect(_email_changed)
    mfa_signals.authenticator_added.connect(_second_factor_added)
    mfa_signals.authenticator_removed.connect(_second_factor_removed)
    mfa_signals.authenticator_reset.connect(_recovery_codes_generated)
    mfa_signals.authentication_failed.connect(_second_factor_failed)
    user_logged_out.connect(_signed_out)


def _signed_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    request.session["began_at"] = request.session["seen_at"] = int(time.time())  # what SessionAgeMiddleware counts from
    _trace("user.signed_in", user, request, by=user)


def _signed_out(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    if user is not None and user.is_authenticated:
        _trace("user.signed_out", user, request, by=user)


def _step_completed(request: HttpRequest, user: User, *, reauthenticated: bool = False, **_kwargs: Any) -> None:
    """Give the session a new key after re-authentication, as sign-in does, and keep its place in the session list."""
    if not reauthenticated:
        return
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(user=user, session_key=before).update(session_key=request.session.session_key)
    _trace("user.reauthenticated", user, request, by=user)


def _password_changed(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    _trace("user.password_changed", user, request, by=user)


def _password_reset(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    _trace("user.password_reset", user, request, by=user)


def _email_changed(request: HttpRequest, user: User, from_email_address: Any, to_email_address: Any, **_: Any) -> None:
    before = {"email": from_email_address.email if from_email_address else ""}
    after = {"email": to_email_address.email, "address": _address(request)}
    entry = audit.Entry("user", user.pk, user.email, before, after)
    audit.record("user.email_changed", [entry], by=user, at=timezone.now())


def _second_factor_added(request: HttpRequest, user: User, authenticator: Any, **_kwargs: Any) -> None:
    _trace("user.second_factor_added", user, request, by=user, kind=authenticator.type)


def _second_factor_removed(request: HttpRequest, user: User, authenticator: Any, **_kwargs: Any) -> None:
    _trace("user.second_factor_removed", user, request, by=user, kind=authenticator.type)


def _recovery_codes_generated(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    _trace("user.recovery_codes_generated", user, request, by=user)


def _second_factor_failed(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    _trace("user.second_factor_failed", user, request)


def _trace(verb: str, user: User, request: HttpRequest, *, by: User | str = NOBODY, **after: Any) -> None:
    entry = audit.Entry("user", user.pk, user.email, after=after | {"address": _address(request)})
    audit.record(verb, [entry], by=by, at=timezone.now())


def _by_address(email: str) -> User:
    """Return the person with this address, or a stand-in that bears it: the trace says which address was tried."""
    return User.objects.filter(email=email.lower()).first() or User(email=email.lower())


def _address(request: HttpRequest) -> str:
    return str(AccountAdapter(request).get_client_ip(request))


def _shown(context: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return what a mail shows of allauth's context, as text: never the objects, tokens only inside their link."""
    shown = {name: context[name] for name in _SHOWN if name in context}
    shown["moment"] = date_format(timezone.localtime(now), "DATETIME_FORMAT")
    ends = now + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    shown["valid_until"] = date_format(timezone.localtime(ends), "DATETIME_FORMAT")
    shown["device"] = device(context.get("user_agent", ""))
    return shown


def _keys() -> MultiFernet:
    """Return the keys of second factors' secrets: made of the secret key, old ones still open what they closed."""
    secrets = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    derived = (HKDF(SHA256(), 32, None, b"portal.signin.second-factor").derive(s.encode()) for s in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
