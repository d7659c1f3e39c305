"""The journal of faxes: everybody's own, and for administrators how many there are."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fax import faxes_page, jobs
from fax.forms.faxes import ActForm, AddressForm
from fax.jobs import FaxRefused
from fax.models import FaxJob, FaxState, LockedFax
from numbers import destinations
from portal import documents, submissions
from portal.access import Request, member
from portal.models import Role

ROWS = 50
type Work = Callable[[LockedFax, datetime], None]


@require_GET
@member
def faxes(request: Request) -> HttpResponse:
    """Show a person's own faxes, newest first, and to administrators how the company's stand."""
    own, chosen = _own(request), request.GET.get("state", "")
    tabs = faxes_page.tabs(own, chosen if chosen in faxes_page.TABS else "")
    found = own.in_states(faxes_page.TABS[chosen]) if chosen in faxes_page.TABS else own
    page = Paginator(found.select_related("number__area").order_by("-pk"), ROWS).get_page(request.GET.get("page"))
    context = {"page": page, "rows": faxes_page.rows(page), "tabs": tabs}
    if request.membership.role == Role.ADMINISTRATOR:
        context["shares"] = faxes_page.shares()
    return render(request, "fax/faxes/index.html", context)


@require_GET
@member
def fax(request: Request, pk: int) -> HttpResponse:
    """Show one of one's own faxes: its first page, where it stands, what can be done with it."""
    return _show(request, _found(request, pk))


@require_GET
@member
def preview(request: Request, pk: int) -> HttpResponse:
    """Send the picture of the first page."""
    try:
        content, kind = documents.read(_found(request, pk).preview)
    except FileNotFoundError as error:
        raise Http404 from error
    return HttpResponse(content, content_type=kind, headers={"Cache-Control": "no-store"})


@require_POST
@member
def address(request: Request, pk: int) -> HttpResponse:
    """Give a waiting fax its number, after which it is sent."""
    job, form = _found(request, pk), AddressForm(request.POST)
    if form.is_valid():
        try:
            destination = jobs.read_destination(form.cleaned_data["destination"])
            if _act(request, pk, "address", lambda row, at: jobs.address(row, destination, by=request.user, at=at)):
                messages.success(
                    request, _("The fax to %(number)s is queued.") % {"number": destinations.written(destination)}
                )
            return redirect("fax:fax", pk=pk)
        except FaxRefused as refused:
            form.add_error("destination", str(refused.reason))
    return _show(request, job, form)


@require_POST
@member
def cancel(request: Request, pk: int) -> HttpResponse:
    """Call off a fax that is not being sent yet."""
    _found(request, pk)
    if _act(request, pk, "cancel", lambda row, at: jobs.cancel(row, by=request.user, at=at)):
        messages.success(request, _("The fax is cancelled."))
    return redirect("fax:fax", pk=pk)


@require_POST
@member
def retry(request: Request, pk: int) -> HttpResponse:
    """Send a fax again that was not sent."""
    _found(request, pk)
    if _act(request, pk, "retry", lambda row, at: jobs.retry(row, by=request.user, at=at)):
        messages.success(request, _("The fax is queued again."))
    return redirect("fax:fax", pk=pk)


@require_http_methods(["GET", "POST"])
@member
def delete(request: Request, pk: int) -> HttpResponse:
    """Ask whether a fax is to be deleted, and delete it."""
    job = _found(request, pk)
    if request.method == "GET":
        return render(request, "fax/faxes/delete.html", {"fax": faxes_page.row(job)})
    if not _act(request, pk, "delete", lambda row, at: jobs.discard(row, by=request.user, at=at)):
        return redirect("fax:fax", pk=pk)
    messages.success(request, _("The fax is deleted."))
    return redirect("fax:faxes")


def _own(request: Request) -> Any:
    return FaxJob.objects.visible().of_user(request.user.pk)


def _found(request: Request, pk: int) -> FaxJob:
    job: FaxJob = get_object_or_404(_own(request).select_related("number__area", "staff_member"), pk=pk)
    return job


def _show(request: Request, job: FaxJob, form: AddressForm | None = None) -> HttpResponse:
    context = {
        "fax": faxes_page.row(job),
        "job": job,
        "attempts": job.attempts.order_by("pk"),
        "form": (form or AddressForm()) if job.state == FaxState.WAITING else None,
        "may_cancel": job.state in (FaxState.WAITING, FaxState.QUEUED),
        "may_retry": job.state == FaxState.FAILED and jobs.can_retry(job, at=timezone.now()),
        "may_delete": job.ended_at is not None,
    }
    return render(request, "fax/faxes/fax.html", context, status=422 if form else 200)


def _act(request: Request, pk: int, verb: str, do: Work) -> bool:
    """Do one thing with a fax once; return whether it was done, else say why not."""
    at, form = timezone.now(), ActForm(request.POST)
    if not form.is_valid():
        return False

    def work() -> dict[str, Any]:
        for row in FaxJob.objects.locked([pk]):
            do(row, at)
        return {}

    try:
        submissions.once(form.cleaned_data["operation_id"], f"fax.{verb}.{pk}", by=request.user, at=at, work=work)
    except FaxRefused as refused:
        messages.warning(request, str(refused.reason))
        return False
    return True
