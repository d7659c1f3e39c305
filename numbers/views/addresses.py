"""The tenant's addresses: enter, correct, prove by PIN letter, remove."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from numbers import address_page, addresses, letters
from numbers.addresses import AddressRefused
from numbers.forms.addresses import AddressForm, AskForm, PinForm, initial
from numbers.letters import Entered, Entry, LetterRefused
from numbers.models import Address, LocalArea, LockedAddress
from portal import submissions
from portal.access import Request, administrator

type Work = Callable[[LockedAddress, datetime], Any]


@require_GET
@administrator
def index(request: Request) -> HttpResponse:
    """Show the tenant's addresses and how far each has come."""
    context = {"cards": address_page.cards(at=timezone.now()), "replaced": address_page.replaced()}
    return render(request, "numbers/addresses/index.html", context)


@require_GET
@administrator
def address(request: Request, pk: int) -> HttpResponse:
    """Show one address: status, PIN entry, the numbers that hang on it."""
    return _show(request, _found(pk))


@require_http_methods(["GET", "POST"])
@administrator
def new(request: Request) -> HttpResponse:
    """Enter an address; of an area that has a verified one it says which numbers that concerns."""
    form = AddressForm(request.POST or None, initial=_beginning(request))
    if form.is_valid() and (pk := _created(request, form)):
        messages.success(request, _("The address was entered. Request the PIN letter to verify it."))
        return redirect("numbers:address", pk=pk)
    return _form(request, "numbers/addresses/new.html", form)


@require_http_methods(["GET", "POST"])
@administrator
def move(request: Request, pk: int) -> HttpResponse:
    """Enter the new address of a local area in which a verified one is left."""
    old = _found(pk)
    known = {"company": old.company, "extra": old.extra}
    form = AddressForm(request.POST or None, initial=known, fixed_area=old.area)
    if form.is_valid() and (new_pk := _created(request, form)):
        messages.success(request, _("The new address was entered. It takes the old one's place once it is verified."))
        return redirect("numbers:address", pk=new_pk)
    concerned = addresses.affected(old.area_id)
    extra = {"address": old, "numbers": address_page.numbers(concerned), "count": len(concerned)}
    return _form(request, "numbers/addresses/move.html", form, **extra)


@require_http_methods(["GET", "POST"])
@administrator
def edit(request: Request, pk: int) -> HttpResponse:
    """Correct an address that is not verified."""
    row, at = _found(pk), timezone.now()
    form = AddressForm(request.POST or None, initial=initial(row))
    if (state := row.state_at(at)) not in addresses.EDITABLE:
        messages.warning(request, str(addresses.why_fixed(state)))
        return redirect("numbers:address", pk=pk)
    if form.is_valid() and _changed(request, pk, form):
        messages.success(request, _("The address was changed."))
        return redirect("numbers:address", pk=pk)
    return _form(request, "numbers/addresses/edit.html", form, address=row)


@require_POST
@administrator
def remove(request: Request, pk: int) -> HttpResponse:
    """Remove an address to which no letter was written."""
    if _act(request, pk, "address.remove", lambda row, at: addresses.remove(row, by=request.user, at=at)):
        messages.success(request, _("The address was removed."))
        return redirect("numbers:addresses")
    return redirect("numbers:address", pk=pk)


@require_POST
@administrator
def ask(request: Request, pk: int) -> HttpResponse:
    """Request a PIN letter."""
    if _act(request, pk, "letter.request", lambda row, at: letters.ask(row, by=request.user, at=at) and None):
        messages.success(request, _("The PIN letter was requested. We write you when it is on its way."))
    return redirect("numbers:address", pk=pk)


@require_POST
@administrator
def withdraw(request: Request, pk: int) -> HttpResponse:
    """Call a requested letter off."""
    if _act(request, pk, "letter.withdraw", lambda row, at: letters.withdraw(row, by=request.user, at=at)):
        messages.success(request, _("The PIN letter was called off."))
    return redirect("numbers:address", pk=pk)


@require_POST
@administrator
def pin(request: Request, pk: int) -> HttpResponse:
    """Compare the PIN of a letter; the right one verifies the address."""
    row, form = _found(pk), PinForm(request.POST)
    if form.is_valid():
        entered = _entered(request, pk, form)
        if entered.result == Entry.RIGHT:
            return _verified(request, row, entered)
        form.add_error("pin", _why(entered))
        row = _found(pk)
    return _show(request, row, form)


def _found(pk: int) -> Address:
    row: Address = get_object_or_404(Address.objects.select_related("area"), pk=pk)
    return row


def _locked(pk: int) -> LockedAddress:
    rows: list[LockedAddress] = Address.objects.locked([pk])
    if not rows:
        raise Http404
    return rows[0]


def _show(request: Request, row: Address, form: PinForm | None = None) -> HttpResponse:
    context = address_page.page(row, at=timezone.now()) | {"form": form or PinForm()}
    return render(request, "numbers/addresses/address.html", context, status=422 if form else 200)


def _form(request: Request, template: str, form: AddressForm, **extra: Any) -> HttpResponse:
    context = {"form": form, "areas": address_page.own_areas(), **extra}
    return render(request, template, context, status=422 if form.is_bound else 200)


def _beginning(request: Request) -> dict[str, str]:
    """Return what a new address begins with: the tenant's name, and the area that a link named."""
    area = LocalArea.objects.filter(area_code=request.GET.get("area", "")[:6]).first()
    return {"company": request.membership.tenant.name, "area": str(area) if area else ""}


def _created(request: Request, form: AddressForm) -> int | None:
    """Enter the address once however often the form is sent; return its id, or put the reason beside its field."""
    at, said = timezone.now(), form.cleaned_data

    def work() -> dict[str, Any]:
        return {"address": addresses.add(form.address(), area=said["area"], by=request.user, at=at).pk}

    try:
        kept, _again = submissions.once(said["operation_id"], "address.create", by=request.user, at=at, work=work)
    except AddressRefused as refused:
        form.add_error(refused.field, str(refused.reason))
        return None
    return int(kept["address"])


def _changed(request: Request, pk: int, form: AddressForm) -> bool:
    at, said = timezone.now(), form.cleaned_data

    def work() -> dict[str, Any]:
        addresses.change(_locked(pk), form.address(), area=said["area"], by=request.user, at=at)
        return {}

    try:
        submissions.once(said["operation_id"], "address.change", by=request.user, at=at, work=work)
    except AddressRefused as refused:
        form.add_error(refused.field, str(refused.reason))
        return False
    return True


def _act(request: Request, pk: int, verb: str, do: Work) -> bool:
    """Do one thing with an address once; return whether it was done, else say why not."""
    at, form = timezone.now(), AskForm(request.POST)
    if not form.is_valid():
        return False

    def work() -> dict[str, Any]:
        do(_locked(pk), at)
        return {}

    try:
        submissions.once(form.cleaned_data["operation_id"], verb, by=request.user, at=at, work=work)
    except (AddressRefused, LetterRefused) as refused:
        messages.warning(request, str(refused.reason))
        return False
    return True


def _entered(request: Request, pk: int, form: PinForm) -> Entered:
    """Compare once however often the form is sent: a repeat is answered as the first time and costs no try."""
    at, said = timezone.now(), form.cleaned_data

    def work() -> dict[str, Any]:
        found = letters.enter(_locked(pk), said["pin"], by=request.user, at=at)
        return {"result": found.result, "left": found.tries_left, "replaced": found.replaced}

    kept, _again = submissions.once(said["operation_id"], f"letter.enter.{pk}", by=request.user, at=at, work=work)
    return Entered(Entry(kept["result"]), kept["left"], kept["replaced"])


def _verified(request: Request, row: Address, entered: Entered) -> HttpResponse:
    area = {"area": row.area}
    messages.success(request, _("The address is verified. You can order numbers in %(area)s now.") % area)
    if entered.replaced:
        messages.info(request, _("It has taken the place of your old address in %(area)s.") % area)
    return redirect("numbers:address", pk=row.pk)


def _why(entered: Entered) -> str:
    if entered.result == Entry.WRONG:
        text = ngettext(
            "This PIN is not right. You have one try left.",
            "This PIN is not right. You have %(left)s tries left.",
            entered.tries_left,
        )
        return text % {"left": entered.tries_left}
    return {
        Entry.LOCKED: _("The PIN is locked after five wrong entries. Please request a new letter."),
        Entry.EXPIRED: _("The PIN was valid for 30 days and has expired. Please request a new letter."),
        Entry.NO_LETTER: _("No letter to this address is on its way."),
    }[entered.result]
