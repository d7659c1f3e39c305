"""The way in: a link from a mail, and the page behind it. Nobody is signed in here, and no tenant is known yet."""

from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from portal.models import User
from portal.tenancy import tenant_transaction
from staff import invitations
from staff.forms.invitation import AcceptForm
from staff.invitations import NotValid, Offer

KEPT = "invitation"  # in the session: the hash of the token, so that no page, log or table holds the token itself


@never_cache
@require_safe
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address, for nothing that is shown or logged should hold it; use nothing up."""
    request.session[KEPT] = invitations.fingerprint(token)
    return redirect("staff:accept")


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """Show what the link offers, and on POST make the address a login, or a login of this tenant too."""
    if not ratelimit.consume(request, action="reset_password_from_key"):
        limited: HttpResponse = ratelimit.respond_429(request)
        return limited
    kept = request.session.get(KEPT, "")
    tenant_id = invitations.tenant_of(kept)
    try:
        if tenant_id is None:
            raise NotValid
        with tenant_transaction(tenant_id):
            return _answer(request, kept, tenant_id)
    except NotValid:
        return render(request, "staff/invitation/not_valid.html", status=404)


def _answer(request: HttpRequest, kept: str, tenant_id: int) -> HttpResponse:
    offer = invitations.offer(kept, at=timezone.now())
    user = request.user if isinstance(request.user, User) else None
    if user and user.email != offer.invitation.email:
        raise NotValid
    form = _form(request, offer)
    if request.method == "POST" and user:
        return _joined(request, kept, user, offer, tenant_id)
    if form.is_valid() and not offer.signs_in:
        return _new(request, kept, form.cleaned_data, offer)
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        translation.activate(offer.invitation.member.language)
    context = {"offer": offer, "form": form, "person": user}
    return render(request, "staff/invitation/accept.html", context, status=422 if form.errors else 200)


def _form(request: HttpRequest, offer: Offer) -> AcceptForm:
    email, name = offer.invitation.email, offer.invitation.member.name
    posted = request.POST if request.method == "POST" and not offer.signs_in else None
    return AcceptForm(posted, email=email, initial={"name": name})


def _joined(request: HttpRequest, kept: str, user: User, offer: Offer, tenant_id: int) -> HttpResponse:
    """Take the signed-in person in, and show them the tenant they joined."""
    invitations.accept(kept, user=user, at=timezone.now())
    del request.session[KEPT]
    request.session["tenant_id"] = tenant_id
    messages.success(request, _("You now belong to %(tenant)s.") % {"tenant": offer.tenant})
    return redirect("portal:home")


def _new(request: HttpRequest, kept: str, chosen: dict[str, Any], offer: Offer) -> HttpResponse:
    """Make the login; who accepted signs in with it, so that a second factor or a password manager learns of it."""
    invitations.accept(kept, user=None, name=chosen["name"], password=chosen["password1"], at=timezone.now())
    del request.session[KEPT]
    messages.success(request, _("Your access is set up. Please sign in with your new password."))
    return redirect("account_login")
