"""Bulk actions: look at what would happen, confirm it, watch it happen, read the result of each number."""

from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from billing.prices import gross
from billing.written import euros
from numbers import bulk, bulk_preview, bulk_results, people_choices, previews, rows
from numbers import export as exports
from numbers.bulk_preview import ASSIGN, Preview
from numbers.forms.assignment import offer
from numbers.forms.bulk import Choice, ConfirmForm, read
from numbers.models import BulkRun, PhoneNumber
from numbers.outcomes import SENTENCES, Reason, Result
from numbers.overview import Part
from numbers.views.back import back_to
from portal import submissions
from portal.access import Request, administrator
from staff.models import StaffMember

PAGE, PEOPLE = "numbers/bulk/confirm.html", "numbers/assignment/_to.html#people"
RESULT = "numbers/bulk/result.html"
ROWS = 50


class _Stale(Exception):
    """What was confirmed is not what would happen now."""


@require_http_methods(["GET", "POST"])
@administrator
def confirm(request: Request) -> HttpResponse:
    """Show what a verb would do to the chosen numbers, and do what was confirmed."""
    choice = read(request.POST if request.method == "POST" else request.GET)
    if choice is None:
        return render(request, "numbers/bulk/nothing.html")
    if request.method != "POST":
        return _ask(request, choice, ConfirmForm())
    form = ConfirmForm(request.POST)
    if form.is_valid() and (choice.verb != ASSIGN or _heir(form)):
        try:
            return redirect("numbers:bulk_result", pk=_start(request, choice, form))
        except _Stale:
            form.add_error(
                None, _("Something has changed since you opened this page. Please check it and confirm again.")
            )
    return _ask(request, choice, form)


@require_GET
@administrator
def result(request: Request, pk: int) -> HttpResponse:
    """Show how far a run is, and once it is finished what became of each number."""
    run = get_object_or_404(BulkRun, pk=pk)
    context = {"run": run, "progress_url": request.path, "title": bulk_results.title(run)}
    if run.finished_at is None:
        part = "#progress" if request.htmx.request_type == "partial" else ""
        return render(request, RESULT + part, context)
    if request.htmx.request_type == "partial":
        return HttpResponseClientRefresh()
    return render(request, RESULT, context | _results(request, run))


@require_GET
@administrator
def result_csv(request: Request, pk: int) -> StreamingHttpResponse:
    """Send what became of each number as CSV."""
    run = get_object_or_404(BulkRun, pk=pk)
    lines = exports.results_csv(run.pk, tenant_id=run.tenant_id, user_id=request.user.pk)
    headers = {"Content-Disposition": f'attachment; filename="{_("result")}-{run.pk}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _chosen(choice: Choice, at: Any) -> Any:
    if choice.everything:
        return Part(choice.wanted, at=at).rows()
    return PhoneNumber.objects.held().filter(pk__in=choice.ids)


def _heir(form: ConfirmForm) -> StaffMember | None:
    """Return who gets the numbers, or put beside the select why nobody does (rule A1)."""
    if not (chosen := form.cleaned_data["to"]):
        form.add_error("to", _("Please choose who gets the numbers."))
        return None
    member: StaffMember = get_object_or_404(StaffMember, pk=int(chosen) if chosen.isdecimal() else 0)
    if reason := {"locked": Reason.PERSON_LOCKED, "left": Reason.PERSON_LEFT}.get(member.state):
        form.add_error("to", str(SENTENCES[reason]))
        return None
    return member


def _start(request: Request, choice: Choice, form: ConfirmForm) -> int:
    """Start what was confirmed, once however often the form is sent; small runs are done when this returns."""
    at = timezone.now()

    def work() -> dict[str, Any]:
        chosen = _chosen(choice, at)
        if not bulk_preview.preview(choice.verb, chosen, at=at).agrees(**form.seen()):
            raise _Stale
        agreed = {"prices_seen": form.prices_seen(), "date_seen": form.cleaned_data["date_seen"]}
        agreed |= {"to": _heir(form)} if choice.verb == ASSIGN else {}
        run = bulk.start(choice.verb, chosen, **agreed, by=request.user, at=at)
        if run.total <= bulk.AT_ONCE:
            bulk.proceed(run, at=at)
        return {"run": run.pk}

    key = form.cleaned_data["operation_id"]
    kept, _again = submissions.once(key, f"bulk_{choice.verb}", by=request.user, at=at, work=work)
    return int(kept["run"])


def _ask(request: Request, choice: Choice, form: ConfirmForm) -> HttpResponse:
    at = timezone.now()
    shown = bulk_preview.preview(choice.verb, _chosen(choice, at), at=at)
    if not shown.total:
        return render(request, "numbers/bulk/nothing.html")
    context = {
        "form": form,
        "choice": choice,
        "shown": shown,
        "total": ngettext("%(count)s number chosen", "%(count)s numbers chosen", shown.total)
        % {"count": rows.counted(shown.total)},
        "prices": [(quote, previews.written(quote, count=count), count) for quote, count in shown.charged],
        "together": _together(shown) if len(shown.charged) > 1 else None,
        "named": [{"number": rows.display(row), "label": row["label"]} for row in shown.numbers],
        "unnamed": shown.total - len(shown.numbers),
        "stops_unnamed": shown.stops_count - len(shown.stops),
        "last_day": rows.written(shown.last_active_on),
        "first_day": rows.written(shown.inactive_from),
        "back": _back(request, choice),
    }
    if choice.verb != ASSIGN:
        return render(request, PAGE, context, status=422 if form.is_bound else 200)
    data = request.POST or request.GET
    found = people_choices.people(data.get("q", ""), keep=data.getlist("to"))
    context |= {"term": data.get("q", ""), "found": found}
    offer(form, found.options)
    page = PEOPLE if request.htmx and data.get("part") == "people" else PAGE
    return render(request, page, context, status=422 if form.is_bound else 200)


def _together(shown: Preview) -> dict[str, str]:
    """Return what numbers of several price classes cost together in a month."""
    net = sum((quote.monthly * count for quote, count in shown.charged), Decimal())
    with_vat = sum((gross(quote.monthly * count, quote.vat_rate) for quote, count in shown.charged), Decimal())
    return {"net": euros(net), "gross": euros(with_vat)}


def _back(request: Request, choice: Choice) -> str:
    query = choice.wanted.query() if choice.everything else ""
    return f"{reverse('numbers:overview')}?{query}" if query else back_to(request)


def _results(request: Request, run: BulkRun) -> dict[str, Any]:
    counts = bulk.tally(run)
    only = request.GET.get("result", "")
    items = bulk_results.items(run, only=only if only in Result else "")
    page = Paginator(items, ROWS).get_page(request.GET.get("page"))
    return {
        "tabs": bulk_results.tabs(counts, only=only, path=request.path),
        "done": counts[Result.DONE],
        "page": page,
        "lines": bulk_results.lines(page.object_list),
    }
