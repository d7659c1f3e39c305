"""Where the calls to a number go: for the administrator, and for whoever has it if the tenant lets them."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from numbers import detail, people
from numbers import forwarding as operations
from numbers.forms.forwarding import SECONDS, ForwardingForm
from numbers.forwarding import ForwardingRefused
from numbers.models import Forwarding, LockedNumber, PhoneNumber
from portal.access import Request, administrator, member

PAGE = "numbers/forwarding/forwarding.html"


@require_http_methods(["GET", "POST"])
@administrator
def forwarding(request: Request, pk: int) -> HttpResponse:
    """Show and set where the calls to a number go: always, when busy, when there is no answer."""
    return _page(request, pk, "numbers:forwarding", back=reverse("numbers:number", args=[pk]))


@require_POST
@administrator
def remove(request: Request, pk: int, when: str) -> HttpResponse:
    """Stop forwarding a number in one case."""
    return _remove(request, pk, when, "numbers:forwarding")


@require_http_methods(["GET", "POST"])
@member
def own(request: Request, pk: int) -> HttpResponse:
    """Show and set where the calls to one's own number go, if the tenant lets its staff do that."""
    _is_theirs(request, pk, at=timezone.now())
    return _page(request, pk, "numbers:own_forwarding", back=reverse("numbers:mine"))


@require_POST
@member
def own_remove(request: Request, pk: int, when: str) -> HttpResponse:
    """Stop forwarding one's own number in one case."""
    _is_theirs(request, pk, at=timezone.now())
    return _remove(request, pk, when, "numbers:own_forwarding")


def _is_theirs(request: Request, pk: int, *, at: datetime) -> None:
    """Lock a number and go on only if it is with this very person (404 else) and staff may change it (403 else).

    Whoever takes the number away meanwhile waits, or was first.
    """
    _locked(pk)
    if not people.has(request.user, pk, at=at):
        raise Http404
    if not people.may_forward():
        raise PermissionDenied


def _page(request: Request, pk: int, name: str, *, back: str) -> HttpResponse:
    number = get_object_or_404(PhoneNumber.objects.held().select_related("area"), pk=pk)
    at = timezone.now()
    rules = detail.rules(number, at=at)
    form = ForwardingForm(request.POST or None, initial=_initial(rules, request.GET.get("when", "")))
    if form.is_valid() and _set(request, pk, form):
        messages.success(request, _("The forwarding is set up."))
        return redirect(name, pk=pk)
    facts = detail.facts(number, at=at)
    context = {"number": number, "facts": facts, "rules": rules, "form": form}
    context |= {"page_name": name, "remove_name": f"{name}_remove", "back": back}
    return render(request, PAGE, context, status=422 if form.is_bound else 200)


def _remove(request: Request, pk: int, when: str, name: str) -> HttpResponse:
    if when not in Forwarding.When:
        raise Http404
    if operations.remove_rule(_locked(pk), when=when, by=request.user, at=timezone.now()):
        messages.success(request, _("The forwarding was removed."))
    else:
        messages.info(request, _("There was no such forwarding any more."))
    return redirect(name, pk=pk)


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
