"""Calls: of a number, one's own, and the itemised bill of a month."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing import written
from numbers import calls as lists
from numbers import itemisation, itemised_files, itemised_page, paper
from numbers.forms.calls import FULL, OrderForm, WithdrawOrderForm
from numbers.messages import display
from numbers.models import PhoneNumber
from portal import berlin, submissions
from portal.access import Request, administrator, member, recently_signed_in

MOST_PAPER = 2_000


@require_GET
@administrator
def of_number(request: Request, pk: int) -> HttpResponse:
    """Show a number's calls of the months whose itemised bill was ordered before them (rule T5)."""
    number = get_object_or_404(PhoneNumber.objects.select_related("area"), pk=pk)
    spans = itemisation.spans()
    page = lists.page(lists.listed(spans, number_id=pk), spans, before=request.GET.get("before", ""))
    lists.look(number, what="page", count=len(page.calls), by=request.user, at=timezone.now())
    context = {"number": number, "display": display(number), "spans": spans, "page": page}
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/calls/number.html{part}", context)


@require_GET
@member
def own(request: Request) -> HttpResponse:
    """Show a person the calls of their own numbers within their own intervals (rules A3 and T5)."""
    person, allowed = lists.own(request.user), lists.allowed_to_staff()
    page = None
    if person and allowed:
        page = lists.page(lists.of_person(person), None, before=request.GET.get("before", ""))
        lists.look(person, what="own page", count=len(page.calls), by=request.user, at=timezone.now())
    context = {"person": person, "allowed": allowed, "page": page}
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/calls/own.html{part}", context)


@require_GET
@administrator
def itemised(request: Request) -> HttpResponse:
    """Show which months have an itemised bill, and how it is ordered."""
    today, order = berlin.day(timezone.now()), itemisation.present()
    first = itemisation.span(order).first if order else berlin.next_month(today)
    months = itemised_page.months(at=timezone.now())
    context = {"order": order, "months": months, "first": first, "runs": bool(order) and first <= today}
    return render(request, "numbers/itemised/itemised.html", context)


@require_GET
@administrator
def bill(request: Request, year: str, month: str, form: str = "page") -> HttpResponse:
    """Show the itemised bill of a month as page, CSV or PDF: the same rows, masked alike (rule T5)."""
    of, at = _month(year, month), timezone.now()
    spans = [lists.month_span(of) or _missing()]
    rows = lists.listed(spans)
    if form == "page":
        return _bill_page(request, of, spans, rows)
    found = lists.all_of(rows, spans)
    if form == "pdf" and len(found) > MOST_PAPER:
        messages.warning(request, _("That is too much for paper. Please take the CSV file."))
        return redirect("numbers:itemised_bill", year=year, month=month)
    lists.look(None, what=f"{of:%Y-%m} {form}", count=len(found), by=request.user, at=at)
    return _file(request, of, found, form)


def _bill_page(request: Request, of: date, spans: list[itemisation.Span], rows: itemised_page.Rows) -> HttpResponse:
    page = lists.page(rows, spans, before=request.GET.get("before", ""))
    lists.look(None, what=f"{of:%Y-%m} page", count=len(page.calls), by=request.user, at=timezone.now())
    context = itemised_page.bill(of, rows) | {"page": page, "masked": spans[0].masked}
    part = "#list" if request.htmx.request_type == "partial" else ""
    return render(request, f"numbers/itemised/bill.html{part}", context)


def _file(request: Request, of: date, found: list[lists.Call], form: str) -> HttpResponse:
    if form == "csv":
        response = HttpResponse(itemised_files.csv(found), content_type="text/csv; charset=utf-8")
    else:
        context = {"calls": found, "month": written.month_name(of), "tenant": request.membership.tenant}
        context["total"] = itemised_page.total(found)
        content = paper.render("numbers/itemised/paper.html", "numbers/itemised/paper.css", context)
        response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="evn-{of:%Y-%m}.{form}"'
    return response


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def order(request: Request) -> HttpResponse:
    """Show the declaration, and order the itemised bill with it (rule T5)."""
    form = OrderForm(request.POST or None, initial={"declaration": itemisation.DECLARATION})
    if form.is_valid() and _ordered(request, form):
        messages.success(request, _("The itemised bill is ordered; it begins with the next month."))
        return redirect("numbers:itemised")
    context = {"form": form, "first": berlin.next_month(berlin.day(timezone.now())), "present": itemisation.present()}
    return render(request, "numbers/itemised/order.html", context, status=422 if form.is_bound else 200)


def _ordered(request: Request, form: OrderForm) -> bool:
    said, at = form.cleaned_data, timezone.now()

    def work() -> dict[str, int]:
        masked = said["numbers"] != FULL
        row = itemisation.order(masked=masked, declaration=said["declaration"], by=request.user, at=at)
        return {"order": row.pk}

    try:
        submissions.once(said["operation_id"], "itemised_bill.order", by=request.user, at=at, work=work)
    except itemisation.OrderRefused as refused:
        form.add_error(None, str(refused.reason))
        return False
    return True


@require_http_methods(["GET", "POST"])
@administrator
@recently_signed_in
def withdraw(request: Request) -> HttpResponse:
    """Withdraw the declaration: the itemised bill ends with the month before."""
    form = WithdrawOrderForm(request.POST or None)
    if not form.is_valid():
        context = {"form": form, "order": itemisation.present()}
        return render(request, "numbers/itemised/withdraw.html", context, status=422 if form.is_bound else 200)
    if _withdrawn(request, form):
        messages.success(request, _("The declaration is withdrawn; this month has no itemised bill any more."))
    else:
        messages.info(request, _("No itemised bill is ordered, so there was nothing to withdraw."))
    return redirect("numbers:itemised")


def _withdrawn(request: Request, form: WithdrawOrderForm) -> bool:
    at = timezone.now()

    def work() -> dict[str, bool]:
        return {"withdrawn": itemisation.withdraw(by=request.user, at=at)}

    key = form.cleaned_data["operation_id"]
    kept, _again = submissions.once(key, "itemised_bill.withdraw", by=request.user, at=at, work=work)
    return bool(kept["withdrawn"])


def _month(year: str, month: str) -> date:
    try:
        return date(int(year), int(month), 1)
    except ValueError as error:
        raise Http404 from error


def _missing() -> itemisation.Span:
    raise Http404
