"""Messages of a postal service about letters, signed with the secret that only it and we know."""

import hashlib
import hmac

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from numbers import outgoing
from numbers.forms.hooks import PostalMessage

MOST_BYTES = 10_000


@csrf_exempt
@require_POST
def postal(request: HttpRequest) -> HttpResponse:
    """Note what the service says of a letter. Whatever it is, the answer tells nothing: 204, or 400, or 403."""
    body = request.body if int(request.headers.get("Content-Length") or 0) <= MOST_BYTES else b""
    if not _is_signed(body, request.headers.get("X-Signature", "")):
        raise PermissionDenied
    form = PostalMessage.of(body)
    if not form.is_valid():
        return HttpResponse(status=400)
    outgoing.note(form.cleaned_data["key"], form.job(), at=timezone.now())
    return HttpResponse(status=204)


def _is_signed(body: bytes, signature: str) -> bool:
    """Return whether the signature (`sha256=` and the HMAC of the body in hexadecimal digits) is right."""
    secret = settings.POSTAL_SECRET.encode()
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return bool(secret and body) and hmac.compare_digest(expected.encode(), signature.encode())
