"""What somebody typed before they had to confirm who they are: it waits in their session for its page to come back.

Only the address that the confirmation leads back to brings it back, once: what was given up shows nowhere again.
"""

import json
import secrets
import time
from collections.abc import Mapping, Sequence

from django.http import HttpRequest, QueryDict

from portal.access import Request

_KEY = _MARK = "typed"
_LONGEST = 900  # seconds; who comes back later begins anew
_MOST_BYTES = 50_000


def keep(request: Request, fields: Mapping[str, Sequence[str]]) -> str:
    """Keep what a form of this page says, and return the address that shows it again; nothing of it is done.

    What would take more than 50 kB is not kept: the address is the page's, empty.
    """
    forget(request)
    if len(json.dumps(fields)) > _MOST_BYTES:
        return request.path
    mark = secrets.token_urlsafe(8)
    kept = {"path": request.path, "mark": mark, "tenant": request.membership.tenant_id, "fields": fields}
    request.session[_KEY] = kept | {"at": int(time.time())}
    return f"{request.path}?{_MARK}={mark}"


def taken(request: Request) -> QueryDict | None:
    """Return what this address is to show again, once, or None if nothing was kept in this tenant within 15 minutes."""
    mark, kept = request.GET.get(_MARK), request.session.get(_KEY)
    if not mark or kept is None or (kept["path"], kept["mark"]) != (request.path, mark):
        return None
    forget(request)
    if kept["tenant"] != request.membership.tenant_id or _is_over(kept["at"]):
        return None
    data = QueryDict(mutable=True)
    for name, values in kept["fields"].items():
        data.setlist(name, values)
    return data


def forget(request: HttpRequest) -> None:
    """Forget what was kept, if anything: it was done, or is not wanted any more."""
    request.session.pop(_KEY, None)


def forget_expired(request: HttpRequest) -> None:
    """Forget what was kept more than 15 minutes ago."""
    kept = request.session.get(_KEY)
    if kept is not None and _is_over(kept["at"]):
        forget(request)


def _is_over(at: int) -> bool:
    return time.time() - at > _LONGEST
