"""Ordering numbers: look for them, reserve them, see the price, order; and the orders there were."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from billing.written import euros
from numbers import addresses, order_page, orders, pool
from numbers.forms.orders import ChoiceForm, ConfirmForm, SearchForm
from numbers.models import LocalArea, NumberOrder, OrderKind, OrderState
from numbers.orders import FeeChanged, OrderRefused
from portal import berlin, documents, submissions
from portal.access import Request, administrator
from portal.documents import DocumentRefused

NEW, CONFIRM, ROWS = "numbers/orders/new.html", "numbers/orders/confirm.html", 50


@require_GET
@administrator
def index(request: Request) -> HttpResponse:
    """Show the orders of the tenant, newest first."""
    found = NumberOrder.objects.select_related("area", "by").order_by("-pk")
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    return render(request, "numbers/orders/index.html", {"page": page, "rows": order_page.rows(list(page))})


@require_GET
@administrator
def order(request: Request, pk: int) -> HttpResponse:
    """Show one order and what became of it."""
    found = get_object_or_404(NumberOrder.objects.select_related("area", "by"), pk=pk)
    return render(request, "numbers/orders/order.html", order_page.order(found))


@require_GET
@administrator
def proof(request: Request, pk: int) -> HttpResponse:
    """Send the document that was uploaded with an order."""
    found = get_object_or_404(NumberOrder, pk=pk)
    return _document(found)


@require_http_methods(["GET", "POST"])
@administrator
def new(request: Request) -> HttpResponse:
    """Look for numbers that can be had, and reserve those that were chosen."""
    at = timezone.now()
    areas, others = order_page.areas(at=at)
    data = request.POST if request.method == "POST" else request.GET
    search = SearchForm(data if "kind" in data else None, areas=areas, initial=_initial(request.GET, areas))
    choice = ChoiceForm(request.POST) if request.method == "POST" else None
    if search.is_valid() and choice and choice.is_valid() and (basket := _reserve(search, choice, at=at)):
        return redirect(f"{reverse('numbers:order_confirm')}?basket={basket}&kind={search.cleaned_data['kind']}")
    return _ask(request, search, choice, others, at=at)


@require_http_methods(["GET", "POST"])
@administrator
def confirm(request: Request) -> HttpResponse:
    """Show what the reserved numbers cost, and order them."""
    form = ConfirmForm(request.POST, request.FILES) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            return _done(request, _place(request, form))
        except DocumentRefused as refused:
            form.add_error("proof", str(refused.reason))
        except FeeChanged as changed:
            text = _("The price has changed: the order costs %(price)s net now. Please check it and confirm again.")
            form.add_error(None, text % {"price": euros(changed.price.net)})
        except OrderRefused as refused:
            form.add_error("proof" if refused.field == "proof" else None, str(refused.reason))
    return _show(request, form)


def _initial(data: QueryDict, areas: list[tuple[str, str]]) -> dict[str, Any]:
    known = [code for code, _name in areas]
    return {"area": data.get("area") or (known[0] if len(known) == 1 else ""), "count": 1, "kind": OrderKind.SINGLE}


def _ask(
    request: Request, search: SearchForm, choice: ChoiceForm | None, others: list[dict[str, Any]], *, at: datetime
) -> HttpResponse:
    offers = None
    if search.is_bound and search.is_valid():
        area = get_object_or_404(LocalArea, area_code=search.cleaned_data["area"])
        offers = order_page.offers(search.cleaned_data, area, at=at)
    context = {"form": search, "choice": choice, "offers": offers, "others": others, "areas": search.fields["area"]}
    failed = choice is not None or (search.is_bound and not search.is_valid())
    return render(request, NEW, context, status=422 if failed else 200)


def _reserve(search: SearchForm, choice: ChoiceForm, *, at: datetime) -> UUID | None:
    """Reserve what was chosen; return the basket, or put the reason why not into the form."""
    wanted, key = search.cleaned_data, uuid4()
    area = get_object_or_404(LocalArea, area_code=wanted["area"])
    if before := choice.cleaned_data["basket"]:
        pool.release(before, at=at)
    picked = choice.picked()
    if not choice.cleaned_data["next"] and not picked:
        choice.add_error(None, _("Please choose at least one number, or take the next free one."))
        return None
    taken, expected = _take(area, wanted, [] if choice.cleaned_data["next"] else picked, key, at=at)
    if len(taken) == expected:
        return key
    pool.release(key, at=at)
    if len(taken) and len(taken) < expected:
        text = _("Of these numbers only %(count)s are still free. Please choose again.") % {"count": len(taken)}
        choice.add_error(None, text)
    else:
        choice.add_error(None, _("These numbers have just been taken by somebody else. Please choose again."))
    return None


def _take(
    area: LocalArea, wanted: dict[str, Any], picked: list[str], key: UUID, *, at: datetime
) -> tuple[list[str], int]:
    """Reserve; return what was got, and how many were wanted."""
    if wanted["kind"] == OrderKind.SINGLE:
        if picked:
            return pool.reserve(area.pk, picked, basket=key, at=at), len(picked)
        pattern = pool.expression(wanted["q"], area.area_code)
        return pool.reserve_next(area.pk, count=wanted["count"], pattern=pattern, basket=key, at=at), wanted["count"]
    length, aligned = wanted["count"], wanted["kind"] == OrderKind.BLOCK
    if not picked:
        return pool.reserve_run(area.pk, length=length, aligned=aligned, basket=key, at=at), length
    if aligned and int(picked[0][1:]) % length:
        return [], length
    return pool.reserve_whole(area.pk, picked[0], length=length, basket=key, at=at), length


def _place(request: Request, form: ConfirmForm) -> int:
    """Place the order once, however often the form is sent."""
    at, agreed = timezone.now(), form.cleaned_data

    def work() -> dict[str, Any]:
        with documents.kept(agreed["proof"]) as document:
            placed = orders.place(
                agreed["basket"],
                kind=OrderKind(agreed["kind"]),
                count_seen=agreed["count_seen"],
                fee_seen=agreed["fee_seen"],
                proof=document,
                by=request.user,
                at=at,
            )
        if document and placed.state != OrderState.PLACED:
            documents.discard(document)  # none was needed
        return {"order": placed.pk}

    kept, _again = submissions.once(agreed["operation_id"], "order", by=request.user, at=at, work=work)
    return int(kept["order"])


def _done(request: Request, pk: int) -> HttpResponse:
    placed = NumberOrder.objects.select_related("area").get(pk=pk)
    if placed.state == OrderState.PLACED:
        messages.info(request, _("Your order waits for our approval. You will get a mail as soon as it is decided."))
        return redirect("numbers:order", pk=pk)
    count = len(placed.numbers)
    text = ngettext(
        "The phone number is yours and inactive. Activate it to use it.",
        "The %(count)s phone numbers are yours and inactive. Activate them to use them.",
        count,
    )
    messages.success(request, text % {"count": count})
    narrowed = {"state": "inactive", "area": placed.area.area_code, "order": pk}
    return redirect(f"{reverse('numbers:overview')}?{urlencode(narrowed)}")


def _show(request: Request, form: ConfirmForm | None) -> HttpResponse:
    """Show the confirmation of the basket that is named; without one the way leads back to the search."""
    at, data = timezone.now(), request.POST if form is not None else request.GET
    key = _uuid(data.get("basket", ""))
    basket = pool.basket(key) if key else None
    if basket is None or data.get("kind") not in OrderKind.values:
        messages.warning(request, str(orders.TOO_LATE))
        return redirect("numbers:order_new")
    area, cost = LocalArea.objects.get(pk=basket.area_id), orders.price(basket.numbers, on=berlin.day(at))
    waits = order_page.waits(area.pk, len(basket.numbers))
    context = {
        "form": (form or ConfirmForm()).wanting_proof(wanted=waits),
        "key": key,
        "kind": OrderKind(data["kind"]),
        "area": area,
        "address": addresses.verified_in(area.pk, at),
        "numbers": order_page.listed([free.e164 for free in basket.numbers], area),
        "count": len(basket.numbers),
        "fee_seen": cost.net,
        "price": order_page.price(cost),
        "until": basket.until,
        "ended": basket.until <= at,
        "needs_proof": waits,
    }
    return render(request, CONFIRM, context, status=422 if form is not None else 200)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _document(found: NumberOrder) -> HttpResponse:
    try:
        content, kind = documents.read(found.proof)
    except FileNotFoundError as error:
        raise Http404 from error
    suffix = found.proof.rpartition(".")[2]
    headers = {"Content-Disposition": f'attachment; filename="{_("proof")}-{found.pk}.{suffix}"'}
    return HttpResponse(content, content_type=kind, headers=headers)
