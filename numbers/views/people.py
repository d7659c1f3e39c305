"""People and their numbers: who leaves, what somebody has, what is mine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from numbers import people as operations
from numbers import people_choices
from numbers.forms.people import ReleaseForm
from numbers.models import PhoneNumber
from numbers.people import Held, ReleaseRefused, Then
from numbers.people_choices import People
from portal import berlin, submissions
from portal.access import Request, administrator, member, recently_signed_in
from staff.models import StaffMember

PAGE = "numbers/people/release.html"


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def release(request: Request, pk: int) -> HttpResponse:
    """Ask what becomes of each number of somebody who is locked or leaves, and do it (rule A4)."""
    person, at = get_object_or_404(StaffMember.objects.present(), pk=pk), timezone.now()
    held = operations.held_by(person, at=at)
    form, found = _release_form(request, person, held)
    if form.is_valid() and _released(request, person, form, at=at):
        messages.success(request, _("%(name)s has no phone numbers any more.") % {"name": person.name})
        return redirect("staff:member", pk=person.pk)
    context = {"person": person, "form": form, "lines": form.lines(), "found": found, "term": request.POST.get("q", "")}
    return render(request, PAGE, context, status=422 if form.is_bound else 200)


@require_GET
@administrator
def of_member(request: Request, pk: int) -> HttpResponse:
    """Show the numbers of one person: a card for their page."""
    person = get_object_or_404(StaffMember, pk=pk)
    context = {"person": person, "held": operations.held_by(person, at=timezone.now())}
    part = "#card" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/people/of_member.html{part}", context)


@require_GET
@member
def mine(request: Request) -> HttpResponse:
    """Show the numbers of the person who is signed in, and where their calls go."""
    person = StaffMember.objects.filter(user=request.user).first()
    held = operations.mine(person, at=timezone.now()) if person else []
    return render(
        request, "numbers/people/mine.html", {"person": person, "held": held, "may_forward": operations.may_forward()}
    )


def _release_form(request: Request, person: StaffMember, held: Sequence[Held]) -> tuple[ReleaseForm, People]:
    """Return the form as it was sent, or not to be judged yet: opened, or sent to search for colleagues."""
    chosen = [request.POST.get(f"to_{number.number_id}", "") for number in held]
    found = people_choices.people(request.POST.get("q", ""), keep=chosen, without=(person.pk,))
    initial: dict[str, Any] = {"then": request.GET.get("then", Then.LEAVE)} | request.POST.dict()
    data = request.POST if request.method == "POST" and "look" not in request.POST else None
    return ReleaseForm(data, held=held, colleagues=found.options, initial=initial), found


def _released(request: Request, person: StaffMember, form: ReleaseForm, *, at: datetime) -> bool:
    """Do it once however often the form is sent; put the reason beside the form if it cannot be done."""

    def work() -> dict[str, Any]:
        ids = operations.open_of([person.pk], at=at).values_list("number", flat=True)
        numbers = PhoneNumber.objects.locked(ids)
        heirs = form.heirs({colleague.pk: colleague for colleague in people_choices.active()})
        then = Then(form.cleaned_data["then"])
        away = form.away(today=berlin.day(at))
        operations.release(numbers, person, heirs=heirs, away=away, then=then, by=request.user, at=at)
        return {}

    try:
        submissions.once(form.cleaned_data["operation_id"], "release", by=request.user, at=at, work=work)
    except ReleaseRefused as refused:
        form.add_error(None, str(refused.reason))
        return False
    return True
