"""One request: one reference number, one transaction, one tenant."""

import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.views import redirect_to_login
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _

from portal import door, tenancy, typed
from portal.logs import request_id
from portal.models import Membership, Tenant, User
from portal.views import errors

type Next = Callable[[HttpRequest], HttpResponseBase]

_MEMBERSHIP = [field.attname for field in Membership._meta.concrete_fields]
_PERSON = [field.attname for field in User._meta.concrete_fields]
_TENANT = [field.attname for field in Tenant._meta.concrete_fields]
TOUCH_SECONDS = 60  # how exactly the idle time of a session is known


class RequestIdMiddleware:
    """Give each request a reference number: it stands in the log, in the answer and on every error page."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        reference = given if re.fullmatch(r"[A-Za-z0-9-]{8,40}", given) else secrets.token_hex(4).upper()
        token = request_id.set(reference)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response.headers["X-Request-ID"] = reference
        return response


class SessionAgeMiddleware:
    """End a session that has been idle too long, or is older than twelve hours whatever was done in it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.session.get("_auth_user_id"):
            now = int(time.time())
            began, seen = request.session.get("began_at", now), request.session.get("seen_at")
            if now - (seen or now) > settings.SESSION_IDLE_SECONDS or now - began > settings.SESSION_COOKIE_AGE:
                logout(request)
            elif seen is None or now - seen >= TOUCH_SECONDS:
                request.session["began_at"], request.session["seen_at"] = began, now
                typed.forget_expired(request)  # here, where the session is written anyway
        return self.get_response(request)


class CalmRefusalMiddleware:
    """Show a page where an address that takes forms alone is opened by hand; Django's own answer is a blank one."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code != 405 or request.method != "GET":
            return response
        page = errors.not_allowed(request)
        page.headers["Allow"] = response.headers.get("Allow", "")
        return page


class OneTransaction:
    """Own the transaction around everything inside; a view that raised or answered 5xx leaves nothing behind."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with transaction.atomic():
            response = self.serve(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if connection.in_atomic_block:
            transaction.set_rollback(True)

    def serve(self, request: HttpRequest) -> HttpResponseBase:
        raise NotImplementedError


class TenantMiddleware(OneTransaction):
    """Serve one tenant per request: that of the signed-in person's membership, never of the URL, a header or a form."""

    def serve(self, request: HttpRequest) -> HttpResponseBase:
        request.membership = None  # type: ignore[attr-defined]  # as access.Request says
        request.memberships = []  # type: ignore[attr-defined]  # as access.Request says
        user_id = _claimed(request)
        if user_id is None:
            return self.get_response(request)
        chosen: int | None = request.session.get("tenant_id")
        rows = tenancy.announce_and_ask(user_id=user_id, tenant_id=chosen)
        with door.at_hand(User.from_db("default", _PERSON, rows[0][: len(_PERSON)]) if rows else None):
            is_authenticated = request.user.is_authenticated  # Django checks the session against the person's password
        if not is_authenticated:
            tenancy.announce(user_id=None, tenant_id=None)
            return self.get_response(request)
        memberships = _memberships(rows)
        own = [m for m in memberships if m.tenant_id == chosen] or memberships[:1]
        request.memberships = memberships  # type: ignore[attr-defined]  # as access.Request says
        if not own:
            if chosen:
                tenancy.announce(user_id=request.user.pk, tenant_id=None)
            return self._uncached(request)
        if own[0].tenant_id != chosen:
            request.session["tenant_id"] = own[0].tenant_id
            tenancy.announce(user_id=request.user.pk, tenant_id=own[0].tenant_id)
        request.membership = own[0]  # type: ignore[attr-defined]  # as access.Request says
        with tenancy.serving(own[0].tenant_id):
            return self._uncached(request)

    def _uncached(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request", "HX-Request-Type"])
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
            response.headers["Cache-Control"] = "no-store"
        return response


def _claimed(request: HttpRequest) -> int | None:
    """Return whose session this says it is, before it is checked."""
    claimed = request.session.get(SESSION_KEY)
    return int(claimed) if claimed else None


def _memberships(rows: Iterable[tuple[Any, ...]]) -> list[Membership]:
    """Return the memberships of `tenancy.announce_and_ask`, each with its tenant."""
    found = []
    for row in rows:
        own = row[len(_PERSON) : -len(_TENANT)]
        if own[0] is not None:
            membership = Membership.from_db("default", _MEMBERSHIP, own)
            membership.tenant = Tenant.from_db("default", _TENANT, row[-len(_TENANT) :])
            found.append(membership)
    return found


class OperatorMiddleware(OneTransaction):
    """The operator's console: every tenant, for agents of the operator with a second factor only."""

    OPEN = ("/accounts/", "/static/", "/healthz", "/hooks/")  # what lies below /hooks/ checks signatures

    def serve(self, request: HttpRequest) -> HttpResponseBase:
        request.membership, request.memberships = None, []  # type: ignore[attr-defined]  # as access.Request says
        user: Any = request.user
        if user.is_authenticated and not user.is_operator:
            logout(request)
            return redirect("account_login")
        if not user.is_authenticated and not self._open(request):
            return redirect_to_login(request.get_full_path())
        if settings.OPERATOR_SECOND_FACTOR and not self._open(request):
            from allauth.mfa.utils import is_mfa_enabled  # noqa: PLC0415 -- needs the loaded models

            if not is_mfa_enabled(user, ["totp", "webauthn"]):
                messages.warning(request, _("The operator's console needs a second factor. Please set one up."))
                return redirect("mfa_index")
        with tenancy.every_tenant():
            response = self.get_response(request)
        add_never_cache_headers(response)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _open(self, request: HttpRequest) -> bool:
        return request.path.startswith(self.OPEN)
