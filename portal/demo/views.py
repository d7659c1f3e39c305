"""The demo's mail in the browser: for whoever runs the demo, without sign-in. Elsewhere these pages do not exist."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.csp import CSP
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from portal.demo import mail

SHOWN = 100
# A mail is a stranger: it may bring its own looks and nothing else, and it runs in a world of its own.
LETTER_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],
    "img-src": ["data:"],
    "form-action": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.SELF],
    "sandbox": ["allow-popups allow-top-navigation-by-user-activation"],
}


def _demo_only[**P](
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response

    return cast("Callable[Concatenate[HttpRequest, P], HttpResponse]", guarded)


@require_safe
@_demo_only
def mails(request: HttpRequest) -> HttpResponse:
    """List the latest mails."""
    return render(request, "demo/mails.html", {"letters": mail.newest(SHOWN)})


@require_safe
@_demo_only
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """Show one mail: its text, and a way to its HTML."""
    found = mail.read(name)
    if found is None:
        raise Http404
    return render(request, "demo/letter.html", {"letter": found})


@csp_override(LETTER_CSP)
@xframe_options_sameorigin
@require_safe
@_demo_only
def letter_html(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with a mail's HTML part as it is, in a sandbox without scripts, forms or anything loaded."""
    found = mail.read(name)
    if found is None or not found.html:
        raise Http404
    return HttpResponse(found.html)
