"""The worker's part of letters: batches are made one by one, by as many workers as there are; old ones are retired."""

import gc
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from numbers import letter_pdf, letters, outgoing, postal, printing
from numbers.letter_pdf import Sheet
from numbers.models import Address, Delivery, PrintBatch
from portal import berlin, jobs, wake
from portal.models import JobRun
from portal.tenancy import every_tenant

log = structlog.get_logger(__name__)

CHUNK = 200


def make_batches() -> int:
    """Make every batch that waits, one at a time; return how many. Two workers share them, batch by batch.

    PINs live in this process' memory while their PDF is made. A worker that dies leaves nothing behind but its claim;
    the batch is then made anew, with new PINs.
    """
    made = 0
    with every_tenant():
        while batch := _claimed():
            made += _make(batch)
            gc.collect()  # else the boxes of this PDF lie beside those of the next
    return made


def hand_over() -> int:
    """Give the letters that wait to the postal service, if one is switched on, and ask how the others stand.

    Returns how many answers the service gave. Each letter is typeset and sealed first; what the service is asked for
    lies between transactions.
    """
    service, answers = postal.switched_on(), 0
    if service is None:
        return 0
    with every_tenant():
        with transaction.atomic():
            printing.gather_for_service(at=timezone.now())
        while batch := _claimed(Delivery.LETTERXPRESS):
            _make(batch)
        while order := outgoing.claim(at=timezone.now()):
            content = b"" if order.reference else printing.content(order.letter.batch)
            answers += outgoing.deliver(order, content, service, at=timezone.now())
    return answers


def retire(*, at: datetime) -> JobRun:
    """Write down which PINs have expired, and erase PDFs a week after posting. Safe to repeat and to interrupt."""

    def batch(place: int) -> tuple[int, int | None]:
        due = list(Address.objects.due(at).filter(pk__gt=place).order_by("pk").values_list("pk", flat=True)[:CHUNK])
        done = letters.expire(Address.objects.locked(due), at=at) + printing.erase(at=at)
        return done, due[-1] if due else None

    return jobs.sweep(
        letters.JOB, as_of=berlin.day(at), count=lambda: Address.objects.due(at).count(), batch=batch, begin=0
    )


def _claimed(delivery: Delivery = Delivery.QUEUE) -> PrintBatch | None:
    with transaction.atomic():
        batch = printing.claim(at=timezone.now(), delivery=delivery)
        if batch and delivery == Delivery.QUEUE and PrintBatch.objects.to_print().filter(claimed_until=None).exists():
            wake.later("numbers.tasks.make_letters")  # another worker shares the rest
        return batch


def _make(batch: PrintBatch) -> bool:
    """Make one batch, without a transaction while it is typeset; return whether it was kept."""
    try:
        sheets, hashes = printing.sheets(batch)
        content = _typeset(batch, sheets)
    except Exception as error:  # noqa: BLE001 -- whatever typesetting does, the other batches are made
        log.warning("batch not made", batch=batch.pk, reason=type(error).__name__)
        printing.failed(batch, type(error).__name__)
        return False
    with transaction.atomic():
        kept = printing.keep(batch, content, hashes, at=timezone.now())
        if kept and batch.delivery != Delivery.QUEUE:
            outgoing.later(hashes, at=timezone.now())
        return kept


def _typeset(batch: PrintBatch, sheets: list[Sheet]) -> bytes:
    today = berlin.day(timezone.now())
    if batch.delivery == Delivery.QUEUE:
        return letter_pdf.batch(batch.pk, sheets, on=today)
    (sheet,) = sheets
    return letter_pdf.single(sheet, on=today)
