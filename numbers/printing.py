"""The print queue: letters in batches of at most 50, each one PDF, printed and posted by people (rule V5).

| from    | verb     | to      |                                                                  |
|---------|----------|---------|------------------------------------------------------------------|
| –       | gather   | making  | the letters that waited have their places                        |
| making  | keep     | ready   | the PINs exist since a moment ago, in the sealed PDF alone       |
| ready   | printed  | printed | a person has counted the sheets                                  |
| printed | posted   | posted  | a person has counted the envelopes; the days for the PINs begin  |

All of it is the operator's and needs that role. PINs are made by `sheets`, in the worker that prints; what leaves it is
the sealed PDF and one hash per letter.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from numbers import letters, pins
from numbers.letter_pdf import Sheet
from numbers.models import Address, Delivery, LetterState, PinLetter, PrintBatch
from portal import audit, berlin, sealing, wake
from portal.models import User
from portal.refusals import Refused

MOST = 50  # letters of a batch
CLAIM = timedelta(minutes=5)  # longer than making one takes; after a crash another worker tries then
KEPT_DAYS = 7  # the PDF after posting, should one be lost at once
JOB = "make_letters"
State = PrintBatch.State


class PrintRefused(Refused):
    """It cannot be done with this batch; `reason` says why, for people."""


def gather(*, by: User, at: datetime) -> list[PrintBatch]:
    """Put every letter that waits into batches of at most 50, oldest first, and wake the worker; return the batches."""
    waiting = list(PinLetter.objects.queued().select_for_update(skip_locked=True, no_key=True))
    batches = _batches(waiting, most=MOST, delivery=Delivery.QUEUE, by=by, at=at)
    if batches:
        wake.later("numbers.tasks.make_letters")
    return batches


def gather_for_service(*, at: datetime) -> list[PrintBatch]:
    """Put every letter that waits, and was not called off there, into a batch of its own for the postal service."""
    waiting = PinLetter.objects.queued().filter(postal_order=None)
    rows = list(waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)))
    return _batches(rows, most=1, delivery=Delivery.LETTERXPRESS, by=JOB, at=at)


def _batches(
    waiting: list[PinLetter], *, most: int, delivery: Delivery, by: User | str, at: datetime
) -> list[PrintBatch]:
    chunks = list(batched(waiting, most))
    person = by if isinstance(by, User) else None
    batches = PrintBatch.objects.bulk_create(
        [PrintBatch(size=len(chunk), created_at=at, created_by=person, delivery=delivery) for chunk in chunks]
    )
    for batch, chunk in zip(batches, chunks, strict=True):
        for position, letter in enumerate(chunk, 1):
            letter.state, letter.batch, letter.position = LetterState.BATCHED, batch, position
    PinLetter.objects.bulk_update(waiting, ["state", "batch", "position"], batch_size=500)
    _note("batch.created", batches, {}, by=by, at=at)
    return batches


def claim(*, at: datetime, delivery: Delivery = Delivery.QUEUE) -> PrintBatch | None:
    """Take the oldest batch to be made for five minutes, so that no other worker makes it too."""
    free = (
        PrintBatch.objects.making().filter(delivery=delivery).filter(Q(claimed_until=None) | Q(claimed_until__lte=at))
    )
    batch = free.select_for_update(skip_locked=True).order_by("pk").first()
    if batch:
        batch.claimed_until = at + CLAIM
        batch.save(update_fields=["claimed_until"])
    return batch


def sheets(batch: PrintBatch) -> tuple[list[Sheet], dict[int, str]]:
    """Return the letters of a batch as they are printed, each with a PIN made just now, and the hashes by letter."""
    found = PinLetter.objects.filter(batch=batch).select_related("tenant", "address__area").order_by("position")
    made, hashes = [], {}
    for letter in found:
        pin = pins.new()
        hashes[letter.pk] = pins.hashed(pin, letter)
        made.append(
            Sheet(
                letter.position,
                letter.tenant.name,
                letter.tenant.customer_number,
                letter.lines,
                str(letter.address.area),
                letter.language,
                pin,
            )
        )
    return made, hashes


def keep(claimed: PrintBatch, pdf: bytes, hashes: dict[int, str], *, at: datetime) -> bool:
    """Keep the PDF, sealed, and the hashes of its PINs; return False if another worker has made the batch meanwhile."""
    batch = PrintBatch.objects.making().select_for_update().filter(claimed_until=claimed.claimed_until, pk=claimed.pk)
    mine = batch.first()
    if mine is None:
        return False
    rows = list(PinLetter.objects.filter(pk__in=hashes))
    for letter in rows:
        letter.pin_hash = hashes[letter.pk]
    PinLetter.objects.bulk_update(rows, ["pin_hash"])
    mine.sealed, mine.sha256 = sealing.seal(pdf, about=_about(mine)), hashlib.sha256(pdf).hexdigest()
    mine.state, mine.made_at, mine.error = State.READY, at, ""
    mine.save()
    _note("batch.made", [mine], {"state": mine.state}, by=JOB, at=at)
    return True


def content(batch: PrintBatch | None) -> bytes:
    """Return the PDF of a batch for the machine that posts it; empty once it was erased."""
    return sealing.unseal(bytes(batch.sealed), about=_about(batch)) if batch and batch.sealed else b""


def left(letter: PinLetter, *, by: str, at: datetime) -> None:
    """Note that a postal service posted this letter today: the days for its PIN begin."""
    Address.objects.locked([letter.address_id])
    letters.posted(PinLetter.objects.locked([letter.pk]), on=berlin.day(at), by=by, at=at)
    PrintBatch.objects.filter(pk__in=[letter.batch_id]).update(
        state=State.POSTED, posted_at=at, erase_on=berlin.day(at) + timedelta(days=KEPT_DAYS)
    )


def back_into_queue(letter: PinLetter) -> None:
    """Let a letter that a postal service will not post wait for printing again; its PIN is made anew then."""
    PrintBatch.objects.filter(pk__in=[letter.batch_id]).update(sealed=None)
    waiting = PinLetter.objects.unposted().filter(pk=letter.pk)
    waiting.update(state=LetterState.QUEUED, batch=None, position=None, pin_hash="")


def failed(batch: PrintBatch, reason: str) -> None:
    """Note why a batch could not be made; it is tried again once its claim has passed."""
    PrintBatch.objects.making().filter(pk=batch.pk).update(error=reason[:2000])


def pdf(batch_id: int, *, by: User, at: datetime) -> bytes:
    """Return the PDF of a batch to be printed; each time is a printing of its own in the trace (rule V5)."""
    batch = _locked(batch_id)
    if batch.sealed is None:
        raise PrintRefused(_("The PDF is not made yet.") if batch.made_at is None else _("The PDF was erased."))
    content = sealing.unseal(bytes(batch.sealed), about=_about(batch))
    batch.printings += 1
    batch.save(update_fields=["printings"])
    _note("batch.opened", [batch], {"printing": batch.printings}, by=by, at=at)
    return content


def printed(batch_id: int, *, counted: int, by: User, at: datetime) -> None:
    """Note that a batch was printed and its sheets were counted. Raises PrintRefused."""
    batch = _locked(batch_id)
    _expect(batch, State.READY, counted)
    if not batch.printings:
        raise PrintRefused(_("Nobody has opened the PDF yet, so it cannot be printed."))
    batch.state, batch.printed_at = State.PRINTED, at
    batch.save(update_fields=["state", "printed_at"])
    PinLetter.objects.filter(batch=batch).update(state=LetterState.PRINTED)
    _note("batch.printed", [batch], {"state": batch.state, "counted": counted}, by=by, at=at)


def posted(batch_id: int, *, counted: int, by: User, at: datetime) -> None:
    """Note that a batch was posted today and its envelopes were counted. Raises PrintRefused."""
    batch = _locked(batch_id)
    _expect(batch, State.PRINTED, counted)
    batch.state, batch.posted_at = State.POSTED, at
    batch.erase_on = berlin.day(at) + timedelta(days=KEPT_DAYS)
    batch.save(update_fields=["state", "posted_at", "erase_on"])
    inside = PinLetter.objects.filter(batch=batch)
    Address.objects.locked(inside.values_list("address", flat=True))
    letters.posted(PinLetter.objects.locked(inside.values_list("pk", flat=True)), on=berlin.day(at), by=by, at=at)
    _note("batch.posted", [batch], {"state": batch.state, "counted": counted}, by=by, at=at)


def listed(batch: PrintBatch) -> list[list[str]]:
    """Return the list of a batch, one letter per line: place, customer, window lines. No PIN."""
    found = PinLetter.objects.filter(batch=batch).select_related("tenant").order_by("position")
    return [[str(one.position), one.tenant.customer_number, one.tenant.name, *one.lines] for one in found]


def erase(*, at: datetime) -> int:
    """Erase the PDFs of batches posted more than a week ago; their digests stay. Return how many."""
    due = list(PrintBatch.objects.filter(erase_on__lt=berlin.day(at)).exclude(sealed=None).select_for_update())
    PrintBatch.objects.filter(pk__in=[batch.pk for batch in due]).update(sealed=None)
    _note("batch.erased", due, {"sealed": False}, by=letters.JOB, at=at)
    return len(due)


def _locked(batch_id: int) -> PrintBatch:
    return PrintBatch.objects.select_for_update().get(pk=batch_id)


def _expect(batch: PrintBatch, state: State, counted: int) -> None:
    if batch.state != state:
        raise PrintRefused(
            _("Batch %(batch)s is “%(state)s” already.") % {"batch": batch, "state": batch.get_state_display()}
        )
    if counted != batch.size:
        text = _("You counted %(counted)s, but the batch has %(size)s letters. Please count again; nothing was noted.")
        raise PrintRefused(text % {"counted": counted, "size": batch.size})


def _about(batch: PrintBatch) -> str:
    return f"print batch {batch.pk}"


def _note(verb: str, batches: Sequence[PrintBatch], after: dict[str, Any], *, by: User | str, at: datetime) -> None:
    audit.record(
        verb, [audit.Entry("batch", one.pk, f"{one.pk} ({one.size})", {}, after) for one in batches], by=by, at=at
    )
