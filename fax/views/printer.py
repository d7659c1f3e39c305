"""The fax printer's address: bytes in, bytes out. Nobody is signed in here; the credentials say whose it is."""

import base64
from http import HTTPStatus
from typing import BinaryIO, cast

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from fax import access, body, ipp, receiving
from fax.ipp import Operation, Request, Status
from fax.receiving import Answer, IppRefused, Sheet
from portal.tenancy import tenant_transaction

KIND = "application/ipp"
MOST_DENIED, DENIED_SECONDS = (
    20,
    600,
)  # per user name; secrets are beyond guessing: this only slows down a printer set up wrongly


@csrf_exempt
@require_POST
def printer(request: HttpRequest, number: str) -> HttpResponse:
    """Answer one request of the Internet Printing Protocol; its whole body is read first, whatever becomes of it."""
    try:
        with body.received(_stream(request), _length(request)) as (document, is_complete):
            return _answered(request, ipp.read(document), Sheet(document, is_complete), number)
    except (body.BrokenOff, ipp.Unreadable):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)


def _answered(request: HttpRequest, asked: Request, sheet: Sheet, number: str) -> HttpResponse:
    try:
        receiving.check(asked)
        if asked.operation_id == Operation.GET_PRINTER_ATTRIBUTES:
            return _written(asked, receiving.describe(asked, number, at=timezone.now()))
        return _for_somebody(request, asked, sheet, number)
    except IppRefused as refused:
        return _written(asked, (refused.status, []), refused.sentence)


def _length(request: HttpRequest) -> int | None:
    """Return how many bytes the body is said to have."""
    said = request.META.get("CONTENT_LENGTH") or ""
    return int(said) if said.isascii() and said.isdecimal() else None


def _stream(request: HttpRequest) -> BinaryIO:
    """Return the body; one in chunks has no length, and Django would take it for empty."""
    if "CONTENT_LENGTH" in request.META or "HTTP_TRANSFER_ENCODING" not in request.META:
        return cast("BinaryIO", request)
    return cast("BinaryIO", request.META["wsgi.input"])


@sensitive_variables("secret")
def _for_somebody(request: HttpRequest, asked: Request, sheet: Sheet, number: str) -> HttpResponse:
    username, secret = _credentials(request)
    tenant_id = access.tenant_of(username)
    try:
        if tenant_id is None:
            raise access.Denied
        with tenant_transaction(tenant_id):
            at = timezone.now()
            credential = access.verify(username, secret, e164=f"+{number}", at=at)
            return _written(asked, receiving.serve(asked, sheet, credential, at=at))
    except access.Denied:
        return _denied(username if tenant_id else "")


def _denied(username: str) -> HttpResponse:
    """Ask for credentials; who shows wrong ones again and again is told to wait. The right ones open at any time."""
    counter = f"fax-denied:{username}"
    denied = cache.get(counter, 0) if username else 0
    if denied >= MOST_DENIED:
        return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(DENIED_SECONDS)})
    if username:
        cache.set(counter, denied + 1, DENIED_SECONDS)
    headers = {"WWW-Authenticate": 'Basic realm="Fax", charset="UTF-8"'}
    return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers=headers)


def _credentials(request: HttpRequest) -> tuple[str, str]:
    """Return user name and secret, empty if there are none."""
    scheme, _blank, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "replace")
    except ValueError:  # also where it is no ASCII
        return "", ""
    username, _colon, secret = decoded.replace("\0", "").partition(":")
    return username, secret


def _written(asked: Request, answer: Answer, sentence: str = "") -> HttpResponse:
    status, groups = answer
    said = [
        ipp.Attribute("attributes-charset", ipp.Tag.CHARSET, ["utf-8"]),
        ipp.Attribute("attributes-natural-language", ipp.Tag.LANGUAGE, ["de"]),
    ]
    if sentence:
        said.append(ipp.Attribute("status-message", ipp.Tag.TEXT, [sentence]))
    version = asked.version if status != Status.VERSION_NOT_SUPPORTED else (1, 1)
    content = ipp.write(version, status, asked.request_id, [(ipp.Group.OPERATION, said), *groups])
    return HttpResponse(content, content_type=KIND, headers={"Cache-Control": "no-store"})
