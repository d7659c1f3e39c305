"""What we keep and until when, and how long a tenant wants it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from numbers import kept_page
from numbers import retention as operations
from numbers.forms.calls import RetentionForm
from portal import submissions
from portal.access import Request, administrator, member, recently_signed_in
from portal.models import Role


@require_GET
@member
def kept(request: Request) -> HttpResponse:
    """Tell everybody of the tenant what is kept of calls, until when, and what the daily check found."""
    may_change = request.membership.role == Role.ADMINISTRATOR
    context = {"kept": kept_page.kept(at=timezone.now()), "may_change": may_change}
    return render(request, "numbers/kept/kept.html", context)


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def retention(request: Request) -> HttpResponse:
    """Choose how many months after the invoice calls are kept (rule T4)."""
    present = kept_page.kept(at=timezone.now())
    form = RetentionForm(request.POST or None, initial={"months": present.months})
    if form.is_valid():
        _keep(request, form)
        messages.success(request, _("The time calls are kept was saved."))
        return redirect("numbers:kept")
    return render(request, "numbers/kept/retention.html", {"form": form}, status=422 if form.is_bound else 200)


def _keep(request: Request, form: RetentionForm) -> None:
    said, at = form.cleaned_data, timezone.now()

    def work() -> dict[str, int]:
        operations.keep(said["months"], by=request.user, at=at)
        return {"months": said["months"]}

    submissions.once(said["operation_id"], "calls.retention", by=request.user, at=at, work=work)
