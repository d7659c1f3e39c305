"""The front door: everybody to the page that is theirs."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from portal.access import sign_in_first
from portal.models import Membership, Role

_FIRST_PAGE = {
    Role.ADMINISTRATOR: "numbers:dashboard",
    Role.BILLING: "billing:costs",
    Role.STAFF: "numbers:mine",
}


def home(request: HttpRequest) -> HttpResponseBase:
    """Lead to the first page of the person's role, or say what to do for somebody who belongs to no tenant."""
    if not request.user.is_authenticated:
        return sign_in_first(request)
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return render(request, "portal/no_tenant.html", status=403)
    return redirect(_FIRST_PAGE[Role(membership.role)])
