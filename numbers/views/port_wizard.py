"""The four steps of a port order, its summary and its signed form: a draft until it is submitted (rules P2 and P5)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from numbers import (
    destinations,
    port_calendar,
    port_codes,
    port_days,
    port_numbers,
    port_page,
    port_paper,
    port_seen,
    port_signed,
    porting,
)
from numbers import messages as number_messages
from numbers.forms.porting import ActForm, DateForm, HolderForm, NumbersForm, ProviderForm, SubmitForm, UploadForm, say
from numbers.lifecycle import PriceChanged
from numbers.models import LockedPortOrder, PortKind, PortNumber, PortOrder, PortProvider
from numbers.port_numbers import Problem
from numbers.porting import PortRefused, save
from portal import berlin, documents, submissions
from portal.access import Request, administrator
from portal.documents import DocumentRefused

MOST_PAGES = 20
LOOKED_AT = ("numbers", "provider")  # steps that answer while somebody types
_TYPED = ("numbers", "base_number", "pasted", "contract_ends_on")
STALE = gettext_lazy(
    "The order was changed since you opened this page. Nothing was submitted; please check it and submit it again."
)
STALE_FORM = gettext_lazy(
    "The order was changed since you opened this page, so the form was not kept. Please check that it says what the "
    "order says now, and upload it again."
)
type Work = Callable[[LockedPortOrder, datetime], Any]


@require_http_methods(["GET", "POST"])
@administrator
def new(request: Request) -> HttpResponse:
    """Say what is needed, and begin a draft."""
    at, form = timezone.now(), ActForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        key = form.cleaned_data["operation_id"]

        def work() -> dict[str, Any]:
            return {"order": porting.start(by=request.user, at=at).pk}

        kept, _again = submissions.once(key, "port.start", by=request.user, at=at, work=work)
        return redirect("numbers:port_step", kept["order"], "numbers")
    context = {"unverified": port_page.unverified(at), "areas": port_page.areas(at), "form": form}
    return render(request, "numbers/porting/new.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@administrator
def step(request: Request, pk: int, step: str) -> HttpResponse:
    """Show one of the four steps; keep of it what can be read."""
    if step not in port_page.STEPS:
        raise Http404
    order, at = found(pk), timezone.now()
    if not order.is_editable():
        return _too_late(request, order)
    form = _form(request, step, order, at)
    if form.is_bound and step in LOOKED_AT and request.htmx.request_type == "partial":
        return _looked_at(request, step, order, form, at=at)
    if form.is_bound and _keep(request, order, step, form, at=at):
        if "leave" in request.POST:
            messages.success(request, _("The draft is saved. You can go on with it at any time."))
            return redirect("numbers:port", pk)
        if not form.errors:
            return _onward(pk, step)
    return _show(request, found(pk), step, form, at=at)


def _too_late(request: Request, order: PortOrder) -> HttpResponse:
    """Lead to an order that cannot be edited any more; say so to whoever has sent something."""
    if request.method == "POST":
        sentence = _("This step was not saved, the order cannot be edited any more. It is now: %(state)s.")
        messages.warning(request, sentence % {"state": order.get_state_display()})
    url = resolve_url("numbers:port", order.pk)
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


@require_GET
@administrator
def summary(request: Request, pk: int) -> HttpResponse:
    """Show what was entered, what is missing, and where the form to sign is."""
    order = found(pk)
    return _summary(request, order) if order.is_editable() else redirect("numbers:port", pk)


@require_POST
@administrator
def submit(request: Request, pk: int) -> HttpResponse:
    """Submit the order, for the first time or again after a rejection."""
    try:
        done = act(request, pk, "port.submit", _submission(request))
    except PortRefused as refused:
        return _refused(request, found(pk), str(refused.reason))
    except PriceChanged:
        return _refused(request, found(pk), _("The price has changed. Please check it and submit again."))
    if done:
        messages.success(request, _("The order was submitted. We write you as soon as the old provider has answered."))
    return redirect("numbers:port", pk)


def _submission(request: Request) -> Work:
    """Return the work of submitting an order as the summary showed it."""
    form = SubmitForm(request.POST)
    form.is_valid()
    said = form.cleaned_data

    def work(row: LockedPortOrder, at: datetime) -> None:
        porting.expect(row, "submit")
        port_seen.expect(port_seen.contents(row), said.get("seen", ""), STALE)
        porting.submit(row, price_seen=said.get("price_seen"), by=request.user, at=at)

    return work


def _refused(request: Request, order: PortOrder, sentence: str) -> HttpResponse:
    """Show the summary anew with the reason, or the order if it has no summary any more."""
    if order.is_editable():
        return _summary(request, order, refused=sentence)
    messages.warning(request, sentence)
    return redirect("numbers:port", order.pk)


@require_GET
@administrator
def paper(request: Request, pk: int) -> HttpResponse:
    """Send the form to sign, filled in with what the order says now."""
    order = found(pk)
    if order.provider is None or order.area is None:
        messages.warning(request, _("Please enter the phone numbers and the old provider first."))
        return redirect("numbers:port_summary", pk)
    code = port_signed.code(order, porting.numbers_of(order).e164s)
    content = port_paper.form(order, port_page.listed(order), code=code, on=berlin.day(timezone.now()))
    headers = {"Content-Disposition": f'attachment; filename="portierungsauftrag-{pk}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


@require_POST
@administrator
def upload(request: Request, pk: int) -> HttpResponse:
    """Keep the signed form; what was uploaded before stays as an earlier version."""
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid() and _uploaded(request, pk, form):
        messages.success(request, _("The signed form was uploaded."))
        return redirect("numbers:port_summary" if found(pk).is_editable() else "numbers:port", pk)
    order = found(pk)
    if order.is_editable():
        return _summary(request, order, upload=form)
    for sentence in (*form.errors.get("document", []), *form.errors.get("code", [])):
        messages.warning(request, str(sentence))
    return redirect("numbers:port", pk)


def _uploaded(request: Request, pk: int, form: UploadForm) -> bool:
    """Keep the document once; put the reason into the form if it is refused."""
    content, code = form.cleaned_data["document"], form.cleaned_data["code"]

    def work(order: LockedPortOrder, at: datetime) -> None:
        porting.expect(order, "add_document")
        port_seen.expect(port_seen.contents(order), form.cleaned_data["seen"], STALE_FORM)
        with documents.kept(content, most_pages=MOST_PAGES) as name:
            pages = documents.pages(name)
            kept = {"name": name, "pages": pages, "size": len(content), "code": code}
            porting.add_document(order, **kept, by=request.user, at=at)

    try:
        return act(request, pk, "port.document", work)
    except (DocumentRefused, PortRefused) as refused:
        form.add_error("code" if refused.field == "code" else "document", str(refused.reason))
        return False


def _onward(pk: int, step: str) -> HttpResponse:
    after = port_page.following(step)
    return redirect("numbers:port_step", pk, after) if after else redirect("numbers:port_summary", pk)


def found(pk: int) -> PortOrder:
    """Return the order with what its pages show, or 404."""
    rows = PortOrder.objects.select_related("tenant", "area", "provider", "by")
    order: PortOrder = get_object_or_404(rows, pk=pk)
    return order


def act(request: Request, pk: int, verb: str, do: Work) -> bool:
    """Do one thing with the locked order once, however often the form is sent; False if the form says nothing."""
    at, form = timezone.now(), ActForm(request.POST)
    if not form.is_valid():
        return False

    def work() -> dict[str, Any]:
        order = PortOrder.objects.locked(pk)
        if order is None:
            raise Http404
        do(order, at)
        return {}

    submissions.once(form.cleaned_data["operation_id"], verb, by=request.user, at=at, work=work)
    return True


def _form(request: Request, step: str, order: PortOrder, at: datetime) -> Any:
    data = request.POST if request.method == "POST" else None
    initial = _initial(step, order, at)
    if step == "date":
        return DateForm(data, initial=initial, order=order, at=at)
    kinds: dict[str, type[forms.Form]] = {"numbers": NumbersForm, "provider": ProviderForm, "holder": HolderForm}
    return kinds[step](data, initial=initial)


def _object(form: forms.Form, order: PortOrder) -> None:
    """Say beside the field what the old provider objects to in a rejected order (rule P4)."""
    name = port_codes.FIELD_OF.get(order.code, "")
    name = "base_number" if name == "numbers" and order.kind == PortKind.BLOCK else name
    if name in form.fields:
        form.fields[name].help_text = " ".join(filter(None, (str(port_codes.MEANING[order.code]), order.reason)))
        form.fields[name].widget.attrs["class"] = "p-objected"


def _initial(step: str, order: PortOrder, at: datetime) -> dict[str, Any]:
    """Return what a step begins with: what was kept of it, and the verified address where nothing was."""
    known = {name: getattr(order, name) for name in port_page.fields_of(step) if name != "temporary"}
    match step:
        case "numbers":
            single = order.kind == PortKind.SINGLE
            return known | {"numbers": "\n".join(port_page.listed(order)) if single else ""}
        case "provider":
            return known | {"provider": str(order.provider or "")}
        case "holder":
            holders = "\n".join(order.further_holders)
            return known | {"further_holders": holders} | port_page.address_there(order, at)
    return known | {"temporary": number_messages.display(order.temporary) if order.temporary else ""}


def _looked_at(request: Request, step: str, order: PortOrder, form: Any, *, at: datetime) -> HttpResponse:
    """Answer what was typed so far with what is found about it; nothing is kept."""
    form.is_valid()
    context: dict[str, Any] = {"form": form if any(map(form.data.get, _TYPED)) else None}
    if step == "numbers":
        context |= _checked(form, order, at)
    elif step == "provider":
        context["deadline"] = _deadline(form.cleaned_data.get("contract_ends_on"))
    return render(request, f"numbers/porting/_{step}.html#found", context)


def _checked(form: NumbersForm, order: PortOrder, at: datetime) -> dict[str, Any]:
    """Return what hinders the order as a whole, and each number that was read with what hinders porting it."""
    if form.wanted is None:
        return {}
    found = port_numbers.findings(form.wanted, own=order.pk, at=at)
    problems: dict[str, list[str]] = {}
    for one in found:
        problems.setdefault(one.e164, []).append(str(one.sentence))
    checked = [(destinations.written(e164), " ".join(problems.get(e164, []))) for e164 in form.wanted.e164s]
    return {"checked": checked, "in_the_way": problems.get("", [])}


def _deadline(ends: Any) -> str:
    return port_days.day(port_calendar.deadline(ends)) if ends else ""


def _keep(request: Request, order: PortOrder, step: str, form: Any, *, at: datetime) -> bool:
    """Keep what can be read of a step, once; return whether anything was kept. What hinders stands at its field.

    Nothing is kept of a page that was opened before somebody else changed the step.
    """
    form.is_valid()

    def work(locked: LockedPortOrder, at: datetime) -> None:
        porting.expect(locked, "save")
        if port_seen.entered(locked, step) != form.cleaned_data.get("seen"):
            raise port_seen.Overtaken
        if isinstance(form, NumbersForm):
            if form.wanted is not None:
                porting.set_numbers(locked, form.wanted, by=request.user, at=at)
        else:
            save(locked, form.changes(), by=request.user, at=at)

    try:
        kept = act(request, order.pk, "port.save", work)
    except port_seen.Overtaken:
        form.overtaken = True
        return False
    except PortRefused as refused:
        say(form, refused.problems)
        return False
    if kept:
        _say_what_hinders(request, order, form, at=at)
    return kept and not (isinstance(form, NumbersForm) and form.wanted is None)


def _say_what_hinders(request: Request, order: PortOrder, form: Any, *, at: datetime) -> None:
    if isinstance(form, NumbersForm):
        if form.wanted is not None:
            form.say(port_numbers.findings(form.wanted, own=order.pk, at=at))
    elif "leave" not in request.POST:
        wrong = porting.problems(found(order.pk), at=at)
        say(form, [one for one in wrong if one.field in form.fields and one.field not in form.errors])


def _show(request: Request, order: PortOrder, step: str, form: Any, *, at: datetime) -> HttpResponse:
    if not order.is_editable():
        return _too_late(request, order)
    problems = porting.problems(order, at=at)
    context: dict[str, Any] = {
        "order": order,
        "form": form,
        "step": step,
        "template": f"numbers/porting/_{step}.html",
        "title": port_page.STEPS[step][0],
        "steps": port_page.wizard(order, step, problems),
        "before": port_page.before(step),
        "seen": port_seen.entered(order, step),
        "meanwhile": _meanwhile(request, order, step, form) if form.overtaken else None,
        "advice": port_codes.MEANING.get(order.code, ""),
    }
    _object(form, order)
    if step == "numbers":
        bound = form if form.is_bound else NumbersForm(form.initial)
        bound.is_valid()
        context |= _checked(bound, order, at)
    elif step == "provider":
        context |= {"deadline": port_days.day(porting.deadline(order)), "providers": PortProvider.objects.matching("")}
    elif step == "date":
        hints = [text for name, text in port_page.said(porting.hints(order)) if name == "requested_on"]
        context |= {"temporaries": port_page.temporaries(at)}
        chosen = form.cleaned_data.get("requested_on") if form.overtaken else None
        context |= {"price": port_page.price(berlin.day(at)), "hints": hints}
        context |= port_page.calendar(order, chosen=chosen, at=at)
    return render(request, "numbers/porting/step.html", context, status=422 if form.is_bound else 200)


def _meanwhile(request: Request, order: PortOrder, step: str, form: Any) -> dict[str, Any]:
    return port_seen.meanwhile(order, step, seen=form.cleaned_data.get("seen", ""), user=request.user)


def _summary(
    request: Request, order: PortOrder, *, upload: UploadForm | None = None, refused: str = ""
) -> HttpResponse:
    at, seen = timezone.now(), port_seen.contents(order)
    problems: list[Problem] = porting.problems(order, at=at)
    active, signed = porting.to_activate(order), port_page.documents(order)
    context = {
        "order": order,
        "seen": seen,
        "steps": port_page.wizard(order, "", problems),
        "sections": port_page.sections(order, problems),
        "problems": [text for _field, text in port_page.said(problems)],
        "hints": [text for _field, text in port_page.said(porting.hints(order))],
        "price": port_page.price(berlin.day(at)) if active else None,
        "active": len(active),
        "documents": signed,
        "unsigned": port_page.unsigned(order, signed),
        "code": port_signed.code(order, porting.numbers_of(order).e164s),
        "numbers": PortNumber.objects.filter(order=order).count(),
        "form": upload or UploadForm(),
        "refused": refused,
        "advice": port_codes.MEANING.get(order.code, ""),
        "fix": port_page.step_of(port_codes.FIELD_OF.get(order.code, "")),
    }
    return render(request, "numbers/porting/summary.html", context, status=422 if upload or refused else 200)
