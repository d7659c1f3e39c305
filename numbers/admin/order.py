"""The operator's console: the pool with its utilisation, and the orders that wait for a decision."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from numbers import orders, pool_watch
from numbers.models import NumberOrder, OrderState, PoolArea, PoolBlock
from numbers.orders import OrderRefused
from portal import documents
from portal.admin import Console, Entered, agent
from portal.tenancy import tenant_transaction


@admin.register(PoolArea)
class PoolAreaAdmin(Entered):
    """How far the pool is used in each area; the threshold of the warning can be set."""

    kind = "pool"
    list_display = ("area", "size", "given", "reserved", "resting", "free", "percent", "warn_from", "warned_at")
    list_select_related = ("area",)
    ordering = ("area__sort_key",)
    fields = ("warn_from",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        self.used = pool_watch.utilisation(PoolArea.objects.values_list("pk", flat=True), at=timezone.now())
        return super().get_queryset(request)

    def _of(self, area: PoolArea) -> pool_watch.Utilisation:
        return self.used.get(area.pk, pool_watch.Utilisation(0, 0, 0, 0))

    @admin.display(description=_("Numbers"))
    def size(self, area: PoolArea) -> int:
        return self._of(area).size

    @admin.display(description=_("Given"))
    def given(self, area: PoolArea) -> int:
        return self._of(area).given

    @admin.display(description=_("Reserved"))
    def reserved(self, area: PoolArea) -> int:
        return self._of(area).reserved

    @admin.display(description=_("Resting"))
    def resting(self, area: PoolArea) -> int:
        return self._of(area).resting

    @admin.display(description=_("Free"))
    def free(self, area: PoolArea) -> int:
        return self._of(area).free

    @admin.display(description=_("Utilisation"))
    def percent(self, area: PoolArea) -> str:
        return f"{self._of(area).percent} %"


@admin.register(PoolBlock)
class PoolBlockAdmin(Console):
    list_display = ("base_number", "area", "size", "porting_code", "given", "longest_run", "loaded_at")
    list_select_related = ("area__area",)
    search_fields = ("base_number__startswith", "porting_code", "area__area__name")
    ordering = ("first",)

    @admin.display(description=_("Numbers"))
    def size(self, block: PoolBlock) -> int:
        return block.size


@admin.register(NumberOrder)
class NumberOrderAdmin(Console):
    """Orders of all tenants; those above the limit of an area wait here for a decision (rule O3)."""

    list_display = ("placed_at", "tenant", "area", "kind", "how_many", "state", "decided_at", "decide")
    list_filter = ("state",)
    list_select_related = ("tenant", "area")
    search_fields = ("tenant__name", "tenant__customer_number")
    ordering = ("-id",)
    exclude = ("reservation", "proof", "fees")

    @admin.display(description=_("Numbers"))
    def how_many(self, order: NumberOrder) -> int:
        return len(order.numbers)

    @admin.display(description=_("Decision"))
    def decide(self, order: NumberOrder) -> str:
        if order.state != OrderState.PLACED:
            return "–"
        url = reverse("admin:numbers_order_decide", args=[order.pk])
        return format_html('<a href="{}">{}</a>', url, _t("Look at it"))

    def get_urls(self) -> list[URLPattern]:
        admitted = self.admin_site.admin_view
        return [
            path("<int:pk>/decide/", admitted(self.decision), name="numbers_order_decide"),
            path("<int:pk>/proof/", admitted(self.proof), name="numbers_order_proof"),
            *super().get_urls(),
        ]

    def decision(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show an order with its proof; approve it, or reject it with a reason."""
        order = get_object_or_404(NumberOrder.objects.select_related("tenant", "area", "by"), pk=pk)
        if request.method == "POST":
            try:
                self._decide(request, order)
                return redirect("admin:numbers_numberorder_changelist")
            except OrderRefused as refused:
                messages.error(request, str(refused.reason))
        context = self.admin_site.each_context(request) | {"order": order, "count": len(order.numbers)}
        return render(request, "admin/numbers/order_decide.html", context | {"title": _t("Order")})

    def _decide(self, request: HttpRequest, order: NumberOrder) -> None:
        who_and_when: dict[str, Any] = {"by": agent(request), "at": timezone.now()}
        with tenant_transaction(order.tenant_id):
            locked = NumberOrder.objects.locked(order.pk)
            if request.POST.get("decision") == "approve":
                orders.approve(locked, **who_and_when)
            elif request.POST.get("decision") == "reject":
                orders.reject(locked, reason=request.POST.get("reason", "")[:500], **who_and_when)

    def proof(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the document that was uploaded with an order."""
        order = get_object_or_404(NumberOrder, pk=pk)
        try:
            content, kind = documents.read(order.proof)
        except FileNotFoundError as error:
            raise Http404 from error
        headers = {"Content-Disposition": f'attachment; filename="{order.pk}.{order.proof.rpartition(".")[2]}"'}
        return HttpResponse(content, content_type=kind, headers=headers)
