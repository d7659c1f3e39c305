"""What is done to a person's access: lock, unlock, remove, invite, revoke, role. Each is confirmed first."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from portal import submissions
from portal.access import Request, administrator, recently_signed_in
from portal.models import Role
from portal.outcomes import Result
from staff import invitations, members, profile, roles, ties
from staff.forms.member import ActForm, RoleForm
from staff.models import StaffMember
from staff.outcomes import Outcome, Reason
from staff.views.member import found, locked


@require_http_methods(["GET", "POST"])
@administrator
def lock(request: Request, pk: int) -> HttpResponse:
    """Shut a person out until they are unlocked; who still holds numbers is handed over to the page that asks."""
    if elsewhere := _release(pk, "lock"):
        return redirect(elsewhere)
    return _act(request, pk, "lock", ActForm, lambda row, _form: members.lock([row], **_who(request)))


@require_http_methods(["GET", "POST"])
@administrator
def unlock(request: Request, pk: int) -> HttpResponse:
    """Let a locked person in again."""
    return _act(request, pk, "unlock", ActForm, lambda row, _form: members.unlock([row], **_who(request)))


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def remove(request: Request, pk: int) -> HttpResponse:
    """Note that a person left; who still holds numbers is handed over to the page that asks."""
    if elsewhere := _release(pk, "leave"):
        return redirect(elsewhere)
    return _act(request, pk, "remove", ActForm, lambda row, _form: members.leave([row], **_who(request)))


@require_http_methods(["GET", "POST"])
@administrator
def invite(request: Request, pk: int) -> HttpResponse:
    """Mail a person the way to a login, or mail it anew."""

    def work(row: Any, form: ActForm) -> list[Outcome]:
        return invitations.invite([row], role=Role(form.cleaned_data["role"]), **_who(request))

    return _act(request, pk, "invite", RoleForm, work)


@require_http_methods(["GET", "POST"])
@administrator
def revoke(request: Request, pk: int) -> HttpResponse:
    """Let an open invitation end."""
    return _act(request, pk, "revoke", ActForm, lambda row, _form: invitations.revoke([row], **_who(request)))


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def role(request: Request, pk: int) -> HttpResponse:
    """Give a person who signs in another role."""

    def work(row: Any, form: ActForm) -> list[Outcome]:
        return roles.change([row], role=Role(form.cleaned_data["role"]), **_who(request))

    return _act(request, pk, "role", RoleForm, work)


type _Work = Callable[[Any, ActForm], list[Outcome]]


def _act(request: Request, pk: int, verb: str, form_class: type[ActForm], work: _Work) -> HttpResponse:
    """Show what is asked, or do it once and say what came of it on the person's page."""
    row, at = found(pk), timezone.now()
    access = profile.access(row, at=at)
    initial = {"role": access.role or (access.invitation.role if access.invitation else Role.STAFF)}
    form = form_class(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        _say(request, verb, row, _once(request, pk, verb, form, work))
        return redirect("staff:member", pk=pk)
    context = {"member": row, "access": access, "form": form, "verb": verb, "ends": ties.accesses(pk, at=at)}
    part = "#dialog" if request.htmx.request_type == "partial" else ""
    return render(request, f"staff/access/{verb}.html{part}", context, status=422 if form.is_bound else 200)


def _once(request: Request, pk: int, verb: str, form: ActForm, work: _Work) -> Outcome:
    def act() -> dict[str, Any]:
        [outcome] = work(locked(pk), form)
        return {"result": outcome.result, "reason": outcome.reason}

    kept, _again = submissions.once(
        form.cleaned_data["operation_id"], f"staff.{verb}", by=request.user, at=timezone.now(), work=act
    )
    return Outcome(pk, Result(kept["result"]), Reason(kept["reason"]) if kept["reason"] else None)


def _say(request: Request, verb: str, row: StaffMember, outcome: Outcome) -> None:
    if outcome.result == Result.DONE:
        messages.success(request, profile.sentence(verb, row))
    elif outcome.result == Result.UNCHANGED:
        messages.info(request, outcome.sentence)
    else:
        messages.warning(request, outcome.sentence)


def _who(request: Request) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now()}


def _release(pk: int, then: str) -> str:
    """Return the page of the floor above that asks what becomes of the numbers this person holds, or "" for none."""
    if not ties.held([found(pk).pk], at=timezone.now())[pk]:
        return ""
    try:
        return f"{reverse('numbers:release', args=[pk])}?then={then}"
    except NoReverseMatch:
        return ""
