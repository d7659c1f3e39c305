"""Blocks: the list of them, and the grid of one block's extensions."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from numbers import blocks
from numbers.models import NumberBlock
from portal.access import Request, administrator


@require_GET
@administrator
def index(request: Request) -> HttpResponse:
    """Show the blocks of the tenant and how far each is used."""
    return render(request, "numbers/blocks/index.html", {"rows": blocks.rows(at=timezone.now())})


@require_GET
@administrator
def block(request: Request, pk: int) -> HttpResponse:
    """Show every extension of a block: free, inactive, active, assigned, scheduled."""
    found = get_object_or_404(NumberBlock.objects.select_related("area"), pk=pk)
    return render(request, "numbers/blocks/block.html", blocks.page(found, at=timezone.now()))
