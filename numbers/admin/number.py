"""The operator's console: numbers, local areas, calls on their way in, disputes, and the runs of jobs."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import formats, timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from numbers import disputes, intake, jobs
from numbers.models import Dispute, Helpline, IntakeLine, LocalArea, NumberState, PhoneNumber
from portal import wake
from portal.admin import Console, Entered, agent
from portal.models import JobRun


class StateFilter(admin.SimpleListFilter):
    """The state as of now, job or no job (rule C3)."""

    title = _("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("active", NumberState.ACTIVE.label),
            ("scheduled", NumberState.DEACTIVATION_SCHEDULED.label),
            ("inactive", NumberState.INACTIVE.label),
            ("due", _("overdue")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[PhoneNumber] | None:
        now = timezone.now()
        known = {
            "active": queryset.active,
            "scheduled": queryset.scheduled,
            "inactive": queryset.inactive,
            "due": queryset.due,
        }
        chosen = known.get(self.value() or "")
        return chosen(now) if chosen else None


@admin.register(PhoneNumber)
class PhoneNumberAdmin(Console):
    list_display = ("e164", "tenant", "area", "state_now", "last_active_on", "usage", "price_class", "allocated_at")
    list_filter = (StateFilter, "usage", "price_class")
    list_select_related = ("tenant", "area")
    search_fields = ("e164__startswith", "tenant__name", "tenant__customer_number")
    ordering = ("-id",)

    @admin.display(description=_("State"))
    def state_now(self, number: PhoneNumber) -> str:
        return str(number.state_at(timezone.now()).label)


@admin.register(LocalArea)
class LocalAreaAdmin(Console):
    list_display = ("area_code", "name")
    search_fields = ("area_code__startswith", "name")
    ordering = ("sort_key",)


@admin.register(Helpline)
class HelplineAdmin(Console):
    """Imported whole by a command, for the regulator publishes it whole."""

    list_display = ("number", "name")
    search_fields = ("number__startswith", "name")
    ordering = ("number",)


@admin.register(IntakeLine)
class IntakeLineAdmin(Console):
    """Calls that could not be placed, with the reason; once it is settled they are tried again."""

    list_display = ("received_at", "why", "number", "source", "source_id")
    list_filter = ("reason", "source")
    search_fields = ("source_id", "line__number")
    date_hierarchy = "received_at"
    ordering = ("-id",)
    fields = ("source", "source_id", "received_at", "why", "number")
    readonly_fields = ("why", "number")
    actions = ("try_again",)

    @admin.display(description=_("Reason"))
    def why(self, line: IntakeLine) -> str:
        return str(intake.REASONS.get(line.reason, _t("waiting to be taken in")))

    @admin.display(description=_("Own number"))
    def number(self, line: IntakeLine) -> str:
        return str(line.line.get("number", ""))[:30]

    @admin.action(description=_("Try again"))
    def try_again(self, request: HttpRequest, queryset: QuerySet[IntakeLine]) -> None:
        count = intake.try_again(queryset, by=agent(request), at=timezone.now())
        wake.later("numbers.tasks.take_calls_in")
        sentence = ngettext("%(count)s call will be tried again.", "%(count)s calls will be tried again.", count)
        messages.success(request, sentence % {"count": count})


@admin.register(Dispute)
class DisputeAdmin(Entered):
    """Objections to a month's bill; while one is open, its calls stay (rule T4)."""

    kind = "dispute"
    list_display = ("month", "tenant", "number", "reason", "opened_at", "closed_at")
    list_select_related = ("tenant", "number")
    search_fields = ("tenant__name", "tenant__customer_number", "number__e164", "reason")
    date_hierarchy = "month"
    ordering = ("-id",)
    fields = ("tenant", "number", "month", "reason")
    autocomplete_fields = ("tenant", "number")
    refusals = (disputes.DisputeRefused,)
    actions = ("close",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def enter(self, obj: Any, **who_and_when: Any) -> Dispute:
        return disputes.open_(
            tenant_id=obj.tenant_id, number=obj.number, month=obj.month, reason=obj.reason, **who_and_when
        )

    @admin.action(description=_("Close the dispute"))
    def close(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> None:
        count = disputes.close(queryset, by=agent(request), at=timezone.now())
        sentence = ngettext("%(count)s dispute was closed.", "%(count)s disputes were closed.", count)
        messages.success(request, sentence % {"count": count})


@admin.register(JobRun)
class JobRunAdmin(Console):
    list_display = ("started_at", "job", "as_of", "planned", "done", "duration", "outcome")
    list_filter = ("job",)
    search_fields = ("job", "error")
    date_hierarchy = "started_at"
    ordering = ("-started_at",)

    @admin.display(description=_("Duration"))
    def duration(self, run: JobRun) -> str:
        if run.finished_at is None:
            return "–"
        seconds = (run.finished_at - run.started_at) / timedelta(seconds=1)
        return f"{formats.number_format(seconds, decimal_pos=1)} s"

    @admin.display(description=_("Result"))
    def outcome(self, run: JobRun) -> str:
        if run.error:
            return run.error.splitlines()[0][:120]
        return _t("finished") if run.finished_at else _t("running")

    def get_urls(self) -> list[URLPattern]:
        run = path("run/", self.admin_site.admin_view(require_POST(self.run_now)), name="numbers_run_deactivations")
        return [run, *super().get_urls()]

    def run_now(self, request: HttpRequest) -> HttpResponse:
        """Ask the worker to run the deactivations now; the run appears in the list."""
        jobs.ask_for_deactivations(by=agent(request), at=timezone.now())
        messages.success(request, _t("The deactivations were asked for. The run appears here in a moment."))
        return redirect("admin:portal_jobrun_changelist")
