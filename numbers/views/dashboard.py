"""The first page of an administrator."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from numbers import dashboard as shown
from portal.access import Request, administrator


@require_GET
@administrator
def dashboard(request: Request) -> HttpResponse:
    """Show how the numbers stand, what is coming, what it costs and what happened last."""
    return render(request, "numbers/dashboard/dashboard.html", shown.page(at=timezone.now()))
