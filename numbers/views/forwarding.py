"""Where the calls to a number go."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from numbers import detail
from numbers import forwarding as operations
from numbers.forms.forwarding import SECONDS, ForwardingForm
from numbers.forwarding import ForwardingRefused
from numbers.models import Forwarding, LockedNumber, PhoneNumber
from portal.access import Request, administrator

PAGE = "numbers/forwarding/forwarding.html"


@require_http_methods(["GET", "POST"])
@administrator
def forwarding(request: Request, pk: int) -> HttpResponse:
    """Show and set where the calls to a number go: always, when busy, when there is no answer."""
    number = get_object_or_404(PhoneNumber.objects.held().select_related("area"), pk=pk)
    rules = detail.rules(number)
    form = ForwardingForm(request.POST or None, initial=_initial(rules, request.GET.get("when", "")))
    if form.is_valid() and _set(request, pk, form):
        messages.success(request, _("The forwarding is set up."))
        return redirect("numbers:forwarding", pk=pk)
    facts = detail.facts(number, at=timezone.now())
    context = {"number": number, "facts": facts, "rules": rules, "form": form}
    return render(request, PAGE, context, status=422 if form.is_bound else 200)


@require_POST
@administrator
def remove(request: Request, pk: int, when: str) -> HttpResponse:
    """Stop forwarding a number in one case."""
    if when not in Forwarding.When:
        raise Http404
    if operations.remove_rule(_locked(pk), when=when, by=request.user, at=timezone.now()):
        messages.success(request, _("The forwarding was removed."))
    else:
        messages.info(request, _("There was no such forwarding any more."))
    return redirect("numbers:forwarding", pk=pk)


def _set(request: Request, pk: int, form: ForwardingForm) -> bool:
    """Set the rule, or put the reason why not beside the destination."""
    rule = form.cleaned_data
    try:
        operations.set_rule(
            _locked(pk),
            when=rule["when"],
            destination=rule["destination"],
            after_seconds=rule["after_seconds"],
            by=request.user,
            at=timezone.now(),
        )
    except ForwardingRefused as refused:
        form.add_error("destination", str(refused.reason))
        return False
    return True


def _locked(pk: int) -> LockedNumber:
    rows: list[LockedNumber] = PhoneNumber.objects.locked([pk], held=True)
    if not rows:
        raise Http404
    return rows[0]


def _initial(rules: list[detail.Rule], when: str) -> dict[str, Any]:
    """Fill the form with the rule that is to be changed, else begin a new one for the first open case."""
    known = {rule.when: rule for rule in rules}
    open_case = next((rule for rule in rules if not rule.destination), rules[0])
    rule = known.get(when, open_case)
    return {"when": rule.when, "destination": rule.destination, "after_seconds": rule.seconds or SECONDS}
