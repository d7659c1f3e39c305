"""Sending people the credentials of a number's fax printer, and what became of it."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from fax import mailing, people, revoking
from fax import settings as of_fax
from fax.forms.access import RevokeForm, SendForm
from fax.mailing import SendRefused
from fax.models import FaxCredential
from fax.outcomes import Outcome, Reason
from numbers.messages import display
from numbers.models import PhoneNumber, Usage
from portal import submissions
from portal.access import Request, administrator, recently_signed_in
from portal.outcomes import Result
from staff.models import StaffMember

SEND, ACCESS, REVOKE = "fax/send.html", "fax/access.html", "fax/revoke.html"


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def send(request: Request, pk: int) -> HttpResponseBase:
    """Ask who is to get the credentials of a number, and mail them (rule F1)."""
    number, at = _number(pk), timezone.now()
    fixed = number.usage == Usage.FAX_PERSONAL
    form = SendForm(request.POST if request.method == "POST" else None, fixed=fixed)
    if form.is_valid():
        try:
            found = _send(request, number, form, at=at)
        except SendRefused as refused:
            form.add_error(None, str(refused.reason))
        else:
            if _say(request, form, found):
                return _sent(request, number, at=at)
    return _ask(request, number, form, at=at)


@require_GET
@administrator
def access(request: Request, pk: int) -> HttpResponse:
    """Show who has access to a fax number, what became of the mails and when it was used: a page, or its list."""
    number, at = _number(pk), timezone.now()
    part = {"card": "#card", "list": "#list"}.get(request.GET.get("part", ""), "")
    return render(request, f"{ACCESS}{part}", _access(number, at=at))


@require_GET
@administrator
def of_member(request: Request, pk: int) -> HttpResponse:
    """Show which fax numbers one person has access to: a card for their page."""
    person = get_object_or_404(StaffMember, pk=pk)
    context = {"person": person, "rows": people.of_member(person, at=timezone.now())}
    part = "#card" if request.htmx.request_type == "partial" else ""
    return render(request, f"fax/of_member.html{part}", context)


@require_http_methods(["GET", "POST"])
@administrator
def revoke(request: Request, pk: int) -> HttpResponse:
    """End somebody's access to a fax number at once (rule F2)."""
    credential = get_object_or_404(FaxCredential.objects.select_related("number__area", "staff_member"), pk=pk)
    form = RevokeForm(request.POST if request.method == "POST" else None)
    words = {"name": credential.staff_member.name, "number": display(credential.number)}
    if form.is_valid():
        if _revoked(request, credential, form):
            messages.success(request, _("%(name)s can no longer send faxes from %(number)s.") % words)
        else:
            messages.info(request, _("This access was revoked already. Nothing was changed."))
        return redirect("fax:access", pk=credential.number_id)
    context = {"credential": credential, **words}
    part = "#dialog" if request.htmx.request_type == "partial" else ""
    return render(request, f"{REVOKE}{part}", context, status=422 if form.is_bound else 200)


def _number(pk: int) -> PhoneNumber:
    found: PhoneNumber = get_object_or_404(PhoneNumber.objects.held().select_related("area"), pk=pk)
    return found


def _send(request: Request, number: PhoneNumber, form: SendForm, *, at: datetime) -> list[Outcome]:
    """Mail them once, however often the form is sent. A personal fax is for its assignee, whatever the form says."""

    def work() -> dict[str, Any]:
        locked = PhoneNumber.objects.locked([number.pk], held=True)
        if not locked:
            raise Http404
        chosen = form.cleaned_data["members"]
        if form.fixed:
            chosen = [choice.member_id for choice in people.choices(number, at=at).people]
        members = StaffMember.objects.locked(chosen)
        if len(members) < len(chosen):
            raise Http404
        found = mailing.send(locked[0], members, by=request.user, at=at)
        return {"found": [[o.member_id, o.result, o.reason] for o in found]}

    key = form.cleaned_data["operation_id"]
    kept = submissions.once(key, "fax.send", by=request.user, at=at, work=work)[0]
    return [Outcome(pk, Result(result), Reason(reason) if reason else None) for pk, result, reason in kept["found"]]


def _say(request: Request, form: SendForm, found: list[Outcome]) -> bool:
    """Say who was sent credentials and who not, and why; return whether anybody was."""
    done = [outcome for outcome in found if outcome.result == Result.DONE]
    names = dict(StaffMember.objects.filter(pk__in=[o.member_id for o in found]).values_list("pk", "name"))
    if done:
        text = ngettext(
            "The credentials of the fax printer driver are on their way to %(name)s.",
            "The credentials of the fax printer driver are on their way to %(count)s people.",
            len(done),
        )
        messages.success(request, text % {"name": names[done[0].member_id], "count": len(done)})
    for outcome in found:
        if outcome.result == Result.REFUSED:
            sentence = f"{names[outcome.member_id]}: {outcome.sentence}"
            messages.warning(request, sentence) if done else form.add_error(None, sentence)
    return bool(done)


def _sent(request: Request, number: PhoneNumber, *, at: datetime) -> HttpResponseBase:
    """Confirm, in the window if there is one, with the state of each recipient."""
    if not request.htmx:
        return redirect("fax:access", pk=number.pk)
    return render(request, f"{ACCESS}#confirmation", _access(number, at=at))


def _access(number: PhoneNumber, *, at: datetime) -> dict[str, Any]:
    rows = people.of_number(number, at=at)
    context = {"number": number, "display": display(number), "rows": rows}
    context |= {"pending": any(row.pending for row in rows), "obstacle": mailing.obstacle(number, at=at) or ""}
    return context


def _ask(request: Request, number: PhoneNumber, form: SendForm, *, at: datetime) -> HttpResponse:
    """Draw the window, for htmx its part of the page alone; what was sent and not accepted comes back with 422."""
    data = request.POST or request.GET
    term = data.get("q", "")
    keep = data.getlist("members") if "q" in data else None
    obstacle = mailing.obstacle(number, at=at) or ""
    context = {
        "form": form,
        "number": number,
        "display": display(number),
        "obstacle": obstacle,
        "found": None if obstacle else people.choices(number, term=term, keep=keep, at=at),
        "term": term,
        "plain": of_fax.of_tenant().plain_mail,
    }
    part = "#people" if request.GET.get("part") == "people" else "#dialog"
    page = f"{SEND}{part}" if request.htmx else SEND
    return render(request, page, context, status=422 if form.is_bound else 200)


def _revoked(request: Request, credential: FaxCredential, form: RevokeForm) -> bool:
    at = timezone.now()

    def work() -> dict[str, Any]:
        PhoneNumber.objects.locked([credential.number_id])  # as whoever sends or shows at this moment does
        fresh = list(FaxCredential.objects.filter(pk=credential.pk, revoked_at=None))
        for row in fresh:
            row.number, row.staff_member = credential.number, credential.staff_member
        revoking.revoke(fresh, by=request.user, at=at)
        return {"done": bool(fresh)}

    key = form.cleaned_data["operation_id"]
    return bool(submissions.once(key, "fax.revoke", by=request.user, at=at, work=work)[0]["done"])
