"""What the page "costs" and its CSV show, shaped before the template."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import charges, costs, written
from billing.costs import Bill, Line, Place, Version
from billing.models import OneOffCharge, PriceClass, Slot
from billing.prices import gross
from portal import berlin, cells
from portal.ui import Chart, Point, bar_chart

SIZE = 50
AHEAD = 12
CHUNK = 2_000


def month_of(text: str, *, today: date) -> date:
    """Return the month an address names (2026-11), or the present one if it names none."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return berlin.month(today)


def page(month: date, *, number: str, today: date) -> dict[str, Any]:
    """Return what the page shows of a month (its first day): sums, lines, the months to come, the price list."""
    places, versions = costs.places(), costs.versions()
    now = berlin.month(today)
    first, last = min(now, month), max(now, month)
    once = charges.within(first, months=(last.year - first.year) * 12 + last.month - first.month + 1)
    ahead = costs.bills(now, AHEAD + 1, of=places, at=versions, once=once)
    slots: Paginator[Slot] = Paginator(costs.charged(month), SIZE)
    shown = slots.get_page(number)
    return {
        "month": month,
        "title": written.month_name(month),
        "is_future": month > now,
        "months": _months(places, month, now),
        "previous": f"{berlin.next_month(month, -1):%Y-%m}",
        "next": f"{berlin.next_month(month):%Y-%m}",
        "bill": sums(costs.month(month, places, versions, once=once)),
        "page": shown,
        "lines": [_row(line) for line in costs.lines(shown, month, versions)],
        "once": [_single(single) for single in once if berlin.month(single.on) == month],
        "forecast": {
            "next": written.euros(ahead[1].net),
            "next_title": written.month_name(ahead[1].month),
            "year": written.euros(sum((bill.net for bill in ahead[1:]), start=ahead[0].net * 0)),
        },
        "chart": chart(ahead, now=now),
        "prices": _price_list(versions, today),
    }


def sums(bill: Bill) -> dict[str, Any]:
    """Return the sum of a month as it is written."""
    return {
        "slots": bill.slots,
        "net": written.euros(bill.net),
        "vat": [(written.percent(rate), written.euros(amount)) for rate, amount in bill.vat.items()],
        "gross": written.euros(bill.gross),
    }


def chart(bills: Sequence[Bill], *, now: date) -> Chart:
    """Return the chart of these months, net; those after the present one are a forecast."""
    kinds = {True: "forecast", False: ""}
    points = [
        Point(
            written.month_name(bill.month, short=True),
            written.month_name(bill.month),
            bill.net,
            "now" if bill.month == now else kinds[bill.month > now],
        )
        for bill in bills
    ]
    return bar_chart(points, text=written.whole_euros)


def rows(month: date) -> Iterator[str]:
    """Return the lines of a month as CSV, piece by piece (rule N4): one line per slot, money in net EUR."""
    versions = costs.versions()
    heads = [_("Phone number"), _("Price class"), _("Charged from"), _("Last day"), _("Monthly fee net")]
    yield "\ufeff" + _csv([[*heads, _("Net"), _("VAT rate")]])
    found = costs.charged(month)
    for begin in range(0, found.count(), CHUNK):
        yield _csv([_cells(line) for line in costs.lines(found[begin : begin + CHUNK], month, versions)])
    if once := charges.within(month):
        yield _csv([_single_cells(single) for single in once])


def _single(single: OneOffCharge) -> dict[str, Any]:
    what = {"kind": single.get_kind_display(), "count": single.count, "label": single.label}
    return {
        "on": _day(single.on),
        "what": _("%(kind)s: %(count)s × %(label)s") % what,
        "net": written.euros(single.net),
    }


def _cells(line: Line) -> list[str]:
    return [
        cells.number(line.label),
        cells.neutral(str(PriceClass(line.price_class).label)),
        line.charge.from_on.isoformat(),
        line.last_on.isoformat() if line.last_on else "",
        written.decimal(line.charge.monthly),
        written.decimal(line.charge.net),
        written.percent(line.charge.vat_rate),
    ]


def _single_cells(single: OneOffCharge) -> list[str]:
    what, net = cells.neutral(_single(single)["what"]), written.decimal(single.net)
    return [what, "", single.on.isoformat(), "", "", net, written.percent(single.vat_rate)]


def _csv(lines: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(lines)
    return out.getvalue()


def _row(line: Line) -> dict[str, Any]:
    basis = _("whole month") if line.charge.whole else _("from %(on)s, by the day") % {"on": _day(line.charge.from_on)}
    return {
        "label": line.label,
        "number": written.number(line.label),
        "price_class": PriceClass(line.price_class).label,
        "basis": basis,
        "ends": _day(line.last_on) if line.last_on else "",
        "moved": [{"on": _day(on), "number": written.number(old)} for on, old in line.moved],
        "net": written.euros(line.charge.net),
    }


def _months(places: Sequence[Place], shown: date, now: date) -> list[tuple[str, str]]:
    """Return the months to choose from: from the first slot to a year ahead, and the one shown wherever it lies."""
    first = min([berlin.month(place.from_on) for place in places] + [now])
    last = berlin.next_month(now, AHEAD)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    months = {berlin.next_month(first, ahead) for ahead in range(count)} | {shown}
    return [(f"{month:%Y-%m}", written.month_name(month)) for month in sorted(months, reverse=True)]


def _price_list(versions: Sequence[Version], today: date) -> list[dict[str, Any]]:
    """Return the versions in force today and those to come."""
    rows = []
    for version in versions:
        later = [v for v in versions if v.price_class == version.price_class and v.valid_from > version.valid_from]
        if any(v.valid_from <= today for v in later):
            continue
        rows.append(
            {
                "price_class": PriceClass(version.price_class).label,
                "valid_from": version.valid_from,
                "to_come": version.valid_from > today,
                "monthly": written.euros(version.monthly),
                "vat": written.percent(version.vat_rate),
                "gross": written.euros(gross(version.monthly, version.vat_rate)),
            }
        )
    return rows


def _day(on: date) -> str:
    return date_format(on, "SHORT_DATE_FORMAT")
