"""How a tenant wants its fax credentials mailed."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fax import settings as of_fax
from fax.forms.access import SettingsForm
from portal.access import Request, administrator, recently_signed_in


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def settings(request: Request) -> HttpResponseBase:
    """Show and change whether mails hold the password itself (rule F3)."""
    initial = {"plain_mail": of_fax.of_tenant().plain_mail}
    form = SettingsForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        if of_fax.change(plain_mail=form.cleaned_data["plain_mail"], by=request.user, at=timezone.now()):
            messages.success(request, _("The changes were saved."))
        else:
            messages.info(request, _("Nothing was different, so nothing was changed."))
        return redirect("fax:settings")
    return render(request, "fax/settings.html", {"form": form})
