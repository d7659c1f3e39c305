"""Assign many numbers by a list: look at every line first, then let it run."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from numbers import assign_list as lists
from numbers import bulk
from numbers.assign_list import Kind
from numbers.forms.assign_list import ConfirmForm, ListForm, sealed
from portal import submissions
from portal.access import Request, administrator

PAGE = "numbers/assignment/list.html"
SHOWN = 500  # lines the page shows of each kind; it counts the others


@require_http_methods(["GET", "POST"])
@administrator
def assign_list(request: Request) -> HttpResponse:
    """Take a list of numbers and addresses, say what would become of each line, and do what was confirmed (rule G5)."""
    if "sealed" in request.POST:
        confirmed = ConfirmForm(request.POST, tenant_id=request.membership.tenant_id)
        if confirmed.is_valid():
            return redirect("numbers:bulk_result", pk=_start(request, confirmed))
        return render(request, PAGE, {"form": ListForm(), "confirmed": confirmed}, status=422)
    form = ListForm(request.POST or None, request.FILES or None) if request.method == "POST" else ListForm()
    if not form.is_bound or not form.is_valid():
        return render(request, PAGE, {"form": form}, status=422 if request.method == "POST" else 200)
    return render(request, PAGE, _looked_at(request, form))


def _looked_at(request: Request, form: ListForm) -> dict[str, Any]:
    """Return what the page says about each line: what is wrong first, then what changes hands, then the rest."""
    found = lists.check(form.cleaned_data["file"], at=timezone.now())
    pairs, counts = lists.pairs(found), lists.counts(found)
    parts = [(kind, lists.KINDS[kind], [f for f in found if f.kind == kind]) for kind in Kind if counts[kind]]
    return {
        "form": ListForm(),
        "parts": [(kind, label, some[:SHOWN], len(some), max(0, len(some) - SHOWN)) for kind, label, some in parts],
        "changing": len(pairs),
        "sealed": sealed(pairs, tenant_id=request.membership.tenant_id) if pairs else "",
    }


def _start(request: Request, form: ConfirmForm) -> int:
    """Start what was confirmed, once however often the form is sent; small lists are done when this returns."""
    at = timezone.now()

    def work() -> dict[str, Any]:
        run = bulk.start_list(form.cleaned_data["sealed"], by=request.user, at=at)
        if run.total <= bulk.AT_ONCE:
            bulk.proceed(run, at=at)
        return {"run": run.pk}

    key = form.cleaned_data["operation_id"]
    return int(submissions.once(key, "assign_list", by=request.user, at=at, work=work)[0]["run"])
