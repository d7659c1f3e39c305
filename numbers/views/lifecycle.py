"""A number's state, changed by one click and one confirmation: activate, deactivate, withdraw."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from billing.models import PriceClass
from billing.written import euros
from numbers import holders, lifecycle, previews, rows
from numbers.forms.lifecycle import ActivateForm, DeactivateForm, WithdrawForm
from numbers.holders import Holding
from numbers.messages import display
from numbers.models import LockedNumber, NumberState, PhoneNumber, Usage
from numbers.outcomes import Outcome, Reason, Result
from numbers.views.back import back_to
from numbers.views.changed import changed, in_list
from portal import submissions
from portal.access import Request, administrator

DATE_CHANGED = gettext_lazy(
    "The date has changed: the number would be active up to and including %(day)s now. Please confirm again."
)

type Work = Callable[[list[LockedNumber]], list[Outcome]]


class Act:
    """One confirmed click: who sent it for which number, and when."""

    def __init__(self, request: Request, verb: str, pk: int) -> None:
        self.request, self.verb, self.pk, self.at = request, verb, pk, timezone.now()
        self.holding: Callable[[], Holding] | None = None  # gives who holds the number, once the click was counted

    @cached_property
    def number(self) -> PhoneNumber:
        """The number as it is; once it was locked, the locked row."""
        found: PhoneNumber = get_object_or_404(PhoneNumber.objects.held().select_related("area"), pk=self.pk)
        return found


@require_http_methods(["GET", "POST"])
@administrator
def activate(request: Request, pk: int) -> HttpResponseBase:
    """Show the price of a number, and bring it into paid service (rules L1 and L2)."""
    act, form = Act(request, "activate", pk), ActivateForm(request.POST or None)
    if not form.is_valid():
        return _dialog(act, form)
    seen = dict.fromkeys(PriceClass.values, form.cleaned_data["price_seen"])

    def work(locked: list[LockedNumber]) -> list[Outcome]:
        return lifecycle.activate(locked, prices_seen=seen, by=request.user, at=act.at)

    try:
        return _answer(act, _once(act, form, work))
    except lifecycle.PriceChanged as error:
        price = error.quotes[act.number.price_class].monthly  # type: ignore[index]  # PriceClass is a str
        text = _("The price has changed: it is %(price)s net a month now. Please check it and confirm again.")
        form.add_error(None, text % {"price": euros(price)})
        return _dialog(act, form)


@require_http_methods(["GET", "POST"])
@administrator
def deactivate(request: Request, pk: int) -> HttpResponseBase:
    """Show the date and what stops working, and schedule a number's deactivation (rules L4, L6, C4)."""
    act, form = Act(request, "deactivate", pk), DeactivateForm(request.POST or None)
    if not form.is_valid():
        return _dialog(act, form)
    seen = form.cleaned_data["date_seen"]

    def work(locked: list[LockedNumber]) -> list[Outcome]:
        return lifecycle.schedule_deactivation(locked, date_seen=seen, by=request.user, at=act.at)

    try:
        return _answer(act, _once(act, form, work))
    except lifecycle.DateChanged as error:
        form.add_error(None, DATE_CHANGED % {"day": rows.written(error.last_active_on)})
        return _dialog(act, form)


@require_http_methods(["GET", "POST"])
@administrator
def withdraw(request: Request, pk: int) -> HttpResponseBase:
    """Take a scheduled deactivation back (rule C5)."""
    act, form = Act(request, "withdraw", pk), WithdrawForm(request.POST or None)
    if not form.is_valid():
        return _dialog(act, form)

    def work(locked: list[LockedNumber]) -> list[Outcome]:
        return lifecycle.withdraw(locked, by=request.user, at=act.at)

    return _answer(act, _once(act, form, work))


def _dialog(act: Act, form: forms.Form) -> HttpResponse:
    """Draw the dialog, for htmx its part of the page alone; what was sent and not accepted comes back with 422."""
    request, preview = act.request, previews.preview(act.verb, act.number, at=act.at)
    back = back_to(request)
    context = {
        "form": form,
        "number": act.number,
        "shown": preview,
        "url": reverse(f"numbers:{act.verb}", args=[act.number.pk]),
        "back": back,
        "in_list": in_list(request, back),
        "pairs": _facts(act.number),
        "price": previews.written(preview.quote) if preview.quote else None,
        "price_seen": str(preview.quote.monthly) if preview.quote else "",
        "last_day": rows.written(preview.last_active_on),
        "first_day": rows.written(preview.inactive_from),
        "display": display(act.number),
    }
    page = f"numbers/lifecycle/{act.verb}.html"
    part = "#dialog" if request.htmx else ""
    return render(request, page + part, context, status=422 if form.is_bound else 200)


def _facts(number: PhoneNumber) -> list[tuple[str, str]]:
    facts = [(_("Local area"), str(number.area)), (_("Usage"), str(Usage(number.usage).label))]
    return [*facts, (_("Label"), number.label)] if number.label else facts


def _once(act: Act, form: forms.Form, work: Work) -> dict[str, Any]:
    """Do it once however often the form is sent; a repeat gets the first outcome."""
    lock = submissions.Along(*PhoneNumber.objects.locking([act.pk], held=True))

    def locked_work() -> dict[str, Any]:
        locked = PhoneNumber.objects.locked_by(lock.rows)
        if not locked:
            raise Http404
        act.number = locked[0]
        before = locked[0].state_at(act.at)
        outcome = work(locked)[0]
        if act.request.htmx:
            act.holding = holders.ask(act.pk, at=act.at)
        until = locked[0].last_active_on
        return {
            "result": outcome.result,
            "reason": outcome.reason,
            "withdrawn": before == NumberState.DEACTIVATION_SCHEDULED,
            "last_active_on": until.isoformat() if until else "",
        }

    key = form.cleaned_data["operation_id"]
    return submissions.once(key, act.verb, by=act.request.user, at=act.at, work=locked_work, first=lock)[0]


def _answer(act: Act, kept: dict[str, Any]) -> HttpResponseBase:
    """Confirm, or say why not, with the present row: to htmx in the list, else on the page one came from."""
    request, outcome = act.request, _outcome(act.pk, kept)
    if outcome.result == Result.DONE:
        messages.success(request, _confirmation(act, kept))
    else:
        level = messages.info if outcome.result == Result.UNCHANGED else messages.warning
        level(request, f"{display(act.number)}: {outcome.sentence}")
    holding = act.holding() if act.holding else None
    return changed(request, act.number, outcome, at=act.at, holding=holding)


def _outcome(pk: int, kept: dict[str, Any]) -> Outcome:
    return Outcome(pk, Result(kept["result"]), Reason(kept["reason"]) if kept["reason"] else None)


def _confirmation(act: Act, kept: dict[str, Any]) -> str:
    """Say what happened (rule G2)."""
    number = display(act.number)
    if act.verb == "activate" and not kept["withdrawn"]:
        return _("%(number)s is active now.") % {"number": number}
    if act.verb == "deactivate":
        last = date.fromisoformat(kept["last_active_on"])
        return _(
            "%(number)s is scheduled for deactivation: active up to and including %(last)s, inactive from %(first)s."
        ) % {"number": number, "last": rows.written(last), "first": rows.written(last + timedelta(days=1))}
    return _("The deactivation of %(number)s was withdrawn. The number stays active.") % {"number": number}
