"""One person: their page, a new one, and what is written down about them."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal import submissions
from portal.access import Request, administrator
from portal.outcomes import Result
from staff import directory, invitations, members, profile
from staff.forms.member import MemberForm
from staff.members import MemberRefused
from staff.models import LockedMember, StaffMember


@require_GET
@administrator
def member(request: Request, pk: int) -> HttpResponse:
    """Show a person: facts, login, numbers, history."""
    row = found(pk)
    given = request.GET.get("before", "")
    before = int(given) if given.isdecimal() and len(given) < 19 else None
    return render(request, "staff/member/member.html", profile.shown(row, at=timezone.now(), before=before))


@require_http_methods(["GET", "POST"])
@administrator
def new(request: Request) -> HttpResponse:
    """Take a person in, and invite them if they are to sign in."""
    form = MemberForm(request.POST or None, departments=directory.departments())
    if form.is_valid() and (pk := _added(request, form)):
        return redirect("staff:member", pk=pk)
    return render(request, "staff/member/new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@administrator
def edit(request: Request, pk: int) -> HttpResponse:
    """Change what is written down about a person."""
    row = found(pk)
    form = MemberForm.of(row, request.POST or None, departments=directory.departments())
    if form.is_valid() and _changed(request, pk, form):
        return redirect("staff:member", pk=pk)
    context = {"form": form, "member": row}
    part = "#dialog" if request.htmx.request_type == "partial" else ""
    return render(request, f"staff/member/edit.html{part}", context, status=422 if form.is_bound else 200)


def found(pk: int) -> StaffMember:
    """Return a person of this tenant; anybody else's is as unknown as one who never was (404)."""
    row: StaffMember = get_object_or_404(StaffMember.objects.select_related("user"), pk=pk)
    return row


def locked(pk: int) -> LockedMember:
    """Return a person of this tenant, locked for a change."""
    rows: list[LockedMember] = StaffMember.objects.locked([pk])
    if not rows:
        raise Http404
    return rows[0]


def _added(request: Request, form: MemberForm) -> int | None:
    """Take the person in once however often the form is sent; return their id, or put the reason beside its field."""
    at, role = timezone.now(), form.role()

    def work() -> dict[str, Any]:
        row = members.add(form.person(), by=request.user, at=at)
        if role is None:
            return {"pk": row.pk, "sentence": ""}
        [outcome] = invitations.invite(StaffMember.objects.locked([row.pk]), role=role, by=request.user, at=at)
        return {"pk": row.pk, "sentence": outcome.sentence, "invited": outcome.result == Result.DONE}

    try:
        kept, _again = submissions.once(
            form.cleaned_data["operation_id"], "staff.add", by=request.user, at=at, work=work
        )
    except MemberRefused as refused:
        form.add_error(refused.field, str(refused.reason))
        return None
    text = _("%(name)s was created and invited.") if kept.get("invited") else _("%(name)s was created.")
    messages.success(request, text % {"name": form.cleaned_data["name"]})
    if kept["sentence"]:
        messages.warning(request, kept["sentence"])
    return int(kept["pk"])


def _changed(request: Request, pk: int, form: MemberForm) -> bool:
    try:
        outcome = members.change(locked(pk), form.person(), by=request.user, at=timezone.now())
    except MemberRefused as refused:
        form.add_error(refused.field, str(refused.reason))
        return False
    if outcome.result == Result.DONE:
        messages.success(request, _("The changes were saved."))
    else:
        messages.info(request, outcome.sentence)
    return True
