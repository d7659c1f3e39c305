"""The operator's console: letters given to a postal service."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from numbers import outgoing, postal
from numbers.models import PostalOrder
from numbers.postal import PostalError
from portal.admin import Console, agent


@admin.register(PostalOrder)
class PostalOrderAdmin(Console):
    """What was given up is looked up before it is sent again; what is not printed yet can be called off."""

    list_display = ("created_at", "tenant", "key", "reference", "state", "attempts", "due_at", "error")
    list_filter = ("state",)
    list_select_related = ("letter__tenant",)
    search_fields = ("key", "reference", "error", "letter__tenant__name", "letter__tenant__customer_number")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    actions = ("send_again", "call_off")

    @admin.display(description=_("Customer"))
    def tenant(self, order: PostalOrder) -> str:
        return str(order.letter.tenant)

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, queryset: QuerySet[PostalOrder]) -> None:
        count = outgoing.retry(queryset, by=agent(request), at=timezone.now())
        sentence = ngettext("%(count)s letter will be sent again.", "%(count)s letters will be sent again.", count)
        messages.success(request, sentence % {"count": count})

    @admin.action(description=_("Call off"))
    def call_off(self, request: HttpRequest, queryset: QuerySet[PostalOrder]) -> None:
        service = postal.switched_on()
        if service is None:
            messages.error(request, _("No postal service is switched on."))
            return
        for order in queryset:
            try:
                done = outgoing.cancel(order, service, by=agent(request), at=timezone.now())
            except PostalError as error:
                messages.error(request, f"{order}: {error}")
                continue
            if done:
                messages.success(request, _("%(letter)s is called off.") % {"letter": order})
            else:
                messages.warning(request, _("%(letter)s can be called off no more.") % {"letter": order})
