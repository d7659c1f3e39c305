"""PIN letters: asked for, answered, come back (rules V2, V3; the table of an address's moves is in `addresses`).

| letter          | verb            | to        |                                                        |
|-----------------|-----------------|-----------|--------------------------------------------------------|
| –               | ask             | queued    | or, if the address does not fit the window: review     |
| review          | word            | queued    | the operator's wording                                 |
| review          | decline         | cancelled | with a reason the tenant reads                         |
| review, queued  | withdraw        | cancelled |                                                        |
| in print, printed | posted        | posted    | the days for the PIN begin                             |
| posted          | enter           | posted    | closed when right; the fifth wrong PIN locks           |
| posted          | came_back       | returned  | closed                                                 |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numbers import inventory, letter_mails, pins, window
from numbers.models import Address, AddressState, LetterState, LockedAddress, LockedLetter, PinLetter
from portal import audit, berlin
from portal.models import User
from portal.refusals import Refused

TRIES = 5
DAYS_TO_ENTER = 30
DAYS_BETWEEN = 3
MOST, WITHIN = 3, timedelta(days=30)  # letters per address
JOB = "expire_letters"


class LetterRefused(Refused):
    """It cannot be done with this letter; `reason` says why, for people, `field` where."""


class Entry(StrEnum):
    """What became of a PIN that somebody entered."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"
    NO_LETTER = "no_letter"


@dataclass(frozen=True, slots=True)
class Entered:
    """The outcome, the tries left, and the id of the address that the new one replaced, if any."""

    result: Entry
    tries_left: int = 0
    replaced: int | None = None


def obstacle(address: Address, *, at: datetime) -> Promise | str | None:
    """Return why no letter can be asked for now, or None (rule V3)."""
    state = address.state_at(at)
    if state in (AddressState.VERIFIED, AddressState.REVOKED):
        return _("This address needs no letter.")
    if state == AddressState.LETTER_REQUESTED:
        return _("A letter is requested already; it will be printed and posted soon.")
    written = list(PinLetter.objects.written().filter(address=address.pk).order_by("-pk")[:MOST])
    recent = [letter for letter in written if letter.requested_at > at - WITHIN]
    earliest = [letter.posted_on + timedelta(days=DAYS_BETWEEN) for letter in written if letter.posted_on]
    if len(recent) == MOST:
        earliest.append(berlin.day(recent[-1].requested_at + WITHIN) + timedelta(days=1))
        text = _("Three letters within 30 days are the most. You can ask for the next one from %(on)s on.")
    else:
        text = _("The last letter may still be on its way. You can ask for a new one from %(on)s on.")
    if earliest and max(earliest) > berlin.day(at):
        return str(text) % {"on": date_format(max(earliest), "SHORT_DATE_FORMAT")}
    return None


def ask(address: LockedAddress, *, by: User, at: datetime) -> PinLetter:
    """Ask for a letter with a new PIN; the one before, if it still counted, is dead.

    Returns the letter: in the print queue, or for review if its address does not fit. Raises LetterRefused. Rule V3.
    """
    if reason := obstacle(address, at=at):
        raise LetterRefused(reason)
    before = address.state_at(at)
    _close(address, at=at)
    lines = window.lines(address)
    letter = PinLetter(
        tenant_id=address.tenant_id,
        address=address,
        state=LetterState.QUEUED if window.fits(lines) else LetterState.REVIEW,
        language=by.language,
        lines=lines,
        requested_by=by,
        requested_at=at,
    )
    letter.save()
    _move(address, AddressState.LETTER_REQUESTED)
    _note("letter.requested", [address], {"state": before}, {"state": address.state}, by=by, at=at)
    letter_mails.tell("numbers/letter_requested", address, [by], at=at)
    return letter


def withdraw(address: LockedAddress, *, by: User, at: datetime) -> None:
    """Call a requested letter off before it is printed. Raises LetterRefused when it is too late."""
    letter = _open(address)
    if letter is None or letter.state not in (LetterState.REVIEW, LetterState.QUEUED):
        raise LetterRefused(_("This letter cannot be called off any more: it is in print or on its way."))
    _call_off(letter, address, at=at)
    _note("letter.withdrawn", [address], {"state": "letter_requested"}, {"state": address.state}, by=by, at=at)


def enter(address: LockedAddress, pin: str, *, by: User, at: datetime) -> Entered:
    """Compare a PIN with that of the letter on its way; the right one verifies the address (rules V2, V3).

    `pin` is as `pins.normal` returns it. The try is counted under the rows' locks before the comparison, and the lock
    is held until the answer is committed: of any number of guesses at a time five are compared. An older verified
    address of the area is replaced.
    """
    letter = _open(address)
    state = address.state_at(at)
    if state == AddressState.LOCKED:
        return Entered(Entry.LOCKED)
    if state == AddressState.EXPIRED:
        return Entered(Entry.EXPIRED)
    if letter is None or state != AddressState.LETTER_SENT:
        return Entered(Entry.NO_LETTER)
    letter.tries += 1
    letter.save(update_fields=["tries"])
    if pins.matches(pin, letter):
        return Entered(Entry.RIGHT, replaced=_verify(address, letter, by=by, at=at))
    left = TRIES - letter.tries
    if left:
        _note("letter.pin_refused", [address], {}, {"tries_left": left}, by=by, at=at)
        return Entered(Entry.WRONG, left)
    _move(address, AddressState.LOCKED)
    _note("letter.locked", [address], {"state": "letter_sent"}, {"state": address.state}, by=by, at=at)
    letter_mails.tell_administrators("numbers/letter_locked", address, at=at)
    return Entered(Entry.LOCKED)


def tries_left(address: Address) -> int:
    """Return how often a PIN may still be entered for this address."""
    letter = PinLetter.objects.open().filter(address=address.pk).first()
    return TRIES - letter.tries if letter else 0


def posted(letters: Sequence[LockedLetter], *, on: date, by: User | str, at: datetime) -> int:
    """Note that letters were posted on a Berlin day: the days for their PINs begin; return how many.

    Their addresses must be locked, before them. Skipped is what was posted already or counts no more. Rule V3.
    """
    leaving = [letter for letter in letters if letter.closed_at is None and letter.state in LetterState.on_paper()]
    for letter in leaving:
        letter.state, letter.posted_on = LetterState.POSTED, on
        _move(letter.address, AddressState.LETTER_SENT, entry_until=on + timedelta(days=DAYS_TO_ENTER))
        letter_mails.tell("numbers/letter_posted", letter.address, [letter.requested_by], at=at)
    PinLetter.objects.bulk_update(leaving, ["state", "posted_on"])
    after = {"state": AddressState.LETTER_SENT, "posted_on": on.isoformat()}
    before = {"state": AddressState.LETTER_REQUESTED}
    _note("letter.posted", [letter.address for letter in leaving], before, after, by=by, at=at)
    return len(leaving)


def came_back(letter: LockedLetter, *, by: User | str, at: datetime) -> None:
    """Note that a posted letter came back undelivered: its PIN is dead and the address wants another look.

    Its address must be locked, before it. Raises LetterRefused when it was not on its way.
    """
    if letter.state != LetterState.POSTED or letter.closed_at is not None:
        raise LetterRefused(_("This letter is not on its way, so it cannot have come back."))
    letter.state, letter.closed_at = LetterState.RETURNED, at
    letter.save(update_fields=["state", "closed_at"])
    before = letter.address.state
    _move(letter.address, AddressState.RETURNED_MAIL)
    after = {"state": letter.address.state}
    _note("letter.returned", [letter.address], {"state": before}, after, by=by, at=at)
    letter_mails.tell_administrators("numbers/letter_returned", letter.address, at=at)


def word(letter: LockedLetter, lines: Sequence[str], *, by: User, at: datetime) -> None:
    """Word the address of a letter in review (the operator's act); then it waits for printing (rule V4)."""
    _expect_review(letter)
    if not window.fits(lines):
        raise LetterRefused(_("This does not fit into the window, or has signs that cannot be printed."), "lines")
    before = {"lines": letter.lines}
    letter.lines, letter.state = list(lines), LetterState.QUEUED
    letter.save(update_fields=["lines", "state"])
    _note("letter.worded", [letter.address], before, {"lines": letter.lines}, by=by, at=at)


def decline(letter: LockedLetter, *, reason: str, by: User, at: datetime) -> None:
    """Decline a letter in review with a reason the tenant reads (the operator's act). Its address must be locked."""
    _expect_review(letter)
    if not reason.strip():
        raise LetterRefused(_("Please say why, so that the customer knows what to do."), "reason")
    _call_off(letter, letter.address, at=at)
    after = {"state": letter.address.state, "reason": reason.strip()}
    _note("letter.declined", [letter.address], {"state": "letter_requested"}, after, by=by, at=at)
    letter_mails.tell_administrators("numbers/letter_declined", letter.address, at=at, reason=reason.strip())


def expire(addresses: Sequence[LockedAddress], *, at: datetime) -> int:
    """Write down that the days for these addresses' PINs are over (rule C3: they were, job or no job)."""
    due = [a for a in addresses if a.state == AddressState.LETTER_SENT and a.state_at(at) == AddressState.EXPIRED]
    for address in due:
        _close(address, at=at)
        _move(address, AddressState.EXPIRED)
        letter_mails.tell_administrators("numbers/letter_expired", address, at=at)
    _note("letter.expired", due, {"state": "letter_sent"}, {"state": AddressState.EXPIRED}, by=JOB, at=at)
    return len(due)


def _verify(address: LockedAddress, letter: LockedLetter, *, by: User, at: datetime) -> int | None:
    """Let the address be the verified one of its area; return the id of the one it replaces."""
    inventory.take_turns(address.tenant_id)  # or two addresses of one area would be verified at a time
    older = Address.objects.locked(
        Address.objects.verified(at).filter(area=address.area_id).values_list("pk", flat=True)
    )
    for old in older:
        old.revoked_at = at
        _move(old, AddressState.REVOKED)
        _note("address.replaced", [old], {"state": "verified"}, {"state": old.state, "by": str(address)}, by=by, at=at)
    letter.closed_at = at
    letter.save(update_fields=["closed_at"])
    address.verified_at = at
    _move(address, AddressState.VERIFIED)
    _note("address.verified", [address], {"state": "letter_sent"}, {"state": address.state}, by=by, at=at)
    letter_mails.tell_administrators("numbers/address_verified", address, at=at)
    return older[0].pk if older else None


def _open(address: Address) -> LockedLetter | None:
    found = PinLetter.objects.locked(PinLetter.objects.open().filter(address=address.pk).values_list("pk", flat=True))
    return found[0] if found else None


def _close(address: Address, *, at: datetime) -> None:
    PinLetter.objects.open().filter(address=address.pk).update(closed_at=at)


def _call_off(letter: LockedLetter, address: Address, *, at: datetime) -> None:
    letter.state, letter.closed_at = LetterState.CANCELLED, at
    letter.save(update_fields=["state", "closed_at"])
    _move(address, AddressState.UNVERIFIED)


def _move(address: Address, state: AddressState, *, entry_until: date | None = None) -> None:
    address.state, address.entry_until = state, entry_until
    address.save(update_fields=["state", "entry_until", "verified_at", "revoked_at"])


def _expect_review(letter: PinLetter) -> None:
    if letter.state != LetterState.REVIEW:
        raise LetterRefused(_("This letter waits no longer for review; somebody has decided on it already."))


def _note(
    verb: str,
    addresses: Sequence[Address],
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    by: User | str,
    at: datetime,
) -> None:
    entries = [audit.Entry("address", one.pk, str(one), before, after, one.tenant_id) for one in addresses]
    audit.record(verb, entries, by=by, at=at)
