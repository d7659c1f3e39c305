"""The operator's console, ground floor: tenants, people, the trace, mail. Loaded in the operator's process only.

What an operation owns is read-only here; what the operator enters goes through an operation, or leaves its event in the
trace at once. Django's own log of the admin stays empty: the trace is `AuditEvent`.
"""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from portal import audit, memberships, outbox, tenants
from portal.console import name_fields
from portal.models import AuditEvent, Membership, OutboxMessage, Role, Tenant, User

OWN_APPS = frozenset({"portal", "staff", "billing", "numbers", "fax"})


def keep_own(site: admin.AdminSite) -> None:
    """Take out what libraries registered, for their rows could be changed without a trace, and name the rest."""
    for model in [model for model in site._registry if model._meta.app_label not in OWN_APPS]:
        site.unregister(model)
    site.index_title = _("Overview")
    site.site_url = None  # it would lead to the console again


class Console(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes its parameter for type checkers only
    """A list to look at: nothing is added, changed or deleted."""

    list_per_page = 50
    show_full_result_count = False
    actions_selection_counter = False
    refusals: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, model: Any, admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        name_fields(model)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form again with the reason when the operation behind it refuses."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except self.refusals as refused:
            messages.error(request, str(refused))
            return redirect(request.get_full_path())

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return []


class Entered(Console):
    """Rows that the operator enters and changes; each time with an event in the trace."""

    kind: ClassVar[str] = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            before = {name: str(form.initial.get(name)) for name in form.changed_data}
            super().save_model(request, obj, form, change)
            self.note("changed", obj, request, before, {name: str(getattr(obj, name)) for name in before})
        else:
            obj.pk = self.enter(obj, by=request.user, at=timezone.now()).pk

    def enter(self, obj: Any, **who_and_when: Any) -> Any:
        """Create what the form describes, by its operation; return the row."""
        raise NotImplementedError

    def note(self, verb: str, obj: Any, request: HttpRequest, before: Any, after: Any) -> None:
        entry = audit.Entry(self.kind, obj.pk, str(obj), before, after, self.tenant_of(obj))
        audit.record(f"{self.kind}.{verb}", [entry] if before != after else [], by=agent(request), at=timezone.now())

    def tenant_of(self, obj: Any) -> int | None:
        return None


def agent(request: HttpRequest) -> User:
    """Return the operator's agent who acts."""
    assert isinstance(request.user, User)  # noqa: S101 -- the middleware lets nobody else in
    return request.user


@admin.register(Tenant)
class TenantAdmin(Entered):
    kind = "tenant"
    list_display = ("name", "customer_number", "slug", "created_at")
    search_fields = ("name", "slug", "customer_number")
    fields = ("name", "slug", "customer_number")
    refusals = (tenants.TenantRefused,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug", "customer_number") if obj else ()

    def enter(self, obj: Any, **who_and_when: Any) -> Tenant:
        return tenants.create(obj.name, slug=obj.slug, customer_number=obj.customer_number, **who_and_when)

    def tenant_of(self, obj: Any) -> int:
        return int(obj.pk)


@admin.register(User)
class UserAdmin(Entered):
    kind = "person"
    list_display = ("email", "name", "is_operator", "is_active", "last_login")
    list_filter = ("is_operator", "is_active")
    search_fields = ("email", "name")
    fields = ("email", "name", "language", "is_operator", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("email",) if obj else ("is_active",)

    def enter(self, obj: Any, **who_and_when: Any) -> User:
        person = tenants.person_with(obj.email, obj.name, is_operator=obj.is_operator)
        entry = audit.Entry("person", person.pk, person.email, {}, {"name": person.name, "operator": obj.is_operator})
        audit.record("person.created", [entry], **who_and_when)
        return person


@admin.register(Membership)
class MembershipAdmin(Entered):
    kind = "membership"
    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "user__name", "tenant__name", "tenant__customer_number")
    autocomplete_fields = ("user", "tenant")
    fields = ("user", "tenant", "role")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not memberships.is_last_administrator(obj)  # rule A6

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj and memberships.is_last_administrator(obj):
            return ("user", "tenant", "role")
        return ("user", "tenant") if obj else ()

    def enter(self, obj: Any, **who_and_when: Any) -> Membership:
        tenants.invite(obj.user.email, obj.user.name, tenant=obj.tenant, role=Role(obj.role), **who_and_when)
        return Membership.objects.get(user=obj.user, tenant=obj.tenant)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.note("removed", obj, request, {"role": obj.role, "person": obj.user.email}, {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset.select_related("user"):
            self.delete_model(request, membership)

    def tenant_of(self, obj: Any) -> int:
        return int(obj.tenant_id)


@admin.register(AuditEvent)
class AuditEventAdmin(Console):
    list_display = ("at", "tenant", "actor_name", "verb", "object_label", "request_id")
    list_select_related = ("tenant",)
    search_fields = ("object_label", "actor_name", "verb", "request_id", "tenant__name")
    date_hierarchy = "at"
    ordering = ("-id",)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(Console):
    """Without the context: it may hold a link that opens an account."""

    list_display = ("created_at", "tenant", "recipient", "template", "state", "attempts", "due_at", "error")
    list_filter = ("state", "template")
    list_select_related = ("tenant",)
    search_fields = ("recipient", "template", "key", "error", "tenant__name")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    exclude = ("context",)
    actions = ("send_again",)

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        count = outbox.retry(queryset, by=agent(request), at=timezone.now())
        sentence = ngettext("%(count)s message will be sent again.", "%(count)s messages will be sent again.", count)
        messages.success(request, sentence % {"count": count})
