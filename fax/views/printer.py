"""The fax printer's address: bytes in, bytes out. Nobody is signed in here; the credentials say whose it is."""

import base64
import binascii
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
MOST_DENIED, DENIED_SECONDS = 20, 600  # per user name; secrets are beyond guessing, this only spares the database


@csrf_exempt
@require_POST
def printer(request: HttpRequest, number: str) -> HttpResponse:
    """Answer one request of the Internet Printing Protocol; its whole body is read first, whatever becomes of it."""
    with body.received(_stream(request)) as (document, is_complete):
        try:
            asked = ipp.read(document)
        except ipp.Unreadable:
            return HttpResponse(status=HTTPStatus.BAD_REQUEST)
        try:
            receiving.check(asked)
            if asked.operation_id == Operation.GET_PRINTER_ATTRIBUTES:
                return _written(asked, receiving.describe(asked, number, at=timezone.now()))
            return _for_somebody(request, asked, Sheet(document, is_complete), number)
        except IppRefused as refused:
            return _written(asked, (refused.status, []), refused.sentence)


def _stream(request: HttpRequest) -> BinaryIO:
    """Return the body; one in chunks has no length, and Django would take it for empty."""
    if "CONTENT_LENGTH" in request.META or "HTTP_TRANSFER_ENCODING" not in request.META:
        return cast("BinaryIO", request)
    return cast("BinaryIO", request.META["wsgi.input"])


@sensitive_variables("secret")
def _for_somebody(request: HttpRequest, asked: Request, sheet: Sheet, number: str) -> HttpResponse:
    username, secret = _credentials(request)
    tenant_id = access.tenant_of(username)
    denied = cache.get(_counter(username), 0) if tenant_id else 0
    if denied >= MOST_DENIED:
        return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(DENIED_SECONDS)})
    try:
        if tenant_id is None:
            raise access.Denied
        with tenant_transaction(tenant_id):
            at = timezone.now()
            credential = access.verify(username, secret, e164=f"+{number}", at=at)
            return _written(asked, receiving.serve(asked, sheet, credential, at=at))
    except access.Denied:
        if tenant_id:
            cache.set(_counter(username), denied + 1, DENIED_SECONDS)
        headers = {"WWW-Authenticate": 'Basic realm="Fax", charset="UTF-8"'}
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers=headers)


def _counter(username: str) -> str:
    return f"fax-denied:{username}"


def _credentials(request: HttpRequest) -> tuple[str, str]:
    """Return user name and secret, empty if there are none."""
    scheme, _blank, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "replace")
    except binascii.Error:
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
