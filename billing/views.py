"""Costs: what the tenant's active numbers cost, for administrators and billing contacts."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing import costs_page
from portal import berlin
from portal.access import Request, billing_or_administrator
from portal.models import Role


@require_GET
@billing_or_administrator
def costs(request: Request) -> HttpResponse:
    """Show a month: its sum, what each number costs, the months to come and the price list."""
    today = berlin.day(timezone.now())
    month = costs_page.month_of(request.GET.get("month", ""), today=today)
    context = costs_page.page(month, number=request.GET.get("page", "1"), today=today)
    context["may_see_numbers"] = request.membership.role == Role.ADMINISTRATOR
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"billing/costs.html{part}", context)


@require_GET
@billing_or_administrator
def costs_csv(request: Request) -> HttpResponse:
    """Give the lines of a month as a CSV file."""
    month = costs_page.month_of(request.GET.get("month", ""), today=berlin.day(timezone.now()))
    response = HttpResponse("".join(costs_page.rows(month)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="kosten-{month:%Y-%m}.csv"'
    return response
