"""Returning a number."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from numbers import returning
from numbers.forms.returning import ReturnForm
from numbers.messages import display
from numbers.models import PhoneNumber
from numbers.outcomes import Outcome, Reason, Result
from portal import submissions
from portal.access import Request, administrator, recently_signed_in


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def return_number(request: Request, pk: int) -> HttpResponse:
    """Show what returning a number means, and give it back irrevocably."""
    number = get_object_or_404(PhoneNumber.objects.select_related("area"), pk=pk)
    form = ReturnForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        outcome = _once(request, form, pk)
        if outcome.result == Result.DONE:
            messages.success(request, _("%(number)s was returned.") % {"number": display(number)})
            return redirect("numbers:overview")
        form.add_error(None, outcome.sentence)
    obstacle = None if form.is_bound else returning.refusal(number, at=timezone.now())
    context = {"number": number, "display": display(number), "form": form, "days": settings.POOL_REST_DAYS}
    context["obstacle"] = obstacle and obstacle.sentence
    return render(request, "numbers/returning/return.html", context, status=422 if form.is_bound else 200)


def _once(request: Request, form: ReturnForm, pk: int) -> Outcome:
    at = timezone.now()

    def work() -> dict[str, Any]:
        rows = PhoneNumber.objects.locked([pk])
        if not rows:
            raise Http404
        (outcome,) = returning.return_numbers(rows, by=request.user, at=at)
        return {"result": outcome.result, "reason": outcome.reason}

    kept, _again = submissions.once(form.cleaned_data["operation_id"], "return", by=request.user, at=at, work=work)
    return Outcome(pk, Result(kept["result"]), Reason(kept["reason"]) if kept["reason"] else None)
