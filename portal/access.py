"""Who may do what: one decorator per role, and the check that a form belongs to the tenant shown.

| page group                                   | administrator | billing | staff |
|----------------------------------------------|---------------|---------|-------|
| own account, own data, help, language, theme | yes           | yes     | yes   |
| dashboard, numbers, lifecycle, swap, bulk    | yes           | –       | –     |
| addresses, PIN letters                       | yes           | –       | –     |
| costs                                        | yes           | yes     | –     |
| calls of a number, itemised bill, retention  | yes           | –       | –     |
| what is kept and until when                  | yes           | yes     | yes   |
| own calls, if the tenant lets staff see them | yes           | yes     | yes   |
| own numbers                                  | –             | –       | yes   |
| own faxes                                    | yes           | yes     | yes   |
| how many faxes of whom                       | yes           | –       | –     |
| staff: list, create, access, roles, settings | yes           | –       | –     |
| a person's data: hand over, erase            | yes           | –       | –     |
| accepting an invitation                      | everybody who has the link, signed in or not |
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from portal import signin
from portal.models import Membership, Role, User

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

_signer = Signer(salt="portal.tenant")


class Request(HttpRequest):
    """A request of a signed-in person in a tenant, as views may rely on it after `member` and its kin."""

    user: User
    membership: Membership
    memberships: list[Membership]
    htmx: "HtmxDetails"


type View[**P] = Callable[Concatenate[Request, P], HttpResponseBase]


def tenant_token(tenant_id: int) -> str:
    """Return the signed tenant that pages carry, only to compare: it never chooses a tenant."""
    return _signer.sign(str(tenant_id))


def _rendered_for(request: HttpRequest) -> int | None:
    """Return the tenant a form or htmx request was rendered for, or None if it does not say or was forged."""
    token = request.headers.get("X-Tenant") or request.POST.get("_tenant", "")
    try:
        return int(_signer.unsign(token))
    except BadSignature:
        return None


def recently_signed_in[**P](view: View[P]) -> View[P]:
    """Let people in who showed a password, code or passkey within five minutes; ask the others for it first.

    For acts that nothing undoes, below the decorator of the role. What was sent too late is not done: the way leads
    back to the page it was sent from.
    """

    @wraps(view)
    def guarded(request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if signin.is_recent(request):
            return view(request, *args, **kwargs)
        return confirm_first(request)

    return cast("View[P]", guarded)


def confirm_first(request: Request, *, back: str = "") -> HttpResponseBase:
    """Lead to the page that asks who it is, and from there back to where the person is, or to an address of ours."""
    ask = redirect_to_login(back or _page_of(request), resolve_url("account_reauthenticate"))
    if request.method != "GET":
        messages.warning(request, _("Nothing was changed yet: please confirm first that it is you, then try again."))
    return HttpResponseClientRedirect(ask.url) if request.htmx else ask


def _page_of(request: Request) -> str:
    """Return the page a person is on: where a form stood, never the address it was sent to."""
    if request.htmx:
        return request.htmx.current_url_abs_path or resolve_url("portal:home")
    if request.method == "GET":
        return request.get_full_path()
    origin, page = f"{request.scheme}://{request.get_host()}", request.headers.get("Referer", "")
    return page.removeprefix(origin) if page.startswith(f"{origin}/") else resolve_url("portal:home")


def sign_in_first(request: HttpRequest) -> HttpResponseBase:
    """Lead to the sign-in and back; an htmx request leaves the page, for no sign-in form belongs in a dialog."""
    htmx: Any = getattr(request, "htmx", None)
    if htmx:
        back = htmx.current_url_abs_path or resolve_url("portal:home")
        return HttpResponseClientRedirect(redirect_to_login(back).url)
    back = request.get_full_path() if request.method == "GET" else resolve_url("portal:home")
    return redirect_to_login(back)


def _for_roles[**P](*roles: Role) -> Callable[[View[P]], View[P]]:
    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return sign_in_first(request)
            if request.membership is None:
                return redirect("portal:home")
            if stale := _stale(request):
                return stale
            if request.membership.role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast("View[P]", guarded)

    return decorate


def _stale(request: Request) -> HttpResponse | None:
    """Refuse what was rendered for another tenant: somebody switched in another tab (409, nothing is changed)."""
    if request.method == "GET" and not request.headers.get("X-Tenant"):
        return None
    if _rendered_for(request) == request.membership.tenant_id:
        return None
    messages.warning(
        request,
        _("You switched to %(tenant)s meanwhile. Nothing was changed; this is the present page.")
        % {"tenant": request.membership.tenant.name},
    )
    if request.htmx:
        response: HttpResponse = HttpResponseClientRedirect(resolve_url("portal:home"))
        response.status_code = 409
        return response
    return render(request, "409.html", status=409)


def administrator[**P](view: View[P]) -> View[P]:
    """Let administrators of the tenant in: 403 for other roles, sign-in for nobody, 409 for another tenant's form."""
    return _for_roles(Role.ADMINISTRATOR)(view)


def billing_or_administrator[**P](view: View[P]) -> View[P]:
    """Let administrators and billing contacts of the tenant in."""
    return _for_roles(Role.ADMINISTRATOR, Role.BILLING)(view)


def member[**P](view: View[P]) -> View[P]:
    """Let anybody in who belongs to the tenant."""
    return _for_roles(*Role)(view)
