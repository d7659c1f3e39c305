"""A new staff member, with the numbers they get, in one form and one transaction."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from numbers import hire_choices
from numbers import people as operations
from numbers.forms.hire import HireForm, ids, sent
from numbers.models import PhoneNumber
from numbers.outcomes import SENTENCES, Reason
from numbers.people import HireRefused
from numbers.purge import NOTICE, PurgeRefused
from portal import signin, submissions, typed
from portal.access import Request, administrator, confirm_first
from staff import directory
from staff.members import MemberRefused

PAGE = "numbers/people/hire.html"


@require_http_methods(["GET", "POST"])
@administrator
def hire(request: Request) -> HttpResponseBase:
    """Take a person in together with their numbers, and invite them if they are to sign in (rule A1)."""
    at = timezone.now()
    if request.method != "POST" or "look" in request.POST:
        return _open(request, at)
    if any(name.startswith("purge_") for name in request.POST) and not signin.is_recent(request):
        return confirm_first(request, back=typed.keep(request, sent(request.POST)))
    return _save(request, at)


def _open(request: Request, at: datetime) -> HttpResponse:
    """Show the page with what is known or was typed before the person confirmed who they are; for htmx a part of it."""
    part = "numbers" if request.htmx and request.GET.get("part") == "numbers" else ""
    data = request.POST or (None if part else typed.taken(request)) or request.GET
    form = HireForm(initial=data.dict(), departments=directory.departments())
    return _page(request, form, data, at=at, part=part)


def _save(request: Request, at: datetime) -> HttpResponseBase:
    """Do what was filled in, or say at the right field why not."""
    form = HireForm(request.POST, departments=directory.departments())
    if form.is_valid() and _all_seen(form, at) and (kept := _hired(request, form, at=at)):
        typed.forget(request)
        _say(request, form, kept)
        return redirect("staff:member", pk=kept["pk"])
    return _page(request, form, request.POST, at=at)


def _all_seen(form: HireForm, at: datetime) -> bool:
    """Return whether the page named the present holder of every chosen number; else it does so now (rule A2)."""
    found = hire_choices.offer("", chosen=form.cleaned_data["numbers"], at=at).chosen
    unseen = [chosen for chosen in found if chosen.seen != form.saw(chosen.choice.number_id)]
    if unseen:
        form.add_error("numbers", _("Please look at who has the chosen numbers at present, then save again."))
    return not unseen


def _hired(request: Request, form: HireForm, *, at: datetime) -> dict[str, Any] | None:
    """Do it once however often the form is sent; None, with the reason at its field, if it cannot be done."""

    def work() -> dict[str, Any]:
        numbers = PhoneNumber.objects.locked(form.cleaned_data["numbers"], held=True)
        if len(numbers) < len(form.cleaned_data["numbers"]):
            raise HireRefused(str(SENTENCES[Reason.GONE]))
        role, ticked = form.role(), form.ticked()
        hired = operations.hire(form.person(), numbers, role=role, ticked=ticked, by=request.user, at=at)
        return {"pk": hired.member.pk, "invited": hired.invited, "note": hired.note, "count": len(numbers)}

    try:
        return submissions.once(form.cleaned_data["operation_id"], "hire", by=request.user, at=at, work=work)[0]
    except MemberRefused as refused:
        form.add_error(refused.field, str(refused.reason))
    except (HireRefused, PurgeRefused) as refused:
        form.add_error("numbers", str(refused.reason))
    return None


def _say(request: Request, form: HireForm, kept: dict[str, Any]) -> None:
    text = _("%(name)s was created and invited.") if kept["invited"] else _("%(name)s was created.")
    said = text % {"name": form.cleaned_data["name"]}
    if kept["count"]:
        told = ngettext("One number is assigned.", "%(count)s numbers are assigned.", kept["count"])
        said = f"{said} {told % {'count': kept['count']}}"
    messages.success(request, said)
    if kept["note"]:
        messages.warning(request, kept["note"])


def _page(request: Request, form: HireForm, data: QueryDict, *, at: datetime, part: str = "") -> HttpResponse:
    """Draw the page, for htmx the list of numbers alone; what was sent and not accepted comes back with 422."""
    term, chosen = data.get("number_q", ""), ids(data.getlist("numbers"))
    context = {
        "form": form,
        "term": term,
        "offer": hire_choices.offer(term, chosen=chosen, at=at),
        "ticked": {data.get(name) for name in data if name.startswith("purge_")},
        "notice": NOTICE,
    }
    return render(request, f"{PAGE}#{part}" if part else PAGE, context, status=422 if form.is_bound else 200)
