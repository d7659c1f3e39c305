"""The overview: the list administrators work with, its export, and the choice of its columns."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from numbers import export as exports
from numbers import furniture, rows
from numbers import overview as inventory
from numbers.forms.overview import ColumnsForm, read
from numbers.models import NumberOrder
from numbers.overview import COUNTED, Part, Wanted
from portal import people
from portal.access import Request, administrator
from staff.models import StaffMember

PAGE = "numbers/overview/overview.html"


@require_GET
@administrator
def overview(request: Request) -> HttpResponse:
    """Show one page of the numbers that match search and filters; htmx gets the list alone."""
    wanted, at = read(request.GET), timezone.now()
    context = _page(wanted, at=at, preferences=request.user.preferences, new=_ordered(request.GET.get("order", "")))
    if request.htmx.request_type != "partial":
        return render(request, PAGE, context)
    response = render(request, f"{PAGE}#list", context)
    response.headers["HX-Push-Url"] = furniture.address(wanted.query(page=context["number"]))
    return response


@require_GET
@administrator
def tabs(request: Request) -> HttpResponse:
    """Answer with the tabs alone, counted anew: what a changed row asks for once it is shown."""
    wanted = read(request.GET)
    counted = _tabs(wanted, Part(wanted, at=timezone.now()).counts())
    return render(request, f"{PAGE}#tabs", {"tabs": counted, "tabs_url": _tabs_url(wanted)})


@require_GET
@administrator
def export(request: Request) -> StreamingHttpResponse:
    """Send all that match search and filters as CSV, while it is being read."""
    lines = exports.csv(
        read(request.GET), tenant_id=request.membership.tenant_id, user_id=request.user.pk, at=timezone.now()
    )
    name = _("phone-numbers")
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@require_POST
@administrator
def columns(request: Request) -> HttpResponse:
    """Remember which columns this person wants to see, and go back to the same view."""
    form = ColumnsForm(request.POST)
    if form.is_valid():
        chosen = {"number_columns": form.cleaned_data["columns"]}
        people.remember(request.user, preferences=request.user.preferences | chosen)
    return redirect(furniture.address(form.cleaned_data.get("query", "")))


def _tabs_url(wanted: Wanted) -> str:
    return f"{reverse('numbers:tabs')}?{wanted.query()}"


def _tabs(wanted: Wanted, counts: inventory.Counts) -> list[dict[str, Any]]:
    """Return the tabs with their counts."""
    labels = {
        "": _("All"),
        "active": _("Active"),
        "scheduled": _("Deactivation scheduled"),
        "inactive": _("Inactive"),
    }
    return [
        {
            "id": f"tab-{state or 'all'}",
            "url": furniture.address(wanted.query(state=state)),
            "label": label,
            "count": rows.counted(counts.of(state)),
            "current": state == wanted.state,
        }
        for state, label in labels.items()
    ]


def _ordered(text: str) -> Collection[str]:
    """Return the numbers (E.164) of the order that the address names, so that their rows light up."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return ()
    return NumberOrder.objects.filter(pk=text).values_list("numbers", flat=True).first() or ()


def _page(wanted: Wanted, *, at: datetime, preferences: dict[str, Any], new: Collection[str] = ()) -> dict[str, Any]:
    part = Part(wanted, at=at)
    counts, areas = part.counts_and_areas()
    count, shown_columns = counts.of(wanted.state), rows.columns_of(preferences)
    number = min(wanted.page, max(1, -(-min(count, COUNTED) // wanted.size)))
    found = part.page(number) if count else []
    first = replace(wanted, page=1)  # what the parts around the rows hang on
    return {
        "wanted": wanted,
        "number": number,
        "rows": rows.draw(found, columns=shown_columns, at=at, new=new),
        "toolbar": furniture.toolbar(first, areas, _assigned(wanted)),
        "head": furniture.head(first, shown_columns),
        "bulk_bar": furniture.bulk_bar(wanted.query(), rows.counted(count) if count > len(found) else ""),
        "column_choice": furniture.column_choice(shown_columns),
        "query": wanted.query(),
        "tabs_url": _tabs_url(wanted),
        "tabs": _tabs(wanted, counts),
        "has_any": bool(counts.all or wanted.is_narrowed),
        "summary": _summary(wanted, counts),
        "address": furniture.address(""),
        **_paging(wanted, number=number, shown=len(found), count=count),
    }


def _assigned(wanted: Wanted) -> str:
    """Return the name of the person whose numbers the address asks for."""
    if not wanted.assigned.isdecimal():
        return ""
    name = StaffMember.objects.filter(pk=wanted.assigned).values_list("name", flat=True).first()
    return name or _("Unknown person")


def _paging(wanted: Wanted, *, number: int, shown: int, count: int) -> dict[str, Any]:
    first = (number - 1) * wanted.size + 1
    reach = min(count, COUNTED)
    last_page = max(1, -(-reach // wanted.size))
    position = _("%(first)s–%(last)s of %(count)s phone numbers") % {
        "first": number_format(first),
        "last": number_format(first + shown - 1),
        "count": rows.counted(count),
    }
    at_end = number == last_page and count > COUNTED
    return {
        "position": position,
        "sizes": [
            {"number": size, "url": furniture.address(wanted.query(size=size)), "current": size == wanted.size}
            for size in inventory.SIZES
        ],
        "pages": [_link(wanted, page, number) for page in inventory.page_numbers(number, last_page)]
        if last_page > 1
        else [],
        "beyond": _("Pages end here; search or filter to see further numbers.") if at_end else "",
    }


def _link(wanted: Wanted, page: int | None, current: int) -> dict[str, Any] | None:
    if page is None:
        return None
    url = furniture.address(wanted.query(page=page))
    return {
        "number": str(page),
        "url": url,
        "label": _("Page %(number)s") % {"number": page},
        "current": page == current,
    }


def _summary(wanted: Wanted, counts: inventory.Counts) -> str:
    if wanted.is_narrowed:
        return _("Search and filters narrow the list.")
    working = counts.active + counts.scheduled
    return _("%(active)s of %(count)s phone numbers are active.") % {
        "active": rows.counted(working),
        "count": rows.counted(counts.all),
    }
