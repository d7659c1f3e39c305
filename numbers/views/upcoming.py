"""What happens next: the scheduled deactivations, day by day, and the hand-overs."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from numbers import port_page
from numbers import upcoming as shown
from portal.access import Request, administrator


@require_GET
@administrator
def upcoming(request: Request) -> HttpResponse:
    """Show the numbers that will become inactive, grouped by their last active day, and those that change hands."""
    at = timezone.now()
    page = Paginator(shown.scheduled(at), shown.SIZE).get_page(request.GET.get("page"))
    handovers, count = shown.handovers(at)
    context = {"page": page, "days": shown.days(page, at=at), "handovers": handovers, "handover_count": count}
    context |= {"ports": port_page.open_orders(at=at), "leaving": port_page.leaving()}
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/upcoming/upcoming.html{part}", context)
