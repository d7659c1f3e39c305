"""The operator's console: letters of all tenants, and the print queue with its batches (rules V4, V5)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from numbers import letters, printing, window
from numbers.letters import LetterRefused
from numbers.models import Address, Delivery, LetterState, LockedLetter, PinLetter, PrintBatch
from numbers.printing import PrintRefused
from portal import cells
from portal.admin import Console, agent


@admin.register(PinLetter)
class PinLetterAdmin(Console):
    """Letters of all tenants; those whose address does not fit wait here for a wording (rule V4)."""

    list_display = ("requested_at", "tenant", "address", "state", "batch", "posted_on", "tries", "act")
    list_filter = ("state",)
    list_select_related = ("tenant", "address", "batch")
    search_fields = ("tenant__name", "tenant__customer_number", "address__company", "address__street")
    ordering = ("-id",)
    exclude = ("pin_hash",)

    @admin.display(description=_("Next"))
    def act(self, letter: PinLetter) -> str:
        words = {LetterState.REVIEW: _t("Review"), LetterState.POSTED: _t("It came back")}
        word = words.get(LetterState(letter.state)) if letter.closed_at is None else None
        if word is None:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("admin:numbers_pinletter_look", args=[letter.pk]), word)

    def get_urls(self) -> list[URLPattern]:
        look = path("<int:pk>/look/", self.admin_site.admin_view(self.look), name="numbers_pinletter_look")
        return [look, *super().get_urls()]

    def look(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a letter that wants something: a wording, a refusal, or the note that it came back."""
        letter = get_object_or_404(PinLetter.objects.select_related("tenant", "address__area"), pk=pk)
        if request.method == "POST":
            try:
                self._decide(request, pk)
                return redirect("admin:numbers_pinletter_changelist")
            except LetterRefused as refused:
                messages.error(request, str(refused.reason))
        lines = request.POST.get("lines") or "\n".join(letter.lines)
        context = {"letter": letter, "lines": lines, "most": window.LINES, "title": _t("PIN letter")}
        return render(request, "admin/numbers/letter_look.html", self.admin_site.each_context(request) | context)

    def _decide(self, request: HttpRequest, pk: int) -> None:
        who_and_when: dict[str, Any] = {"by": agent(request), "at": timezone.now()}
        letter = _locked(pk)
        match request.POST.get("decision"):
            case "word":
                lines = [window.tidy(line) for line in request.POST.get("lines", "")[:600].splitlines()]
                letters.word(letter, [line for line in lines if line], **who_and_when)
            case "decline":
                letters.decline(letter, reason=request.POST.get("reason", "")[:500], **who_and_when)
            case "came_back":
                letters.came_back(letter, **who_and_when)


def _locked(pk: int) -> LockedLetter:
    """Lock a letter's address, then the letter."""
    Address.objects.locked(PinLetter.objects.filter(pk=pk).values_list("address", flat=True))
    letter: LockedLetter = PinLetter.objects.locked([pk])[0]
    return letter


@admin.register(PrintBatch)
class PrintBatchAdmin(Console):
    """The print queue: what waits is put into batches, each printed and posted by people who count."""

    list_display = ("number", "state", "size", "created_at", "printings", "printed_at", "posted_at", "error")
    list_filter = ("state",)
    ordering = ("-id",)
    change_list_template = "admin/numbers/printbatch/change_list.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(delivery=Delivery.QUEUE)  # a postal service prints the others

    @admin.display(description=_("Batch"))
    def number(self, batch: PrintBatch) -> str:
        return format_html('<a href="{}">{}</a>', reverse("admin:numbers_printbatch_work", args=[batch.pk]), batch.pk)

    def get_urls(self) -> list[URLPattern]:
        admitted = self.admin_site.admin_view
        return [
            path("gather/", admitted(require_POST(self.gather)), name="numbers_printbatch_gather"),
            path("<int:pk>/counts/", admitted(self.work), name="numbers_printbatch_work"),
            path("<int:pk>/pdf/", admitted(require_POST(self.pdf)), name="numbers_printbatch_pdf"),
            path("<int:pk>/list.csv", admitted(self.csv), name="numbers_printbatch_csv"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the batches, how many letters wait, and how far the ones in the making are."""
        making = PrintBatch.objects.making()
        batch_ids = making.order_by("pk").values_list("created_at", flat=True)
        first = batch_ids.first()
        of_run = PrintBatch.objects.filter(created_at__gte=first) if first else making
        progress = {
            "making": making.count(),
            "total": of_run.aggregate(sum=Sum("size"))["sum"] or 0,
            "left": making.aggregate(sum=Sum("size"))["sum"] or 0,
        }
        progress["done"] = progress["total"] - progress["left"]
        counts = {"waiting": PinLetter.objects.queued().count(), "review": PinLetter.objects.in_review().count()}
        return super().changelist_view(request, (extra_context or {}) | counts | {"progress": progress})

    def gather(self, request: HttpRequest) -> HttpResponse:
        """Put the letters that wait into batches; the worker makes them."""
        made = printing.gather(by=agent(request), at=timezone.now())
        sentence = ngettext("%(count)s batch is being made.", "%(count)s batches are being made.", len(made))
        messages.success(request, sentence % {"count": len(made)})
        return redirect("admin:numbers_printbatch_changelist")

    def work(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a batch: its PDF, its list, and what was counted."""
        batch = get_object_or_404(PrintBatch, pk=pk)
        if request.method == "POST" and self._note(request, batch):
            return redirect("admin:numbers_printbatch_work", pk)
        title = _t("Batch %(number)s") % {"number": batch.pk}
        context = {"batch": batch, "lines": printing.listed(batch), "title": title}
        return render(request, "admin/numbers/batch_work.html", self.admin_site.each_context(request) | context)

    def _note(self, request: HttpRequest, batch: PrintBatch) -> bool:
        acts: dict[str, Callable[..., None]] = {"printed": printing.printed, "posted": printing.posted}
        act, counted, at = acts.get(request.POST.get("act", "")), request.POST.get("counted", ""), timezone.now()
        if act is None or not counted.isdecimal() or len(counted) > 4:
            messages.error(request, _t("Please enter how many you counted."))
            return False
        return _tried(request, lambda: act(batch.pk, counted=int(counted), by=agent(request), at=at))

    def pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the PDF to be printed; each time is noted."""
        at: datetime = timezone.now()
        try:
            content = printing.pdf(pk, by=agent(request), at=at)
        except PrintRefused as refused:
            messages.error(request, str(refused.reason))
            return redirect("admin:numbers_printbatch_work", pk)
        headers = {"Content-Disposition": f'attachment; filename="batch-{pk}.pdf"'}
        return HttpResponse(content, content_type="application/pdf", headers=headers)

    def csv(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the list of a batch, one letter per line; it holds no PIN."""
        batch = get_object_or_404(PrintBatch, pk=pk)
        titles = [_t("No."), _t("Customer number"), _t("Customer"), *[_t("Address line")] * window.LINES]
        rows = [[cells.neutral(cell) for cell in line] for line in printing.listed(batch)]
        content = cells.BOM + cells.table([titles, *rows])
        headers = {"Content-Disposition": f'attachment; filename="batch-{pk}.csv"'}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


def _tried(request: HttpRequest, act: Callable[[], None]) -> bool:
    try:
        act()
    except PrintRefused as refused:
        messages.error(request, str(refused.reason))
        return False
    return True
