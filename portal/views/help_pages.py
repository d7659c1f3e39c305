"""The help: an index and one page per flow, for everybody who is signed in."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal import help as pages
from portal.access import Request, member


@require_GET
@member
def index(request: Request) -> HttpResponse:
    """Show what can be done, and the hotline."""
    return render(request, "portal/help/index.html", {"flows": pages.FLOWS})


@require_GET
@member
def flow(request: Request, flow: str) -> HttpResponse:
    """Explain one flow step by step."""
    shown = pages.flow(flow)
    if shown is None:
        raise Http404
    others = [other for other in pages.FLOWS if other != shown]
    return render(request, f"portal/help/{shown.slug}.html", {"flow": shown, "others": others})
