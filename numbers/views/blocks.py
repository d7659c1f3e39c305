"""Blocks: the list of them, and the grid of one block's extensions."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from numbers import block_list, blocks
from numbers.models import NumberBlock
from portal.access import Request, administrator


@require_GET
@administrator
def index(request: Request) -> HttpResponse:
    """Show the blocks that match and how far each is used; htmx gets the list alone."""
    wanted = block_list.read(request.GET.dict())
    page = Paginator(block_list.found(wanted), block_list.SHOWN).get_page(request.GET.get("page"))
    context = {"page": page, "rows": block_list.rows(list(page), at=timezone.now()), "wanted": wanted}
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/blocks/index.html{part}", context | {"heads": block_list.heads(wanted)})


@require_GET
@administrator
def block(request: Request, pk: int) -> HttpResponse:
    """Show every extension of a block: free, inactive, active, assigned, scheduled."""
    found = get_object_or_404(NumberBlock.objects.select_related("area"), pk=pk)
    return render(request, "numbers/blocks/block.html", blocks.page(found, at=timezone.now()))
