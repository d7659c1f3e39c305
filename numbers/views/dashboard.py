"""The first page of an administrator."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from numbers import dashboard as shown
from numbers.forms.addresses import PinForm
from portal.access import Request, administrator


@require_GET
@administrator
def dashboard(request: Request) -> HttpResponse:
    """Show how the numbers stand, what is coming, what it costs and what happened last."""
    context = shown.page(at=timezone.now()) | {"form": PinForm()}
    return render(request, "numbers/dashboard/dashboard.html", context)
