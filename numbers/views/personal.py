"""What is known about a person: to look at, to take away, to erase."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from numbers import calls as lists
from numbers import erasure, personal, personal_files, purge
from numbers.forms.personal import ErasureForm, ExportForm
from numbers.models import PhoneNumber
from portal import submissions
from portal.access import Request, administrator, member, recently_signed_in
from staff.models import StaffMember


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def of_member(request: Request, pk: int) -> HttpResponse:
    """Show an administrator what is known about a person, and hand it over as a file (rule T6)."""
    person = _found(pk)
    return _shown(request, person, own=False)


@require_http_methods(["GET", "POST"])
@member
@recently_signed_in
def mine(request: Request) -> HttpResponse:
    """Show a person what is known about them, and hand it over as a file (rule T6)."""
    return _shown(request, lists.own(request.user), own=True)


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def erase(request: Request, pk: int) -> HttpResponse:
    """Say what of a person who left will be erased and what has to stay, and erase it for good (rule T6)."""
    person = _found(pk)
    preview = erasure.preview(person)
    initial = {"count_seen": preview.count, "notice": purge.NOTICE}
    form = ErasureForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid() and _erased(request, person, form):
        messages.success(request, _("The person's data was erased. What was kept, and why, stands below."))
        return redirect("numbers:person_data", pk=pk)
    context = {"person": person, "preview": preview, "form": form, "reasons": erasure.REASONS}
    return render(request, "numbers/personal/erase.html", context, status=422 if form.is_bound else 200)


def _found(pk: int) -> StaffMember:
    row: StaffMember = get_object_or_404(StaffMember.objects.select_related("user"), pk=pk)
    return row


def _shown(request: Request, person: StaffMember | None, *, own: bool) -> HttpResponse:
    form = ExportForm(request.POST if request.method == "POST" else None)
    if person and form.is_valid():
        return _file(request, person, form, own=own)
    if form.is_bound and not person:
        raise Http404
    context: dict[str, Any] = {"person": person, "own": own, "form": form, "kinds": personal.kinds()}
    context["calls_included"] = own and lists.allowed_to_staff()
    if person:
        context |= {"log": erasure.log(person), "obstacle": erasure.preview(person).obstacle}
    return render(request, "numbers/personal/data.html", context, status=422 if form.is_bound else 200)


def _file(request: Request, person: StaffMember, form: ExportForm, *, own: bool) -> HttpResponse:
    at = timezone.now()

    def work() -> dict[str, Any]:
        personal_files.note(person, own=own, by=request.user, at=at)
        return {}

    submissions.once(form.cleaned_data["operation_id"], "staff.export", by=request.user, at=at, work=work)
    response = HttpResponse(personal_files.export(person, own=own, at=at), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="personal-data-{person.pk}.zip"'
    return response


def _erased(request: Request, person: StaffMember, form: ErasureForm) -> bool:
    """Erase once however often the form is sent; put the reason above it if it cannot be done."""
    said, at = form.cleaned_data, timezone.now()

    def work() -> dict[str, Any]:
        numbers = PhoneNumber.objects.locked(erasure.numbers_of(person.pk))
        [row] = StaffMember.objects.locked([person.pk])
        seen = {"count_seen": said["count_seen"], "notice": said["notice"]}
        return {"decisions": len(erasure.erase(numbers, row, **seen, by=request.user, at=at))}

    try:
        submissions.once(said["operation_id"], "staff.erase", by=request.user, at=at, work=work)
    except (erasure.ErasureRefused, purge.PurgeRefused) as refused:
        form.add_error(None, str(refused.reason))
        return False
    return True
