"""The operator's console: the desk of port orders, providers, and numbers that leave (rules P3, P4, P7)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from numbers import messages as number_messages
from numbers import port_completion, port_desk, port_export, port_out, port_page, porting
from numbers.forms.port_desk import AnnounceForm, AnswerForm
from numbers.models import (
    CLAIMING,
    LockedPortOrder,
    PhoneNumber,
    PortDocument,
    PortOrder,
    PortOut,
    PortProvider,
    PortState,
)
from numbers.port_out import PortOutRefused
from numbers.porting import PortRefused
from portal import audit, documents
from portal.admin import Console, Entered, agent
from portal.sorting import fold
from portal.tenancy import tenant_transaction

type Said = dict[str, Any]
type Work = Callable[[LockedPortOrder, Said, dict[str, Any]], Any]

SHOWN = 50  # orders on a page of the desk

ACTS: dict[str, Work] = {
    "take": lambda order, said, who: port_desk.take(order, **who),
    "sent": lambda order, said, who: port_desk.note_sent(order, reference=said["reference"], **who),
    "accept": lambda order, said, who: port_desk.accept(order, said["on"], **who),
    "reject": lambda order, said, who: port_desk.reject(order, said["code"], said["reason"], **who),
    "accept_change": lambda order, said, who: port_desk.accept_change(order, **who),
    "refuse_change": lambda order, said, who: port_desk.refuse_change(order, said["reason"], **who),
    "move": lambda order, said, who: port_desk.move_date(order, said["on"], **who),
    "fault": lambda order, said, who: port_desk.report_fault(order, said["reason"], **who),
    "complete": lambda order, said, who: port_completion.complete(order, **who),
    "cancel": lambda order, said, who: porting.cancel(order, reason=said["reason"], **who),
}


@admin.register(PortOrder)
class PortOrderAdmin(Console):
    """Port orders of all tenants; the desk shows what there is to do, the most urgent first."""

    list_display = ("work", "tenant", "provider", "state", "to_send", "requested_on", "confirmed_on", "agent")
    list_filter = ("state", "to_send")
    list_select_related = ("tenant", "provider", "agent")
    search_fields = ("tenant__name", "tenant__customer_number", "numbers__e164", "reference", "provider__code")
    ordering = ("-id",)
    change_list_template = "admin/numbers/portorder/change_list.html"

    @admin.display(description=_("Order"))
    def work(self, order: PortOrder) -> str:
        return format_html('<a href="{}">{}</a>', reverse("admin:numbers_portorder_look", args=[order.pk]), order.pk)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Name an order's numbers in its title."""
        named = str(port_page.rows([kwargs["obj"]])[0].numbers)
        return super().render_change_form(request, context | {"subtitle": named}, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        admitted = self.admin_site.admin_view
        return [
            path("desk/", admitted(self.desk), name="numbers_portorder_desk"),
            path("<int:pk>/look/", admitted(self.look), name="numbers_portorder_look"),
            path("<int:pk>/order.json", admitted(self.export), name="numbers_portorder_export"),
            path("<int:pk>/document/<int:version>/", admitted(self.document), name="numbers_portorder_document"),
            *super().get_urls(),
        ]

    def desk(self, request: HttpRequest) -> HttpResponse:
        """Show what there is to do, by state and due date; interruptions of more than a working day come first."""
        at, state, q = timezone.now(), request.GET.get("state", ""), request.GET.get("q", "")
        tasks = [task for task in port_desk.tasks(at=at, q=q) if state in ("", task.order.state)]
        page = Paginator(tasks, SHOWN).get_page(request.GET.get("page"))
        rows = zip(page.object_list, port_page.rows([task.order for task in page.object_list]), strict=True)
        states = [(one.value, one.label) for one in (*CLAIMING, PortState.CANCELLED)]
        context = {"rows": list(rows), "page": page, "q": q, "states": states, "chosen": state}
        context |= {"title": _t("Porting desk")}
        return render(request, "admin/numbers/port_desk.html", self.admin_site.each_context(request) | context)

    def look(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show an order with everything the old provider asks for, and record what it answers."""
        at, form = timezone.now(), AnswerForm(request.POST or None)
        if form.is_valid() and self._act(request, _found(pk), form):
            return redirect("admin:numbers_portorder_look", pk)
        seen, order = port_desk.version(pk), _found(pk)  # in this order: the version may be too old, never too new
        form.compare(seen)
        context = port_page.order(order, at=at) | {"form": form, "title": _t("Port order")}
        context |= {"forms": form.parts(*port_desk.possible(at)), "seen": seen, "open": CLAIMING}
        return render(request, "admin/numbers/port_work.html", self.admin_site.each_context(request) | context)

    def _act(self, request: HttpRequest, order: PortOrder, form: AnswerForm) -> bool:
        act, at = ACTS[form.cleaned_data["act"]], timezone.now()
        try:
            with tenant_transaction(order.tenant_id):
                locked = PortOrder.objects.locked(order.pk)
                port_desk.expect_version(locked, form.cleaned_data["seen"])
                act(locked, form.cleaned_data, {"by": agent(request), "at": at})
        except PortRefused as refused:
            form.refuse(refused)
            return False
        messages.success(request, _t("It is noted."))
        return True

    def export(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the order's data in the words of the carriers' system (WBCI)."""
        headers = {"Content-Disposition": f'attachment; filename="port-{pk}.json"'}
        return HttpResponse(port_export.as_json(_found(pk)), content_type="application/json", headers=headers)

    def document(self, request: HttpRequest, pk: int, version: int) -> HttpResponse:
        """Send a version of the signed form."""
        kept = get_object_or_404(PortDocument, order=pk, version=version)
        try:
            content, kind = documents.read(kept.name)
        except FileNotFoundError as error:
            raise Http404 from error
        headers = {"Content-Disposition": f'attachment; filename="port-{pk}-{version}.pdf"'}
        return HttpResponse(content, content_type=kind, headers=headers)


@admin.register(PortProvider)
class PortProviderAdmin(Entered):
    """Providers that numbers are ported from and to, with their porting codes."""

    kind = "provider"
    list_display = ("name", "code")
    search_fields = ("name", "code")
    ordering = ("sort_key",)
    fields = ("name", "code")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.sort_key = fold(obj.name)
        super().save_model(request, obj, form, change)

    def enter(self, obj: Any, **who_and_when: Any) -> PortProvider:
        obj.save()
        entry = audit.Entry("provider", obj.pk, str(obj), {}, {"name": obj.name, "code": obj.code})
        audit.record("provider.set", [entry], **who_and_when)
        return obj  # type: ignore[no-any-return]  # the admin knows no models


@admin.register(PortOut)
class PortOutAdmin(Console):
    """Numbers that another provider takes over."""

    list_display = ("number", "tenant", "provider", "leaves_on", "state", "announced_at", "ended_at")
    list_filter = ("state",)
    list_select_related = ("number", "tenant", "provider")
    search_fields = ("number__e164", "tenant__name", "tenant__customer_number")
    ordering = ("-id",)
    actions = ("withdraw",)
    change_list_template = "admin/numbers/portout/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        announce = path("announce/", self.admin_site.admin_view(self.announce), name="numbers_portout_announce")
        return [announce, *super().get_urls()]

    def announce(self, request: HttpRequest) -> HttpResponse:
        """Note that another provider takes numbers of one tenant over."""
        form = AnnounceForm(request.POST or None)
        if form.is_valid() and self._announce(request, form):
            messages.success(request, _t("The departure is announced; the customer gets a mail."))
            return redirect("admin:numbers_portout_changelist")
        context = self.admin_site.each_context(request) | {"form": form, "title": _t("Announce a departure")}
        return render(request, "admin/numbers/port_out.html", context)

    def _announce(self, request: HttpRequest, form: AnnounceForm) -> bool:
        said, at = form.cleaned_data, timezone.now()
        found = PhoneNumber.objects.held().filter(e164__in=said["numbers"])
        owners = set(found.values_list("tenant_id", flat=True))
        if len(owners) != 1 or found.count() != len(said["numbers"]):
            form.add_error("numbers", _t("Please enter numbers of one customer that are in the inventory."))
            return False
        try:
            with tenant_transaction(owners.pop()):
                numbers = PhoneNumber.objects.locked(found.values_list("pk", flat=True))
                port_out.announce(numbers, said["leaves_on"], provider=said["provider"], by=agent(request), at=at)
        except PortOutRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused.reason))
            return False
        return True

    @admin.action(description=_("The numbers stay after all"))
    def withdraw(self, request: HttpRequest, queryset: Any) -> None:
        at: datetime = timezone.now()
        for out in queryset.select_related("number__area", "tenant"):
            try:
                with tenant_transaction(out.tenant_id):
                    numbers = PhoneNumber.objects.locked([out.number_id])
                    port_out.withdraw(numbers, announced=[out.pk], by=agent(request), at=at)
            except PortOutRefused as refused:
                messages.error(request, f"{number_messages.display(out.number)}: {refused.reason}")
            else:
                said = {"number": number_messages.display(out.number), "tenant": out.tenant}
                messages.success(request, _t("%(number)s stays with %(tenant)s; the customer gets a mail.") % said)


def _found(pk: int) -> PortOrder:
    rows = PortOrder.objects.select_related("tenant", "area", "provider", "by", "agent")
    order: PortOrder = get_object_or_404(rows, pk=pk)
    return order
