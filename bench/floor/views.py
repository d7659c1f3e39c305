"""The floor: what the same page costs with nothing around it; and Django's admin, as one would set it up."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from numbers.models import PhoneNumber
from portal import tenancy

COLUMNS = ("pk", "e164", "area__name", "area__area_code", "state", "usage", "label", "last_active_on", "allocated_at")


@login_required
def const(request: HttpRequest) -> HttpResponse:
    """A signed-in person gets two bytes."""
    return HttpResponse("ok")


def _rows(request: HttpRequest) -> list[dict[str, Any]]:
    tenant_id = int(request.session["tenant_id"])
    tenancy.announce(user_id=None, tenant_id=tenant_id)
    with tenancy.serving(tenant_id):
        return list(PhoneNumber.objects.order_by("e164").values(*COLUMNS)[:50])


@login_required
def full(request: HttpRequest) -> HttpResponse:
    """Fifty realistic rows: checkbox, link, badge, person, two dates, a button."""
    with transaction.atomic():
        return render(request, "floor/full.html", {"rows": _rows(request)})


@login_required
def part(request: HttpRequest) -> HttpResponse:
    """The rows alone."""
    with transaction.atomic():
        return render(request, "floor/full.html#rows", {"rows": _rows(request)})


@login_required
def copy(request: HttpRequest) -> HttpResponse:
    """All rows of the tenant as CSV, by COPY."""
    out = bytearray()
    with transaction.atomic(), connection.cursor() as cursor:
        tenancy.announce(user_id=None, tenant_id=int(request.session["tenant_id"]))
        statement = (
            "COPY (SELECT n.e164, a.name, n.state, n.usage, n.label, n.last_active_on, n.allocated_at"
            " FROM numbers_phonenumber n JOIN numbers_localarea a ON a.id = n.area_id"
            f" WHERE n.tenant_id = {int(request.session['tenant_id'])} ORDER BY n.e164) TO STDOUT (FORMAT csv)"
        )
        with cursor.copy(statement) as rows:  # type: ignore[attr-defined]  # psycopg's, behind Django's wrapper
            for chunk in rows:
                out += chunk
    return HttpResponse(bytes(out), content_type="text/csv")


class EveryTenantMiddleware:
    """The admin looks at all tenants."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with tenancy.every_tenant():
            return self.get_response(request)


site = admin.AdminSite()


@admin.register(PhoneNumber, site=site)
class PhoneNumberAdmin(admin.ModelAdmin):
    list_display = ("e164", "area", "state", "usage", "label", "last_active_on", "allocated_at")
    list_filter = ("state", "usage", "tenant")
    list_select_related = ("area",)
    list_per_page = 50
    list_max_show_all = 2000
    search_fields = ("e164", "label")
    ordering = ("e164",)
    actions = ("relabel",)

    def get_list_filter(self, request: HttpRequest) -> Any:
        return ("state", "usage")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return True

    @admin.action(description="Relabel")
    def relabel(self, request: HttpRequest, queryset: Any) -> None:
        """Change each row as the admin's documentation shows it: save and log."""
        for number in queryset:
            number.label = "A" if number.label != "A" else "B"
            number.save()
            self.log_change(request, number, "relabelled")
