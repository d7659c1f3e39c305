"""One number: its page, what is written about it, and the history of the tenant."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from numbers import attachments, labels, port_page
from numbers import detail as shown
from numbers import history as trace
from numbers.forms.history import HistoryForm
from numbers.forms.number import NumberForm
from numbers.models import PhoneNumber, Usage
from numbers.outcomes import Outcome, Result
from portal.access import Request, administrator


@require_GET
@administrator
def detail(request: Request, pk: int) -> HttpResponse:
    """Show a number: how it stands, what can be done, where its calls go, what happened to it."""
    number = get_object_or_404(PhoneNumber.objects.select_related("area"), pk=pk)
    past, more = shown.past(number, before=_id(request, "before"))
    context = {
        "number": number,
        **shown.standing(number, at=timezone.now()),
        **port_page.about(number),
        "past": past,
        "more": more,
        "first_page": "before" not in request.GET,
    }
    return render(request, "numbers/number/number.html", context)


@require_http_methods(["GET", "POST"])
@administrator
def edit(request: Request, pk: int) -> HttpResponse:
    """Change label, note and usage of a number."""
    number = get_object_or_404(PhoneNumber.objects.held().select_related("area"), pk=pk)
    form = NumberForm(request.POST) if request.method == "POST" else NumberForm.of(number)
    if form.is_valid():
        _confirm(request, _change(request, pk, form.cleaned_data))
        return redirect("numbers:number", pk=pk)
    at = timezone.now()
    lost = [right.sentence for right in attachments.rights([number], at=at)]
    context = {"number": number, "facts": shown.facts(number, at=at), "form": form, "lost": lost}
    part = "#dialog" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/number/edit.html{part}", context, status=422 if form.is_bound else 200)


def _change(request: Request, pk: int, wanted: dict[str, Any]) -> Outcome:
    locked = PhoneNumber.objects.locked([pk])
    if not locked:
        raise Http404
    usage = Usage(wanted["usage"])
    label, note = wanted["label"], wanted["note"]
    return labels.change(locked[0], label=label, note=note, usage=usage, by=request.user, at=timezone.now())


def _confirm(request: Request, outcome: Outcome) -> None:
    if outcome.result == Result.REFUSED:
        messages.warning(request, outcome.sentence)
    elif outcome.result == Result.DONE:
        messages.success(request, _("The changes were saved."))
    else:
        messages.info(request, _("Nothing was different, so nothing was changed."))


@require_GET
@administrator
def history(request: Request) -> HttpResponse:
    """Show what happened in the tenant, newest first, narrowed by kind, person, number and day."""
    form = HistoryForm(request.GET, people=trace.people())
    wanted = form.wanted()
    page = trace.page(wanted, before=_id(request, "before"), after=_id(request, "after"))
    context = {"form": form, "page": page, "filtered": bool(wanted.any)}
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/history/history.html{part}", context)


def _id(request: Request, name: str) -> int | None:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 19 else None
