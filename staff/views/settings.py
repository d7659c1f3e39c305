"""What the tenant lets its staff do."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.access import Request, administrator
from staff import settings as of_staff
from staff.forms.member import SettingsForm


@require_http_methods(["GET", "POST"])
@administrator
def settings(request: Request) -> HttpResponse:
    """Show and change what staff are told and may do themselves."""
    form = SettingsForm(request.POST if request.method == "POST" else None, instance=of_staff.of_tenant())
    if form.is_valid():
        if of_staff.change(form.cleaned_data, by=request.user, at=timezone.now()):
            messages.success(request, _("The changes were saved."))
        else:
            messages.info(request, _("Nothing was different, so nothing was changed."))
        return redirect("staff:settings")
    return render(request, "staff/settings/settings.html", {"form": form}, status=422 if form.is_bound else 200)
