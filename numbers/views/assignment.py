"""Who has a number: give it to a staff member, take it back, call off a planned hand-over."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from numbers import assignment as operations
from numbers import assignment_preview, people_choices, rows
from numbers.forms.assignment import NOBODY, AssignForm, TakeForm, offer
from numbers.messages import display
from numbers.models import LockedNumber, PhoneNumber
from numbers.outcomes import Outcome, Reason, Result
from numbers.purge import NOTICE, PurgeRefused
from numbers.reassign import reassign
from numbers.views.back import back_to
from numbers.views.changed import changed
from portal import berlin, submissions
from portal.access import Request, administrator, recently_signed_in
from staff.models import StaffMember

# At which field a refusal is said; at the head of the form otherwise.
FIELD: dict[Reason | None, str] = {
    Reason.PERSON_LOCKED: "to",
    Reason.PERSON_LEFT: "to",
    Reason.INACTIVE_BY_THEN: "from_on",
}
PAGE, PEOPLE = "numbers/assignment/assign.html", "numbers/assignment/_to.html#people"


@require_http_methods(["GET", "POST"])
@administrator
def assign(request: Request, pk: int) -> HttpResponseBase:
    """Say who has a number, and give it to somebody (rules A1 and A2)."""
    number, at = _number(pk), timezone.now()
    if request.method != "POST":
        page = PEOPLE if request.GET.get("part") == "people" else f"{PAGE}#dialog"
        return _page(request, number, AssignForm(initial=_initial(request), today=berlin.day(at)), at=at, page=page)
    if request.POST.get("purge"):
        return _save_and_purge(request, number, at)
    return _save(request, number, at)


@recently_signed_in
def _save_and_purge(request: Request, number: PhoneNumber, at: datetime) -> HttpResponseBase:
    return _save(request, number, at)


def _save(request: Request, number: PhoneNumber, at: datetime) -> HttpResponseBase:
    """Do what was confirmed, or say beside the form why not."""
    form = AssignForm(request.POST, today=berlin.day(at))
    try:
        outcome = _assigned(request, number, form, at=at) if form.is_valid() else None
    except PurgeRefused as refused:
        form.add_error(None, str(refused.reason))
        return _page(request, number, form, at=at)
    if outcome is None or outcome.result == Result.REFUSED:
        if outcome:
            form.add_error(FIELD.get(outcome.reason), outcome.sentence)
        return _page(request, number, form, at=at)
    _say(request, number, form, outcome)
    return changed(request, number, outcome, at=at)


@require_POST
@administrator
def unassign(request: Request, pk: int) -> HttpResponseBase:
    """Take a number from one of those who have it."""
    number, at, form = _number(pk), timezone.now(), TakeForm(request.POST)
    if not form.is_valid():
        raise Http404
    member = get_object_or_404(StaffMember, pk=form.cleaned_data["member"] or 0)

    def work(locked: list[LockedNumber]) -> list[Outcome]:
        return operations.unassign(locked, staff_member=member, by=request.user, at=at)

    outcome = _once(request, "unassign", number, form, work, at=at)
    done = _("%(number)s is no longer assigned to %(name)s.")
    _tell(request, outcome, done % {"number": display(number), "name": member.name})
    return redirect(back_to(request))


@require_POST
@administrator
def withdraw(request: Request, pk: int) -> HttpResponseBase:
    """Call off the hand-over that is planned for a number (rule A9)."""
    number, at, form = _number(pk), timezone.now(), TakeForm(request.POST)
    if not form.is_valid():
        raise Http404

    def work(locked: list[LockedNumber]) -> list[Outcome]:
        return operations.withdraw_handover(locked, by=request.user, at=at)

    outcome = _once(request, "withdraw_handover", number, form, work, at=at)
    _tell(request, outcome, _("The hand-over of %(number)s was withdrawn.") % {"number": display(number)})
    return redirect(back_to(request))


def _number(pk: int) -> PhoneNumber:
    found: PhoneNumber = get_object_or_404(PhoneNumber.objects.held().select_related("area"), pk=pk)
    return found


def _initial(request: Request) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in ("to", "from_on")}


def _assigned(request: Request, number: PhoneNumber, form: AssignForm, *, at: datetime) -> Outcome:
    """Give the number to whom was chosen, or to nobody, once however often the form is sent."""
    to, from_on = form.cleaned_data["to"], form.cleaned_data["from_on"]
    member = get_object_or_404(StaffMember, pk=to) if to != NOBODY else None

    def work(locked: list[LockedNumber]) -> list[Outcome]:
        from_at = berlin.begin(from_on) if from_on else None
        ticked = {number.pk: purge} if (purge := form.ticked()) else {}
        return reassign(locked, to=member, from_at=from_at, ticked=ticked, by=request.user, at=at)

    return _once(request, "assign", number, form, work, at=at)


def _once(
    request: Request, verb: str, number: PhoneNumber, form: AssignForm | TakeForm, work: Any, *, at: datetime
) -> Outcome:
    def locked_work() -> dict[str, Any]:
        locked = PhoneNumber.objects.locked([number.pk], held=True)
        if not locked:
            raise Http404
        outcome = work(locked)[0]
        return {"result": outcome.result, "reason": outcome.reason}

    key = form.cleaned_data["operation_id"]
    kept = submissions.once(key, verb, by=request.user, at=at, work=locked_work)[0]
    return Outcome(number.pk, Result(kept["result"]), Reason(kept["reason"]) if kept["reason"] else None)


def _say(request: Request, number: PhoneNumber, form: AssignForm, outcome: Outcome) -> None:
    to, from_on = form.cleaned_data["to"], form.cleaned_data["from_on"]
    words = {"number": display(number), "day": rows.written(from_on)}
    if to == NOBODY:
        return _tell(request, outcome, _("%(number)s is not assigned to anybody any more.") % words)
    words["name"] = StaffMember.objects.get(pk=to).name
    if from_on:
        return _tell(request, outcome, _("%(number)s will be handed over to %(name)s on %(day)s.") % words)
    return _tell(request, outcome, _("%(number)s is assigned to %(name)s now.") % words)


def _tell(request: Request, outcome: Outcome, done: str) -> None:
    if outcome.result == Result.DONE:
        messages.success(request, done)
    else:
        messages.info(request, outcome.sentence)


def _page(
    request: Request, number: PhoneNumber, form: AssignForm, *, at: datetime, page: str = f"{PAGE}#dialog"
) -> HttpResponse:
    """Draw the dialog, for htmx its part of the page alone; what was sent and not accepted comes back with 422."""
    data = request.POST or request.GET
    term = data.get("q", "")
    shown = assignment_preview.preview(number, at=at)
    found = people_choices.people(term, keep=data.getlist("to"), without=shown.holding_ids)
    nobody = [(NOBODY, _("Nobody (remove the assignment)"))] if shown.may_be_emptied and not term else []
    offer(form, [*nobody, *found.options])
    back = back_to(request)
    context = {
        "form": form,
        "number": number,
        "display": display(number),
        "shown": shown,
        "found": found,
        "term": term,
        "notice": NOTICE,
        "back": back,
        "in_list": bool(request.htmx) and back.partition("?")[0] == reverse("numbers:overview"),
    }
    return render(request, page if request.htmx else PAGE, context, status=422 if form.is_bound else 200)
