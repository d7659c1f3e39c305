"""What the pages of addresses show, shaped before the template: above all how far each one's proof has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers import addresses, letters, messages, overview
from numbers.models import Address, AddressState, LetterState, LocalArea, PhoneNumber, PinLetter
from portal import berlin

SHOWN = 20
ARRIVES = timedelta(days=4)
TONES = {
    AddressState.VERIFIED: ("ok", "circle-check"),
    AddressState.LETTER_REQUESTED: ("warn", "hourglass"),
    AddressState.LETTER_SENT: ("warn", "mail"),
    AddressState.LOCKED: ("danger", "lock"),
    AddressState.EXPIRED: ("danger", "circle-x"),
    AddressState.RETURNED_MAIL: ("danger", "undo-2"),
}
NEXT: dict[AddressState, Promise] = {
    AddressState.UNVERIFIED: gettext_lazy("Request a PIN letter to verify this address."),
    AddressState.LETTER_REQUESTED: gettext_lazy("We print and post the letter within the next working days."),
    AddressState.LETTER_SENT: gettext_lazy("Enter the PIN as soon as the letter is there."),
    AddressState.VERIFIED: gettext_lazy("You can order and port numbers in this local area."),
    AddressState.LOCKED: gettext_lazy("The PIN was entered wrongly five times. Please ask for a new letter."),
    AddressState.EXPIRED: gettext_lazy("The PIN was not entered within 30 days. Please ask for a new letter."),
    AddressState.RETURNED_MAIL: gettext_lazy("The letter came back. Please correct the address and ask for a new one."),
    AddressState.REVOKED: gettext_lazy("A newer address of the local area has taken its place."),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One of the four steps of a letter: `state` is done, now or empty."""

    title: str
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class Card:
    """An address with how far it has come; `steps` only while a letter is asked for or on its way."""

    address: Address
    state: AddressState
    tone: str
    icon: str
    next: str
    steps: list[Step]
    tries_left: int
    days_left: int | None


def cards(*, at: datetime, pending: bool = False) -> list[Card]:
    """Return the tenant's addresses that were not replaced, or only those with a letter that still counts."""
    found = Address.objects.pending(at) if pending else Address.objects.current()
    return _cards(found.select_related("area").order_by("area__sort_key", "pk"), at=at)


def replaced() -> list[Address]:
    """Return the addresses that a newer one took the place of, newest first."""
    found = Address.objects.filter(revoked_at__isnull=False).select_related("area").order_by("-revoked_at")
    return list(found[:SHOWN])


def page(address: Address, *, at: datetime) -> dict[str, Any]:
    """Return what the page of an address shows; its `area` must be loaded."""
    [card] = _cards([address], at=at)
    concerned = addresses.affected(address.area_id)
    return {
        "card": card,
        "address": address,
        "why_no_letter": letters.obstacle(address, at=at),
        "may_edit": card.state in addresses.EDITABLE,
        "may_withdraw": _may_withdraw(address),
        "numbers": numbers(concerned),
        "count": len(concerned),
        "more": max(0, len(concerned) - SHOWN),
    }


def own_areas() -> list[LocalArea]:
    """Return the local areas in which the tenant has numbers: what is offered while somebody types."""
    codes = [code for code, _name in overview.areas()]
    return list(LocalArea.objects.filter(area_code__in=codes).order_by("sort_key"))


def numbers(found: list[PhoneNumber]) -> list[dict[str, Any]]:
    """Return the first numbers as people write them."""
    return [{"pk": number.pk, "number": messages.display(number), "label": number.label} for number in found[:SHOWN]]


def _may_withdraw(address: Address) -> bool:
    letter = PinLetter.objects.open().filter(address=address.pk).first()
    return bool(letter and letter.state in (LetterState.REVIEW, LetterState.QUEUED))


def _cards(found: Iterable[Address], *, at: datetime) -> list[Card]:
    rows = list(found)
    opened = PinLetter.objects.open().filter(address__in=[row.pk for row in rows])
    by_address = {letter.address_id: letter for letter in opened}
    return [_card(row, by_address.get(row.pk), at=at) for row in rows]


def _card(address: Address, letter: PinLetter | None, *, at: datetime) -> Card:
    state = address.state_at(at)
    tone, icon = TONES.get(state, ("off", "circle-slash"))
    waiting = letter is not None and state in (AddressState.LETTER_REQUESTED, AddressState.LETTER_SENT)
    return Card(
        address=address,
        state=state,
        tone=tone,
        icon=icon,
        next=str(NEXT[state]),
        steps=_steps(address, letter, at=at) if waiting and letter else [],
        tries_left=letters.TRIES - letter.tries if letter else 0,
        days_left=address.entry_days_left(at),
    )


def _steps(address: Address, letter: PinLetter, *, at: datetime) -> list[Step]:
    on_paper = letter.state in (LetterState.PRINTED, LetterState.POSTED)
    posted = letter.posted_on
    printing = _("being checked by us") if letter.state == LetterState.REVIEW else _("within the next working days")
    return [
        Step(_("Requested"), _day(berlin.day(letter.requested_at)), "done"),
        Step(_("Printed"), "" if on_paper else printing, "done" if on_paper else "now"),
        Step(_("On its way"), _under_way(posted), "done" if _there(posted, at) else "now" if on_paper else ""),
        Step(_("Verified"), _("enter the PIN"), "now" if _there(posted, at) else ""),
    ]


def _there(posted: date | None, at: datetime) -> bool:
    return posted is not None and posted + ARRIVES <= berlin.day(at)


def _under_way(posted: date | None) -> str:
    if posted is None:
        return ""
    return _("posted on %(on)s, there by %(by)s") % {"on": _day(posted), "by": _day(posted + ARRIVES)}


def _day(on: date) -> str:
    return date_format(on, "SHORT_DATE_FORMAT")
