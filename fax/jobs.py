"""Faxes from printing to their end (rule F5).

| from               | verb    | to                |                                                              |
|--------------------|---------|-------------------|--------------------------------------------------------------|
| –                  | open    | incoming          | a job without its document yet                               |
| incoming           | arrived | waiting or queued | the document is kept; without a number it waits for one      |
| waiting            | address | queued            |                                                              |
| waiting, queued    | cancel  | cancelled         |                                                              |
| queued             | begin   | sending           | the worker gives it to the sending machine                   |
| queued, sending    | fail    | failed            | with a reason; also a waiting one that cannot be read        |
| sending            | sent    | sent              |                                                              |
| failed             | retry   | queued            | as long as its pages are kept                                |
| ended              | discard | –                 | and by itself some days later: title and pages, not the row  |
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from fax import access, gateways
from fax.models import FaxAttempt, FaxCredential, FaxJob, FaxReason, FaxState, LockedFax
from fax.models.job import ENDED
from numbers import history, notation
from numbers.models import PhoneNumber
from portal import audit, documents, outbox, wake
from portal.models import User
from portal.refusals import Refused
from staff.models import StaffMember

MOST_AN_HOUR = 120  # faxes with one credential
WORKER = "fax.tasks.send_faxes"


class FaxRefused(Refused):
    """It cannot be done with this fax; `reason` says why, for people."""


def read_destination(text: str) -> str:
    """Return a number as it is dialled (E.164); raise FaxRefused with the reason. Rule F6."""
    try:
        return notation.parse_destination(text)
    except notation.Unreadable as error:
        raise FaxRefused(error.reason, "destination") from error


def printed_destination(text: str) -> str:
    """Return a number that somebody gave while printing, as it is dialled; empty if it cannot be, as it stands.

    Then the fax waits in the portal for a better one. Raises FaxRefused for numbers that nobody may dial.
    """
    try:
        return notation.parse_destination(text)
    except notation.Forbidden as error:
        raise FaxRefused(error.reason, "destination") from error
    except notation.Unreadable:
        return ""


def has_room(number_id: int, staff_member_id: int, *, at: datetime) -> bool:
    """Return whether one more fax may be printed with this credential within the hour."""
    recent = FaxJob.objects.printed(number_id, staff_member_id).filter(received_at__gt=at - timedelta(hours=1))
    return bool(recent.count() < MOST_AN_HOUR)


def open_job(number: PhoneNumber, member: StaffMember, *, title: str, destination: str, at: datetime) -> FaxJob:
    """Note that somebody began to print; the document may come later. `destination` is E.164 or empty."""
    job = FaxJob(tenant_id=number.tenant_id, number=number, staff_member=member, title=title[:255])
    job.destination, job.received_at = destination, at
    job.save()
    return job


def arrived(job: LockedFax, document: str, *, at: datetime) -> None:
    """Take the (kept) document of an incoming job; it waits for a number, which the person is told, or is queued."""
    job.document, job.due_at = document, at
    job.state = FaxState.QUEUED if job.destination else FaxState.WAITING
    job.save(update_fields=["document", "due_at", "state"])
    _note("fax.received", [job], by=_person(job), at=at)
    if job.state == FaxState.WAITING:
        _tell("fax/needs_number", job, at=at)
    wake.later(WORKER)


def address(job: LockedFax, destination: str, *, by: User, at: datetime) -> None:
    """Give a waiting fax its number (E.164, as `read_destination` returned it). Raises FaxRefused."""
    _expect(job, FaxState.WAITING)
    _expect_access(job, at=at)
    job.destination, job.state, job.due_at = destination, FaxState.QUEUED, at
    job.save(update_fields=["destination", "state", "due_at"])
    _note("fax.addressed", [job], {"state": FaxState.WAITING}, by=by, at=at)
    wake.later(WORKER)


def cancel(job: LockedFax, *, by: User | str, at: datetime) -> None:
    """Call a fax off that is not being sent yet. Raises FaxRefused."""
    if job.state == FaxState.SENDING:
        raise FaxRefused(_("This fax is being sent already and can no longer be cancelled."))
    _expect(job, FaxState.INCOMING, FaxState.WAITING, FaxState.QUEUED)
    _end(job, FaxState.CANCELLED, "", at=at)
    _note("fax.cancelled", [job], by=by, at=at)


def retry(job: LockedFax, *, by: User, at: datetime) -> None:
    """Send a fax again that was not sent; its pages have to be there still. Raises FaxRefused."""
    _expect(job, FaxState.FAILED)
    if not job.fax:
        raise FaxRefused(_("Its pages are no longer here. Please print it again."))
    if not job.destination:
        raise FaxRefused(_("It has no number to go to. Please print it again."))
    _expect_access(job, at=at)
    job.state, job.reason, job.ended_at, job.erase_at, job.due_at = FaxState.QUEUED, "", None, None, at
    job.save()
    _note("fax.retried", [job], {"state": FaxState.FAILED}, by=by, at=at)
    wake.later(WORKER)


def can_retry(job: FaxJob, *, at: datetime) -> bool:
    """Return whether a fax that was not sent can be sent again."""
    return bool(job.fax and job.destination) and access.stands(job.number, job.staff_member, at=at)


def discard(job: LockedFax, *, by: User, at: datetime) -> None:
    """Delete a fax that has ended, its pages and its attempts. Raises FaxRefused."""
    if job.state not in ENDED:
        raise FaxRefused(_("This fax is still under way. Cancel it first, or wait for its end."))
    _note("fax.deleted", [job], {"state": job.state}, by=by, at=at)
    remove([job])


def remove(jobs: Sequence[FaxJob]) -> None:
    """Delete these rows; once that is committed, their documents go, and what is being sent is taken back."""
    _discard(jobs)
    for job in jobs:
        if job.state == FaxState.SENDING:
            transaction.on_commit(partial(gateways.withdraw, str(job.key)))
    FaxJob.objects.filter(pk__in=[job.pk for job in jobs]).delete()


def begin(job: LockedFax, *, due_at: datetime, at: datetime) -> None:
    """Note that a queued fax is given to the sending machine, under a new key; it is looked at again `due_at`."""
    job.state, job.key, job.reference, job.due_at = FaxState.SENDING, uuid.uuid4(), "", due_at
    job.save(update_fields=["state", "key", "reference", "due_at"])
    FaxAttempt.objects.create(tenant_id=job.tenant_id, job=job, began_at=at)


def sent(job: LockedFax, *, detail: str, at: datetime) -> None:
    """Note that a fax was sent, and tell whoever printed it."""
    _close(job, "", detail, at=at)
    _end(job, FaxState.SENT, "", at=at)
    _note("fax.sent", [job], {"state": FaxState.SENDING}, by=history.FAX_JOB, at=at)
    _tell("fax/sent", job, at=at)


def fail(job: LockedFax, reason: FaxReason, *, detail: str = "", at: datetime) -> None:
    """Note that a fax will not be sent, and tell whoever printed it why."""
    before = job.state
    _close(job, reason, detail, at=at)
    _end(job, FaxState.FAILED, reason, at=at)
    _note("fax.failed", [job], {"state": before}, by=history.FAX_JOB, at=at)
    _tell("fax/failed", job, at=at)


def stop(credentials: Sequence[FaxCredential], *, at: datetime) -> None:
    """Let what was printed with these credentials, and is not being sent yet, not be sent: they were revoked."""
    pairs = {(credential.number_id, credential.staff_member_id) for credential in credentials}
    unsent = FaxJob.objects.in_states((FaxState.INCOMING, FaxState.WAITING, FaxState.QUEUED))
    found = unsent.filter(number__in={number for number, _person in pairs})
    theirs = [pk for pk, *pair in found.values_list("pk", "number", "staff_member") if tuple(pair) in pairs]
    for job in FaxJob.objects.locked(theirs):
        fail(job, FaxReason.NO_ACCESS, at=at)


def rendered(job: LockedFax, *, fax: str, preview: str, pages: int, at: datetime) -> None:
    """Note what a document became; from here on it can be sent."""
    job.fax, job.preview, job.pages = fax, preview, pages
    job.due_at = at if job.state == FaxState.QUEUED else None
    job.save(update_fields=["fax", "preview", "pages", "due_at"])


def erase(jobs: Sequence[LockedFax]) -> None:
    """Erase titles and documents of faxes that ended some days ago; that there was a fax stays."""
    _discard(jobs)
    FaxJob.objects.filter(pk__in=[job.pk for job in jobs]).update(
        title="", document="", fax="", preview="", erase_at=None
    )


def _end(job: LockedFax, state: FaxState, reason: str, *, at: datetime) -> None:
    job.state, job.reason, job.ended_at, job.due_at = state, reason, at, None
    job.erase_at = at + timedelta(days=settings.FAX_KEEP_DAYS)
    job.save(update_fields=["state", "reason", "ended_at", "due_at", "erase_at"])


def _close(job: LockedFax, reason: str, detail: str, *, at: datetime) -> None:
    ended = {"ended_at": at, "reason": reason, "detail": detail[:200]}
    FaxAttempt.objects.filter(job=job, ended_at=None).update(**ended)


def _discard(jobs: Iterable[FaxJob]) -> None:
    names = [name for job in jobs for name in (job.document, job.fax, job.preview) if name]
    for name in names:
        transaction.on_commit(partial(documents.discard, name))


def _expect(job: FaxJob, *states: FaxState) -> None:
    if job.state not in states:
        state = FaxState(job.state).label
        raise FaxRefused(_("This fax is “%(state)s” already; nothing was changed.") % {"state": state})


def _expect_access(job: FaxJob, *, at: datetime) -> None:
    if not access.stands(job.number, job.staff_member, at=at):
        raise FaxRefused(FaxReason.NO_ACCESS.label)


def _person(job: FaxJob) -> User | str:
    member = job.staff_member
    return member.user or member.name


def _note(
    verb: str, jobs: Sequence[FaxJob], before: dict[str, Any] | None = None, *, by: User | str, at: datetime
) -> None:
    """One event each: no title, and where a fax went is traffic data that the trace does not keep."""
    entries = [audit.Entry("fax", job.pk, job.number.e164, before or {}, _after(job), job.tenant_id) for job in jobs]
    audit.record(verb, entries, by=by, at=at)


def _after(job: FaxJob) -> dict[str, Any]:
    after: dict[str, Any] = {"state": job.state}
    after |= {"reason": job.reason} if job.reason else {}
    return after | ({"pages": job.pages} if job.pages else {})


def _tell(template: str, job: FaxJob, *, at: datetime) -> None:
    """Mail whoever printed it: neither title nor destination, for mails are kept."""
    member = job.staff_member
    if member.address:
        with translation.override(member.mail_language):
            reason = str(FaxReason(job.reason).label) if job.reason else ""
        context = {"name": member.name, "fax": job.pk, "reason": reason, "pages": job.pages}
        outbox.later([outbox.Mail(member.address, member.mail_language, template, context, job.tenant_id)], at=at)
