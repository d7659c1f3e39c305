"""Language, appearance, tenant and profile of the person at the screen."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render, resolve_url
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from portal import people
from portal.access import Request, member

YEAR = 365 * 24 * 3600


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Change the language of the interface; remembered with the person, or in a cookie before sign-in."""
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest()
    if request.user.is_authenticated:
        people.remember(request.user, language=code)
    response = redirect(_back(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, code, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax"
    )
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Change the appearance: as the system, light or dark."""
    chosen = request.POST.get("theme", "")
    if chosen not in ("auto", "light", "dark"):
        return HttpResponseBadRequest()
    if request.user.is_authenticated:
        people.remember(request.user, theme=chosen)
    response = redirect(_back(request))
    response.set_cookie("theme", chosen, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")
    return response


@require_POST
@member
def switch_tenant(request: Request) -> HttpResponse:
    """Show another tenant the person belongs to; an id of any other tenant changes nothing (404)."""
    chosen = people.membership_of(request.memberships, request.POST.get("tenant", ""))
    request.session["tenant_id"] = chosen.tenant_id
    with translation.override(request.user.language):
        messages.success(request, _("You now see %(tenant)s.") % {"tenant": chosen.tenant.name})
    return redirect("portal:home")


@require_GET
@member
def profile(request: Request) -> HttpResponse:
    """Show the person's own account: name, address, role, language, appearance, security."""
    return render(request, "portal/profile.html")


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if target and allowed else resolve_url("portal:home")
