"""The list of the tenant's people, its export, and taking in those who sign in already."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from portal.access import Request, administrator
from portal.columns import choices, heads
from portal.models import Role
from staff import directory, members
from staff.directory import Counts, Wanted
from staff.forms.directory import read

PAGE = "staff/directory/list.html"


@require_GET
@administrator
def listing(request: Request) -> HttpResponse:
    """Show one page of the people who match search and filters; htmx gets the list alone."""
    wanted, at = read(request.GET), timezone.now()
    counts = directory.counts(wanted, at=at)
    pages = Paginator(directory.rows(wanted, at=at), wanted.size)
    pages.count = counts.of(wanted.state)  # counted for the tabs already
    page = pages.get_page(wanted.page)
    context = {"wanted": wanted, "page": page, "rows": directory.draw(page.object_list, at=at)}
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"{PAGE}{part}", context | _frame(wanted, counts))


@require_GET
@administrator
def export(request: Request) -> StreamingHttpResponse:
    """Send all who match search and filters as CSV, while they are being read."""
    lines = directory.csv(
        read(request.GET), tenant_id=request.membership.tenant_id, user_id=request.user.pk, at=timezone.now()
    )
    headers = {"Content-Disposition": f'attachment; filename="{_("staff-list")}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@require_POST
@administrator
def enrol(request: Request) -> HttpResponse:
    """Put those on the list who sign in and are not on it."""
    found = members.enrol(by=request.user, at=timezone.now())
    text = ngettext("%(count)s person was added to the list.", "%(count)s people were added to the list.", len(found))
    messages.success(request, text % {"count": len(found)})
    return redirect("staff:list")


def _frame(wanted: Wanted, counts: Counts) -> dict[str, Any]:
    """Return what stands around the rows: tabs, filters, heads, and who signs in without being on the list."""
    query = wanted.query()
    return {
        "tabs": _tabs(wanted, counts),
        "heads": _heads(wanted),
        "has_any": bool(counts.present or counts.left or wanted.is_narrowed),
        "departments": directory.departments(),
        "accesses": [("none", _("Without login")), ("invited", _("Invited")), *Role.choices],
        "address": reverse("staff:list"),
        "cleared": _address(wanted.query(q="", access="", department="")),
        "export": f"{reverse('staff:export')}?{query}" if query else reverse("staff:export"),
        "sizes": [(size, _address(wanted.query(size=size))) for size in directory.SIZES],
        "sorts": _sorts(wanted),
        "missing": [user.name or user.email for user in members.missing()],
    }


def _tabs(wanted: Wanted, counts: Counts) -> list[dict[str, Any]]:
    labels = {"": _("Present"), "active": _("Active"), "locked": _("Locked"), "left": _("Left")}
    return [
        {
            "id": f"tab-{state or 'present'}",
            "url": _address(wanted.query(state=state)),
            "label": label,
            "count": counts.of(state),
            "current": state == wanted.state,
        }
        for state, label in labels.items()
    ]


def _heads(wanted: Wanted) -> list[dict[str, Any]]:
    labels = {
        "name": _("Name"),
        "department": _("Department"),
        "extension": _("Extension"),
        "login": _("Login"),
        "state": _("State"),
    }
    return heads(labels, sort=wanted.sort, sorts=directory.SORTS)


def _sorts(wanted: Wanted) -> list[tuple[str, str]]:
    labels = {
        "name": _("Sort: name"),
        "department": _("Sort: department"),
        "extension": _("Sort: extension"),
        "since": _("Sort: on the list since"),
    }
    return choices(labels, sort=wanted.sort)


def _address(query: str) -> str:
    return f"{reverse('staff:list')}?{query}" if query else reverse("staff:list")
