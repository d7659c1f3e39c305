"""What the pages of the itemised bill show, shaped before the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from billing import written
from numbers import call_months, calls, itemisation
from numbers.calls import Call
from numbers.models import CallRecord
from portal import berlin

type Rows = QuerySet[CallRecord]


@dataclass(frozen=True, slots=True)
class Month:
    """A month that has an itemised bill; `runs` says that it is not over yet."""

    month: date
    name: str
    masked: bool
    runs: bool


def months(*, at: datetime) -> list[Month]:
    """Return the months that have an itemised bill and are stored still, newest first."""
    now, spans = call_months.of(at), itemisation.spans()
    found = []
    for month in sorted(call_months.present(), reverse=True):
        span = next((each for each in spans if each.covers(month)), None)
        if span and month <= now:
            found.append(Month(month, written.month_name(month), span.masked, month == now))
    return found


def bill(month: date, rows: Rows) -> dict[str, Any]:
    """Return what stands above the calls of a month: its name and what they come to."""
    total = calls.total_of(rows)
    return {
        "month": month,
        "name": written.month_name(month),
        "count": total.count,
        "duration": calls.duration(total.seconds),
        "cost": written.euros(total.cost.quantize(Decimal("0.01"))),
        "until": berlin.next_month(month),
    }


def total(found: Sequence[Call]) -> dict[str, Any]:
    """Return what these calls come to, for the last line of a document."""
    cost = sum((call.cost for call in found), Decimal(0))
    return {
        "count": len(found),
        "duration": calls.duration(sum(call.seconds for call in found)),
        "cost": written.euros(cost.quantize(Decimal("0.01"))),
    }
