"""What the dashboard shows: the first page of an administrator, in few statements however large the tenant is."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import CharField, Count, Exists, OuterRef, Value, Window

from billing import charges, costs, costs_page, written
from numbers import address_page, history, notation, overview, port_page
from numbers.models import Forwarding, PhoneNumber
from numbers.overview import Counts
from portal import berlin

SHOWN = 5
EVENTS = 7
MONTHS_BACK, MONTHS = 8, 12
_FIELDS = ("pk", "e164", "base_number", "extension_digits", "area__area_code", "area__name", "label", "last_active_on")


@dataclass(frozen=True, slots=True)
class Item:
    """A number on a card: written after DIN 5008, with the last active day if there is one."""

    pk: int
    number: str
    text: str
    last_active_on: date | None


@dataclass(frozen=True, slots=True)
class Card:
    """The first numbers of a kind, how many there are, and how many are not shown."""

    items: list[Item]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.items)


def page(*, at: datetime) -> dict[str, Any]:
    """Return everything the dashboard shows at an instant; `empty` if the tenant holds no number at all."""
    counts = overview.Part(overview.Wanted(), at=at).counts()
    cards = _cards(at)
    return {
        "empty": not counts.all,
        "counts": {name: _count(counts, name) for name in ("active", "scheduled", "inactive")},
        "in_service": bool(counts.active or counts.scheduled),
        "upcoming": cards["upcoming"],
        "without": cards["without"],
        **_letters(at),
        "ports": port_page.open_orders(at=at),
        "events": history.lines(history.of_numbers()[:EVENTS]),
        **_money(at),
    }


def _letters(at: datetime) -> dict[str, Any]:
    """Return the one letter to show whole, which is one whose PIN can be entered if there is any, and the others."""
    cards = sorted(address_page.cards(at=at, pending=True), key=lambda card: card.state != "letter_sent")
    return {"letter": cards[0] if cards else None, "other_letters": cards[1:]}


def without_destination(at: datetime) -> Any:
    """Return the numbers in service whose calls go nowhere: nothing is set up for "always"."""
    always = Forwarding.objects.leading(at).filter(number=OuterRef("pk"), when=Forwarding.When.ALWAYS)
    return PhoneNumber.objects.active(at).filter(~Exists(always))


def _cards(at: datetime) -> dict[str, Card]:
    """Return both cards in one statement."""
    upcoming = PhoneNumber.objects.scheduled(at).order_by("last_active_on", "e164")
    without = without_destination(at).order_by("e164")
    parts = [
        found.annotate(kind=Value(kind, CharField()), total=Window(Count("*"))).values(*_FIELDS, "kind", "total")[
            :SHOWN
        ]
        for kind, found in (("upcoming", upcoming), ("without", without))
    ]
    rows = list(parts[0].union(parts[1], all=True))
    return {kind: _card([row for row in rows if row["kind"] == kind]) for kind in ("upcoming", "without")}


def _card(rows: list[dict[str, Any]]) -> Card:
    return Card([_item(row) for row in rows], rows[0]["total"] if rows else 0)


def _item(row: dict[str, Any]) -> Item:
    base, extension = row["base_number"], row["extension_digits"]
    number = notation.national(row["e164"], row["area__area_code"], base_number=base, extension=extension)
    text = " · ".join(part for part in (row["area__name"], row["label"]) if part)
    return Item(row["pk"], number, text, row["last_active_on"])


def _count(counts: Counts, state: str) -> str:
    """Return a count as it is written; beyond COUNTED nobody counted."""
    count = min(counts.of(state), overview.COUNTED)
    text = f"{count:,}".replace(",", "\u202f")
    return f"> {text}" if counts.of(state) > overview.COUNTED else text


def _money(at: datetime) -> dict[str, Any]:
    now = berlin.month(berlin.day(at))
    first = berlin.next_month(now, -MONTHS_BACK)
    once = charges.within(first, months=MONTHS)
    bills = costs.bills(first, MONTHS, of=costs.places(), at=costs.versions(), once=once)
    present = bills[MONTHS_BACK]
    return {
        "net": written.euros(present.net),
        "gross": written.euros(present.gross),
        "month": written.month_name(now),
        "chart": costs_page.chart(bills, now=now),
    }
