"""Swap: two numbers change places."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from numbers import swap as operations
from numbers import swap_choices
from numbers.forms.swap import SwapForm
from numbers.messages import display
from numbers.models import PhoneNumber
from numbers.outcomes import Outcome, Reason, Result
from portal import submissions
from portal.access import Request, administrator, recently_signed_in

PAGE = "numbers/swap/swap.html"
PARTS = {"old": "old_select", "new": "new_select", "rest": "rest"}


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def swap(request: Request) -> HttpResponse:
    """Choose an active and an inactive number, see what is erased, and let them change places."""
    if request.method != "POST":
        return render(request, PAGE, _context(request.GET, None))
    form = SwapForm(request.POST)
    if not form.is_valid():
        return render(request, PAGE, _context(request.POST, form), status=422)
    outcome = _complete(request, form)
    if outcome is None:
        return render(request, PAGE, _context(request.POST, form), status=422)
    _confirm(request, form, outcome)
    return redirect("numbers:forwarding", pk=form.cleaned_data["new"])


@require_GET
@administrator
def choices(request: Request) -> HttpResponse:
    """Answer one part of the page anew: a select narrowed by its search, or what follows from another old number."""
    part = PARTS.get(request.GET.get("field", ""))
    if part is None:
        raise Http404
    return render(request, f"{PAGE}#{part}", _context(request.GET, None))


def _complete(request: Request, form: SwapForm) -> Outcome | None:
    """Swap once however often the form is sent; a repeat gets the first outcome. None, with the reason, if refused."""
    at, chosen = timezone.now(), form.cleaned_data

    def work() -> dict[str, Any]:
        rows = {row.pk: row for row in PhoneNumber.objects.locked([chosen["old"], chosen["new"]])}
        if not {chosen["old"], chosen["new"]} <= rows.keys():
            raise Http404
        outcome = operations.swap(
            rows[chosen["old"]], rows[chosen["new"]], agreed=chosen["sure"], by=request.user, at=at
        )
        return {"result": outcome.result, "reason": outcome.reason}

    try:
        kept, _again = submissions.once(chosen["operation_id"], "swap", by=request.user, at=at, work=work)
    except operations.ErasedChanged as changed:
        form.add_error(changed.field, str(changed.reason))
        return None
    outcome = Outcome(chosen["old"], Result(kept["result"]), Reason(kept["reason"]) if kept["reason"] else None)
    if outcome.result == Result.REFUSED:
        form.add_error(None, outcome.sentence)
        return None
    return outcome


def _confirm(request: Request, form: SwapForm, outcome: Outcome) -> None:
    if outcome.result == Result.UNCHANGED:
        messages.info(request, outcome.sentence)
        return
    pair = [form.cleaned_data["old"], form.cleaned_data["new"]]
    shown = {n.pk: display(n) for n in PhoneNumber.objects.filter(pk__in=pair).select_related("area")}
    text = _("%(old)s was replaced by %(new)s. The new number is active; now set up where its calls go.")
    messages.success(request, text % {"old": shown[pair[0]], "new": shown[pair[1]]})


def _context(data: QueryDict, form: SwapForm | None) -> dict[str, Any]:
    old, new = _chosen(data, "old"), _chosen(data, "new")
    terms = {"old_term": data.get("old_q", ""), "new_term": data.get("new_q", "")}
    found = swap_choices.choices(old=old, new=new, at=timezone.now(), **terms)
    initial = {"old": old and old.pk, "new": new and new.pk}
    form = (form or SwapForm(initial=initial)).offer(found.old_offer.options, found.new_offer.options)
    scheduled = bool(found.refusal and found.refusal.reason == Reason.OLD_SCHEDULED)
    return {"form": form, "found": found, "scheduled": scheduled, "old_number": old and display(old), **terms}


def _chosen(data: QueryDict, name: str) -> PhoneNumber | None:
    """Return the number chosen in a select; one of another tenant is as unknown as one that never was (404)."""
    if not (chosen := data.get(name, "")).isdecimal():
        return None
    number: PhoneNumber = get_object_or_404(PhoneNumber.objects.held().select_related("area"), pk=chosen)
    return number
