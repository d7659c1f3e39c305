"""The overview: the list administrators work with, its export, and the choice of its columns."""

from collections.abc import Collection
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
from numbers import overview as inventory
from numbers import rows
from numbers.forms.overview import ColumnsForm, read
from numbers.models import NumberOrder, Usage
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
    response.headers["HX-Push-Url"] = _address(wanted.query(page=context["number"]))
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
    return redirect(_address(form.cleaned_data.get("query", "")))


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
            "url": _address(wanted.query(state=state)),
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
    counts = part.counts()
    count, shown_columns = counts.of(wanted.state), rows.columns_of(preferences)
    number = min(wanted.page, max(1, -(-min(count, COUNTED) // wanted.size)))
    found = part.page(number) if count else []
    return {
        "wanted": wanted,
        "number": number,
        "rows": rows.draw(found, columns=shown_columns, at=at, new=new),
        "shown": len(found),
        "count_of_part": count,
        "everything": _("all %(count)s that match") % {"count": rows.counted(count)},
        "tabs_url": _tabs_url(wanted),
        "tabs": _tabs(wanted, counts),
        "has_any": bool(counts.all or wanted.is_narrowed),
        "summary": _summary(wanted, counts),
        "heads": _heads(wanted, shown_columns),
        "shown_columns": shown_columns,
        **_filters(wanted),
        **_paging(wanted, number=number, shown=len(found), count=count),
    }


def _filters(wanted: Wanted) -> dict[str, Any]:
    query = wanted.query()
    return {
        "address": reverse("numbers:overview"),
        "cleared": _address(wanted.query(q="", area="", usage="", assigned="")),
        "export": f"{reverse('numbers:export')}?{query}" if query else reverse("numbers:export"),
        "query": query,
        "part": query,
        "areas": inventory.areas(),
        "usages": Usage.choices,
        "assigned": _assigned(wanted),
        "sorts": _sorts(wanted),
        "columns": rows.COLUMNS.items(),
    }


def _assigned(wanted: Wanted) -> list[tuple[str, str]]:
    """Return what the select offers: everybody, nobody, anybody, and the person the address names."""
    offered = [("no", _("Not assigned")), ("yes", _("Assigned"))]
    if wanted.assigned.isdecimal():
        name = StaffMember.objects.filter(pk=wanted.assigned).values_list("name", flat=True).first()
        offered.append((wanted.assigned, name or _("Unknown person")))
    return offered


def _sorts(wanted: Wanted) -> list[tuple[str, str]]:
    """Return the orders that the select offers; the present one keeps its direction."""
    labels = {
        "number": _("Sort: number"),
        "area": _("Sort: local area"),
        "state": _("Sort: state"),
        "label": _("Sort: label"),
        "last_active": _("Sort: last active day"),
    }
    return [(wanted.sort if name == wanted.sort.removeprefix("-") else name, label) for name, label in labels.items()]


def _heads(wanted: Wanted, shown: tuple[str, ...]) -> list[dict[str, Any]]:
    labels = {"number": _("Phone number"), "area": rows.COLUMNS["area"], "state": _("State"), **rows.COLUMNS}
    return [_head(wanted, name, label) for name, label in labels.items() if name in ("number", "state", *shown)]


def _head(wanted: Wanted, name: str, label: Any) -> dict[str, Any]:
    """Return a column's head; a click sorts by it, a second one the other way round."""
    if name not in inventory.SORTS:
        return {"name": name, "label": label}
    direction = {name: "ascending", f"-{name}": "descending"}.get(wanted.sort, "none")
    icon = {"ascending": "arrow-up", "descending": "arrow-down", "none": "chevrons-up-down"}[direction]
    url = _address(wanted.query(sort=f"-{name}" if direction == "ascending" else name))
    return {"name": name, "label": label, "sorted": direction, "icon": icon, "url": url}


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
            {"number": size, "url": _address(wanted.query(size=size)), "current": size == wanted.size}
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
    url = _address(wanted.query(page=page))
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


def _address(query: str) -> str:
    return f"{reverse('numbers:overview')}?{query}" if query else reverse("numbers:overview")
