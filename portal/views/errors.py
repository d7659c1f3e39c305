"""Calm error pages, each with the reference number that stands in the log."""

from copy import copy
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.logs import request_id


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: usually a page that stood open across a sign-in."""
    return _page(request, 403, stale=True)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404)


def not_allowed(request: HttpRequest) -> HttpResponse:
    """The answer to a form, opened anew by its address: after a reload, or a language that was switched."""
    return _page(request, 405)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say it calmly. Whatever broke may be the database, so this page asks for nothing but its own text: not even who
    is signed in, or the error page would fail as well."""
    nobodys: Any = copy(request)
    nobodys.user, nobodys.membership, nobodys.session, nobodys._messages = AnonymousUser(), None, {}, []
    return _page(nobodys, 500)


def _page(request: HttpRequest, status: int, **context: bool) -> HttpResponse:
    return render(request, f"{status}.html", {"reference": request_id.get(), **context}, status=status)
