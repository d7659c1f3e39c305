"""The worker's part of faxes: documents become pages, pages are given to the sending machine and followed to their end.

Each step is claimed first, so that nobody else does it; what takes long lies between transactions. A worker that dies
leaves nothing behind but its claim.
"""

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from fax import access, conversion, gateways, jobs
from fax.conversion import NotRendered
from fax.gateways import FaxGateway
from fax.machine import Fate, GatewayError, Letter, Report
from fax.models import FaxJob, FaxReason, FaxState, LockedFax
from portal import berlin, documents
from portal import jobs as runs
from portal.models import JobRun
from portal.tenancy import every_tenant

log = structlog.get_logger(__name__)

CLAIM = timedelta(minutes=5)  # longer than any step takes; after a crash it is done again then
ASK_AGAIN = timedelta(seconds=20)
LATER = timedelta(minutes=1)  # when the machine did not answer
GIVE_UP = timedelta(days=1)
TURN_SECONDS = 100.0  # of one run: a task ends after five minutes
WAITS, COMES = timedelta(days=14), timedelta(hours=1)  # for its number, and for its document
ROWS_DAYS = 180  # where a fax went is traffic data, which is kept for six months at most (rule T4)
JOB, CHUNK = "retire_faxes", 200


def work() -> int:
    """Do everything that is due with faxes of all tenants, for some time at most; return how many steps it was."""
    done, until = 0, time.monotonic() + TURN_SECONDS
    with every_tenant():
        while time.monotonic() < until and (job := _claimed(at=timezone.now())):
            try:
                _step(job)
            except Exception as error:  # noqa: BLE001 -- one fax does not hold the others up
                log.error("fax step failed", fax=job.pk, error=type(error).__name__)
                _give_up(job)
            done += 1
    return done


def retire(*, at: datetime) -> JobRun:
    """Erase pages and titles of faxes that ended some days ago; end those that nobody goes on with; forget old rows."""

    def batch(place: int) -> tuple[int, int | None]:
        erased = _locked(FaxJob.objects.to_erase(at))
        jobs.erase(erased)
        left = _left(at=at)
        old = _locked(FaxJob.objects.ended_before(at - timedelta(days=ROWS_DAYS)))
        jobs.remove(old)
        done = len(erased) + left + len(old)
        return done, place + 1 if done else None

    def due() -> int:
        found: int = FaxJob.objects.to_erase(at).count()
        return found

    return runs.sweep(JOB, as_of=berlin.day(at), count=due, batch=batch, begin=0)


def _left(*, at: datetime) -> int:
    """End what waits for a number in vain, and remove jobs whose document never came."""
    left = _locked(FaxJob.objects.forgotten(waiting_before=at - WAITS, incoming_before=at - COMES))
    for job in left:
        if job.state == FaxState.WAITING:
            jobs.fail(job, FaxReason.NO_NUMBER, at=at)
    jobs.remove([job for job in left if job.state == FaxState.INCOMING])
    return len(left)


def _locked(found: Any) -> list[LockedFax]:
    """Lock some of these; what has become of another kind until it was locked is left."""
    locked: list[LockedFax] = found.locked(_ids(found))
    return locked


def _ids(found: Any) -> list[int]:
    return list(found.order_by("pk").values_list("pk", flat=True)[:CHUNK])


def _claimed(*, at: datetime) -> LockedFax | None:
    """Take the fax that has waited longest for something to be done with it, for five minutes."""
    with transaction.atomic():
        due = FaxJob.objects.due(at).order_by("due_at", "pk").select_for_update(skip_locked=True, of=("self",)).first()
        if due is None:
            return None
        job: LockedFax = FaxJob.objects.locked([due.pk])[0]
        if job.state == FaxState.QUEUED and job.fax:
            jobs.begin(job, due_at=at + CLAIM, at=at)
        else:
            job.due_at = at + CLAIM
            job.save(update_fields=["due_at"])
        return job


def _step(job: LockedFax) -> None:
    if not job.fax:
        _render(job)
    elif not job.reference and not access.stands(job.number, job.staff_member, at=timezone.now()):
        gateways.withdraw(str(job.key))  # an answer may have been lost
        _fail(job, FaxReason.NO_ACCESS)
    else:
        _transmit(job, gateways.switched_on())


def _fail(job: LockedFax, reason: FaxReason) -> None:
    with transaction.atomic():
        for mine in _mine(job):
            jobs.fail(mine, reason, at=timezone.now())


def _give_up(job: LockedFax) -> None:
    """End a fax with which a step went wrong, if that has been so for a day; else it is done again later."""
    at = timezone.now()
    with transaction.atomic():
        for mine in _mine(job):
            if _is_late(mine, at=at) if mine.fax else mine.received_at < at - GIVE_UP:
                jobs.fail(mine, FaxReason.UNREACHABLE if mine.fax else FaxReason.BROKEN, at=at)
                transaction.on_commit(partial(gateways.withdraw, str(mine.key)))


def _is_late(job: LockedFax, *, at: datetime) -> bool:
    return bool(job.attempts.filter(ended_at=None, began_at__lt=at - GIVE_UP).exists())


def _mine(job: LockedFax) -> list[LockedFax]:
    """Lock the claimed fax again, if it is still ours: nobody else has claimed it, and nobody has ended it."""
    return [row for row in FaxJob.objects.locked([job.pk]) if row.due_at == job.due_at]


def _render(job: LockedFax) -> None:
    try:
        with conversion.rendered(documents.place(job.document), job.document.rpartition(".")[2]) as pages:
            with pages.fax.open("rb") as fax, pages.preview.open("rb") as preview:
                names = documents.put(fax, "tif"), documents.put(preview, "png")
            with transaction.atomic():
                mine = _mine(job)
                for row in mine:
                    jobs.rendered(row, fax=names[0], preview=names[1], pages=pages.count, at=timezone.now())
            if not mine:
                documents.discard(names[0])
                documents.discard(names[1])
    except NotRendered as error:
        log.info("fax not rendered", fax=job.pk, reason=error.reason)
        _fail(job, error.reason)


def _transmit(job: LockedFax, gateway: FaxGateway) -> None:
    """Give a fax to the machine, or ask how it stands, and note what the machine says."""
    reference = job.reference
    try:
        reference = reference or gateway.find(str(job.key)) or gateway.submit(_letter(job))
        report = gateway.poll(reference)
    except GatewayError as error:
        log.warning("fax machine did not answer", fax=job.pk, reason=str(error))
        report = Report(Fate.SENDING, detail=str(error))
    with transaction.atomic():
        for row in _mine(job):
            _note(row, reference, report, at=timezone.now())
            if row.state != FaxState.SENDING and report.fate != Fate.SENDING:
                transaction.on_commit(partial(gateway.forget, reference), robust=True)
        wanted = FaxJob.objects.filter(pk=job.pk, key=job.key).exclude(reason=FaxReason.UNREACHABLE)
        if not wanted.exists():  # it was given up, or deleted meanwhile
            transaction.on_commit(partial(gateways.withdraw, str(job.key)))


def _note(job: LockedFax, reference: str, report: Report, *, at: datetime) -> None:
    if report.fate == Fate.SENT:
        jobs.sent(job, detail=report.detail, at=at)
    elif report.fate == Fate.FAILED and report.reason:
        jobs.fail(job, report.reason, detail=report.detail, at=at)
    elif _is_late(job, at=at):
        jobs.fail(job, FaxReason.UNREACHABLE, detail=report.detail, at=at)
    else:
        job.reference, job.due_at = reference, at + (ASK_AGAIN if reference else LATER)
        job.save(update_fields=["reference", "due_at"])


def _letter(job: LockedFax) -> Letter:
    return Letter(str(job.key), documents.place(job.fax), job.pages or 0, job.number.e164, job.destination)
