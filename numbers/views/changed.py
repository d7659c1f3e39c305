"""The answer to a confirmed dialog of one number: its fresh row to htmx in the list, else the page one came from."""

from datetime import datetime

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from numbers import rows
from numbers.holders import Holding
from numbers.models import PhoneNumber
from numbers.outcomes import Outcome, Result
from numbers.overview import shown
from numbers.views.back import back_to
from portal.access import Request


def in_list(request: Request, back: str) -> bool:
    """Return whether htmx in the list asks, which wants the fresh row."""
    return bool(request.htmx) and back.partition("?")[0] == reverse("numbers:overview")


def changed(
    request: Request, number: PhoneNumber, outcome: Outcome, *, at: datetime, holding: Holding | None = None
) -> HttpResponseBase:
    """Answer with the fresh row (and who holds the number, if that is known already) and the message; the row stays,
    whatever the filter says. The tabs count themselves anew on `numbers:changed`, so that nobody waits for 10,000
    numbers to be counted."""
    back = back_to(request)
    if not request.htmx:
        return redirect(back)
    if not in_list(request, back):
        return HttpResponseClientRedirect(back)
    columns = rows.columns_of(request.user.preferences)
    values = shown(number, at=at, holding=holding)
    row = rows.draw([values], columns=columns, at=at, fresh=outcome.result == Result.DONE)
    status = 409 if outcome.result == Result.REFUSED else 200
    response: HttpResponse = render(request, "numbers/lifecycle/changed.html", {"row": row}, status=status)
    trigger_client_event(response, "numbers:changed")  # first: the closed dialog is gone, and what it says unheard
    return trigger_client_event(response, "dialog:close")
