"""What the fax printer does for whoever has shown valid credentials (IPP 1.1 and 2.0, RFC 8011).

A job is `completed` for the computer that sent it once its document is safely kept (`queued-in-device`): computers wait
for their printer, and hold back everything else meanwhile. How the fax fares is in the portal. A person sees the jobs
printed with the same credential and no others; names of documents and users are written to no log.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.utils import translation
from django.utils.translation import gettext as _

from fax import body, capabilities, jobs, setup
from fax.ipp import Attribute, AttributeGroup, Group, Operation, Request, Status, Tag
from fax.jobs import FaxRefused
from fax.models import FaxCredential, FaxJob, FaxState, LockedFax
from portal import documents

MOST_LISTED = 100
_BEGINNING = 1024  # where a PDF says that it is one
_LARGEST_ID = 2**31 - 1  # of a job, in the protocol
_STATES = {
    FaxState.INCOMING: (3, "job-incoming"),
    FaxState.SENT: (9, "job-completed-successfully"),
    FaxState.FAILED: (8, "aborted-by-system"),
    FaxState.CANCELLED: (7, "job-canceled-by-user"),
}
_DONE = (9, "queued-in-device")


class IppRefused(Exception):
    """It is answered with this status, and a sentence if there is something to say."""

    def __init__(self, status: Status, sentence: str = "") -> None:
        super().__init__(status)
        self.status, self.sentence = status, sentence


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document as it came: the file at its beginning, and whether all of it was taken."""

    file: BinaryIO
    is_complete: bool


type Answer = tuple[Status, Sequence[AttributeGroup]]


def check(asked: Request) -> None:
    """Raise IppRefused for a request that is none, whoever asks."""
    if asked.version[0] not in (1, 2):
        raise IppRefused(Status.VERSION_NOT_SUPPORTED)
    named = asked.first[:2] == ["attributes-charset", "attributes-natural-language"]
    if not asked.request_id or not named or not (asked.text("printer-uri") or asked.text("job-uri")):
        raise IppRefused(Status.BAD_REQUEST)
    if asked.text("attributes-charset").lower() not in ("utf-8", "us-ascii"):
        raise IppRefused(Status.CHARSET_NOT_SUPPORTED)
    if asked.operation_id not in list(Operation):
        raise IppRefused(Status.OPERATION_NOT_SUPPORTED)


def describe(asked: Request, number: str, *, at: datetime) -> Answer:
    """Return the attributes of the printer that were asked for. Raises IppRefused."""
    if asked.text("document-format", capabilities.ANY_FORMAT) not in (*capabilities.FORMATS, capabilities.ANY_FORMAT):
        raise IppRefused(Status.FORMAT_NOT_SUPPORTED)
    wanted = _names(asked, ["all"])
    every = capabilities.printer_attributes(number, at=at)
    if not wanted & {"all", "printer-description", "job-template", "printer-defaults", "media-col-database"}:
        every = [attribute for attribute in every if attribute.name in wanted]
    return Status.OK, [(Group.PRINTER, every)]


def serve(asked: Request, sheet: Sheet, credential: FaxCredential, *, at: datetime) -> Answer:
    """Do what was asked with these credentials, within the tenant's transaction. Raises IppRefused."""
    with translation.override(credential.staff_member.language):
        try:
            return _OPERATIONS[Operation(asked.operation_id)](asked, sheet, credential, at)
        except FaxRefused as refused:
            raise IppRefused(Status.VALUES_NOT_SUPPORTED, str(refused.reason)) from refused


def _validate(asked: Request, sheet: Sheet, credential: FaxCredential, at: datetime) -> Answer:
    _addressed(asked, credential)
    return Status.OK, []


def _create(asked: Request, sheet: Sheet, credential: FaxCredential, at: datetime) -> Answer:
    destination, status = _addressed(asked, credential)
    return status, [(Group.JOB, _of_job(_opened(asked, destination, credential, at)))]


def _print(asked: Request, sheet: Sheet, credential: FaxCredential, at: datetime) -> Answer:
    destination, status = _addressed(asked, credential)
    with _kept(asked, sheet) as document:
        job = FaxJob.objects.locked([_opened(asked, destination, credential, at).pk])[0]
        jobs.arrived(job, document, at=at)
    return status, [(Group.JOB, _of_job(job))]


def _send(asked: Request, sheet: Sheet, credential: FaxCredential, at: datetime) -> Answer:
    if not asked.operation.get("last-document"):
        raise IppRefused(Status.BAD_REQUEST)
    _ticket(asked)
    job = _own(asked, credential)
    if job.state != FaxState.INCOMING:
        raise IppRefused(Status.NOT_POSSIBLE)
    with _kept(asked, sheet) as document:
        jobs.arrived(job, document, at=at)
    return Status.OK, [(Group.JOB, _of_job(job))]


def _cancel(asked: Request, sheet: Sheet, credential: FaxCredential, at: datetime) -> Answer:
    """Only what is still coming in: everything else is completed, as far as the computer knows."""
    job = _own(asked, credential)
    if job.state != FaxState.INCOMING:
        raise IppRefused(Status.NOT_POSSIBLE)
    jobs.cancel(job, by=credential.staff_member.name, at=at)
    return Status.OK, []


def _attributes(asked: Request, sheet: Sheet, credential: FaxCredential, at: datetime) -> Answer:
    return Status.OK, [(Group.JOB, _wanted(asked, _own(asked, credential), ["all"]))]


def _list(asked: Request, sheet: Sheet, credential: FaxCredential, at: datetime) -> Answer:
    which, limit = asked.text("which-jobs", "not-completed"), asked.operation.get("limit", [MOST_LISTED])[0]
    if which not in ("completed", "not-completed"):
        raise IppRefused(Status.VALUES_NOT_SUPPORTED)
    own = FaxJob.objects.printed(credential.number_id, credential.staff_member_id).filter(pk__lte=_LARGEST_ID)
    found = own.visible() if which == "completed" else own.incoming()
    rows = found.order_by("-pk")[: min(limit, MOST_LISTED) if isinstance(limit, int) and limit > 0 else MOST_LISTED]
    rows = rows.select_related("number")
    return Status.OK, [(Group.JOB, _wanted(asked, job, ["job-id", "job-uri"])) for job in rows]


_OPERATIONS: dict[Operation, Callable[[Request, Sheet, FaxCredential, datetime], Answer]] = {
    Operation.PRINT_JOB: _print,
    Operation.VALIDATE_JOB: _validate,
    Operation.CREATE_JOB: _create,
    Operation.SEND_DOCUMENT: _send,
    Operation.CANCEL_JOB: _cancel,
    Operation.GET_JOB_ATTRIBUTES: _attributes,
    Operation.GET_JOBS: _list,
}


def _ticket(asked: Request) -> tuple[str, Status]:
    """Return the destination (empty: none was named), and whether something of the ticket was left out of account.

    Raises IppRefused for a format or packing that is not supported, FaxRefused for a number nobody may dial.
    """
    if asked.text("document-format", capabilities.ANY_FORMAT) not in (*capabilities.FORMATS, capabilities.ANY_FORMAT):
        raise IppRefused(Status.FORMAT_NOT_SUPPORTED)
    if asked.text("compression", "none") not in ("none", "gzip"):
        raise IppRefused(Status.COMPRESSION_NOT_SUPPORTED)
    named = [*asked.operation.get("destination-uris", []), *asked.job.get("destination-uris", [])]
    uris = [uri for one in named if isinstance(one, dict) for uri in one.get("destination-uri", [])]
    numbers = [uri[4:] for uri in uris if isinstance(uri, str) and uri.lower().startswith("tel:")]
    destination = jobs.printed_destination(numbers[0]) if numbers else ""
    is_whole = len(uris) <= 1 and bool(destination) == bool(uris)
    return destination, Status.OK if is_whole else Status.OK_IGNORED


def _addressed(asked: Request, credential: FaxCredential) -> tuple[str, Status]:
    """Return the same for a new fax, which can only be given its number later by somebody who can sign in."""
    destination, status = _ticket(asked)
    if not destination and credential.staff_member.user_id is None:
        raise FaxRefused(
            _("Please name the fax number when you print: without an account for the portal it cannot be added later.")
        )
    return destination, status


def _opened(asked: Request, destination: str, credential: FaxCredential, at: datetime) -> FaxJob:
    if not jobs.has_room(credential.number_id, credential.staff_member_id, at=at):
        raise IppRefused(Status.BUSY)
    title = asked.text("job-name") or asked.text("document-name")
    return jobs.open_job(credential.number, credential.staff_member, title=title, destination=destination, at=at)


@contextmanager
def _kept(asked: Request, sheet: Sheet) -> Iterator[str]:
    """Keep the document that follows a request for what happens in the block; if that fails it goes again."""
    try:
        content = body.Unpacked(sheet.file) if asked.text("compression") == "gzip" else sheet.file
        beginning = content.read(_BEGINNING)
        kind = _kind(beginning)
        if not sheet.is_complete:
            raise body.TooLarge
        name = documents.put(body.Again(beginning, content), kind)
    except body.TooLarge as error:
        raise IppRefused(Status.TOO_LARGE) from error
    except body.Damaged as error:
        raise IppRefused(Status.COMPRESSION_ERROR) from error
    try:
        yield name
    except BaseException:
        documents.discard(name)
        raise


def _kind(beginning: bytes) -> str:
    """Return what a document is, whatever it is said to be."""
    if b"%PDF-" in beginning:
        return "pdf"
    if beginning.startswith(b"\xff\xd8\xff"):
        return "jpg"
    raise IppRefused(Status.FORMAT_NOT_SUPPORTED if beginning else Status.BAD_REQUEST)


def _own(asked: Request, credential: FaxCredential) -> LockedFax:
    """Lock the job that is named, by its id or by its address, if it was printed with these credentials."""
    given = asked.operation.get("job-id", [asked.text("job-uri").rpartition("/")[2]])[0]
    key = int(given) if str(given).isdecimal() and len(str(given)) < 19 else 0
    own = FaxJob.objects.printed(credential.number_id, credential.staff_member_id)
    found: list[LockedFax] = FaxJob.objects.locked(own.filter(pk=key).values_list("pk", flat=True))
    if not found:
        raise IppRefused(Status.NOT_FOUND)
    return found[0]


def _of_job(job: FaxJob) -> list[Attribute]:
    """Return what is said of a job that was just taken."""
    return [attribute for attribute in _every(job) if attribute.name in _AT_ONCE]


_AT_ONCE = ("job-id", "job-uri", "job-state", "job-state-reasons")


def _wanted(asked: Request, job: FaxJob, default: list[str]) -> list[Attribute]:
    wanted = _names(asked, default)
    every = _every(job)
    if wanted & {"all", "job-description"}:
        return every
    return [attribute for attribute in every if attribute.name in wanted]


def _names(asked: Request, default: list[str]) -> set[str]:
    """Return the names of the attributes that are asked for; what is no name is passed over."""
    return {name for name in asked.operation.get("requested-attributes", default) if isinstance(name, str)}


def _every(job: FaxJob) -> list[Attribute]:
    uri = setup.uri(job.number)
    state, reason = _STATES.get(FaxState(job.state), _DONE)
    printed, ended = int(job.received_at.timestamp()), job.ended_at or job.received_at
    said: list[tuple[str, Tag, object]] = [
        ("job-id", Tag.INTEGER, job.pk),
        ("job-uri", Tag.URI, f"{uri}/{job.pk}"),
        ("job-printer-uri", Tag.URI, uri),
        ("job-name", Tag.NAME, job.title),
        ("job-originating-user-name", Tag.NAME, job.staff_member.name),
        ("job-state", Tag.ENUM, state),
        ("job-state-reasons", Tag.KEYWORD, reason),
        ("job-printer-up-time", Tag.INTEGER, printed - capabilities.STARTED),
        ("time-at-creation", Tag.INTEGER, printed - capabilities.STARTED),
        ("time-at-processing", Tag.INTEGER, printed - capabilities.STARTED),
        ("time-at-completed", Tag.INTEGER, int(ended.timestamp()) - capabilities.STARTED),
        ("job-impressions-completed", Tag.INTEGER, job.pages or 0),
    ]
    return [Attribute(name, tag, [value]) for name, tag, value in said]
