"""Port orders that were submitted: the list, how far each has come, another date, cancelling (rules P3, P6, P7)."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from numbers import port_list, port_page, port_seen, port_temporary, porting, swap
from numbers.forms.porting import MoveForm, ReplaceForm, SeenForm
from numbers.models import LockedPortOrder, PortDocument, PortOrder, PortState
from numbers.porting import PortRefused
from numbers.views.port_wizard import Work, act, found
from portal import documents
from portal.access import Request, administrator, recently_signed_in
from portal.refusals import Refused

STALE = gettext_lazy(
    "Something has happened to this order since you opened this page. Nothing was changed; please decide anew."
)


@require_GET
@administrator
def index(request: Request) -> HttpResponse:
    """Show the port orders that match, and the numbers that leave the tenant; htmx gets the list alone."""
    wanted = port_list.read(request.GET.dict())
    page = Paginator(port_list.found(wanted), port_list.SHOWN).get_page(request.GET.get("page"))
    context = {"page": page, "rows": port_page.rows(list(page)), "wanted": wanted, "leaving": port_page.leaving()}
    context |= {"heads": port_list.heads(wanted), "states": PortState.choices}
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/porting/index.html{part}", context)


@require_GET
@administrator
def port(request: Request, pk: int) -> HttpResponse:
    """Show one order: how far it has come, what comes next, what it says."""
    return render(request, "numbers/porting/port.html", port_page.order(found(pk), at=timezone.now()))


@require_GET
@administrator
def document(request: Request, pk: int, version: int) -> HttpResponse:
    """Show an uploaded version of the signed form in the browser."""
    kept = get_object_or_404(PortDocument, order=pk, version=version)
    try:
        content, kind = documents.read(kept.name)
    except FileNotFoundError as error:
        raise Http404 from error
    headers = {"Content-Disposition": f'inline; filename="portierungsauftrag-{pk}-{version}.pdf"'}
    return HttpResponse(content, content_type=kind, headers=headers)


@require_http_methods(["GET", "POST"])
@administrator
def move(request: Request, pk: int) -> HttpResponse:
    """Ask for another date of an order that was submitted."""
    at, form = timezone.now(), MoveForm(request.POST if request.method == "POST" else None)

    def work(row: LockedPortOrder, at: datetime) -> None:
        _expect_seen(row, "ask_date", form)
        porting.ask_date(row, form.cleaned_data["requested_on"], by=request.user, at=at)

    if form.is_valid() and _done(request, form, pk, "port.move", work):
        messages.success(request, _("You asked for another date. We write you when the old provider has answered."))
        return redirect("numbers:port", pk)
    order = found(pk)
    if _is_too_late(request, order, "ask_date", at=at):
        return redirect("numbers:port", pk)
    chosen = form.cleaned_data.get("requested_on") if form.is_bound else None
    context = _about(order, form) | port_page.calendar(order, chosen=chosen, at=at)
    return render(request, "numbers/porting/move.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@administrator
def cancel(request: Request, pk: int) -> HttpResponse:
    """Cancel an order; the numbers stay with the old provider."""
    at, form = timezone.now(), SeenForm(request.POST if request.method == "POST" else None)

    def work(row: LockedPortOrder, at: datetime) -> None:
        _expect_seen(row, "cancel", form)
        porting.cancel(row, by=request.user, at=at)

    if form.is_valid() and _done(request, form, pk, "port.cancel", work):
        messages.success(request, _("The order was cancelled. The numbers stay with the old provider."))
        return redirect("numbers:port", pk)
    order = found(pk)
    if _is_too_late(request, order, "cancel", at=at):
        return redirect("numbers:port", pk)
    context = _about(order, form) | {"known": porting.is_known_there(order)}
    return render(request, "numbers/porting/cancel.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def replace(request: Request, pk: int) -> HttpResponse:
    """Let the ported number take the place of the temporary one, in one step (rule S1)."""
    order, form = found(pk), ReplaceForm(request.POST if request.method == "POST" else None)
    waits = port_temporary.waiting(order, at=timezone.now())
    if waits is None or waits.how != "swap":
        return _nothing_to_replace(request, order, waits)
    old, new = waits.words["temporary"], waits.words["waiting"]

    def work(row: LockedPortOrder, at: datetime) -> None:
        porting.replace_temporary(row, agreed=form.cleaned_data["sure"], by=request.user, at=at)

    if form.is_valid() and _done(request, form, pk, "port.replace", work):
        messages.success(request, _("%(old)s was replaced by %(new)s.") % {"old": old, "new": new})
        return redirect("numbers:port", pk)
    erased = swap.erased(waits.old, at=timezone.now())
    context = {"order": order, "form": form, "old": old, "new": new, "erased": erased}
    return render(request, "numbers/porting/replace.html", context, status=422 if form.is_bound else 200)


def _nothing_to_replace(request: Request, order: PortOrder, waits: port_temporary.Waiting | None) -> HttpResponse:
    """Lead back to the order; a second click is told that it is done. What hinders the swap stands on the page."""
    if porting.was_replaced(order):
        messages.info(request, _("The ported number has taken the place of the temporary one."))
    elif waits is None:
        messages.warning(request, _("There is no temporary number to replace, or it is replaced already."))
    return redirect("numbers:port", order.pk)


def _expect_seen(row: LockedPortOrder, verb: str, form: Form) -> None:
    porting.expect(row, verb)
    port_seen.expect(port_seen.standing(row), form.cleaned_data["seen"], STALE)


def _is_too_late(request: Request, order: PortOrder, verb: str, *, at: datetime) -> bool:
    """Say why the verb is not possible any more, if it is not."""
    try:
        porting.expect(order, verb)
        porting.expect_unlocked(order, at=at)
    except PortRefused as refused:
        messages.warning(request, str(refused.reason))
        return True
    return False


def _done(request: Request, form: Form, pk: int, verb: str, work: Work) -> bool:
    """Do it once; put the reason into the form if it cannot be done."""
    try:
        return act(request, pk, verb, work)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused.reason))
        return False


def _about(order: PortOrder, form: Form) -> dict[str, Any]:
    """Return what a page shows that asks before something is done to an order."""
    heading, seen = str(port_page.rows([order])[0].numbers), port_seen.standing(order)
    return {"order": order, "heading": heading, "form": form, "seen": seen}
