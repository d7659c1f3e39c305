"""The link in a mail with fax credentials: shows them once, to the person they are for, after a fresh sign-in."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from fax import keys, links, setup
from fax.links import UNKNOWN, NotValid
from numbers.messages import display
from portal.access import Request, member, recently_signed_in
from portal.tenancy import tenant_transaction

KEPT = "fax_link"  # in the session: the hash of the token, so that no page, log or table holds the token itself


@never_cache
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address, for nothing that is shown or logged should hold it; use nothing up."""
    request.session[KEPT] = keys.fingerprint(token)
    return redirect("fax:link")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member
@recently_signed_in
def link(request: Request) -> HttpResponseBase:
    """Say what the link is for, and on POST use it up and show the credentials (rule F3)."""
    kept, at = request.session.get(KEPT, ""), timezone.now()
    tenant_id = links.tenant_of(kept)
    try:
        if tenant_id is None or tenant_id not in {m.tenant_id for m in request.memberships}:
            raise NotValid(UNKNOWN)
        with tenant_transaction(tenant_id, user_id=request.user.pk):
            return _answer(request, kept, at)
    except NotValid as invalid:
        return render(request, "fax/not_valid.html", {"reason": invalid.reason}, status=404)


def _answer(request: Request, kept: str, at: datetime) -> HttpResponse:
    if request.method != "POST":
        mail = links.offer(kept, user=request.user, at=at)
        context = {"mail": mail, "display": display(mail.credential.number)}
        return render(request, "fax/link.html", context)
    shown = links.show(kept, user=request.user, at=at)
    number = shown.credential.number
    printer = setup.printer(number)
    command = setup.command(printer, shown.credential.username, shown.secret)
    context = {"shown": shown, "display": display(number), "printer": printer, "command": command}
    return render(request, "fax/shown.html", context | {"printing": setup.printing(printer)})
