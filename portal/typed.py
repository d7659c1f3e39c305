"""What somebody typed before they had to confirm who they are: it waits in their session for its page to come back."""

import time
from typing import Any

from django.http import QueryDict

from portal.access import Request

_KEY = "typed"
_LONGEST = 900  # seconds; who comes back later begins anew
_OF_THE_PAGE = ("csrfmiddlewaretoken", "_tenant", "operation_id")


def keep(request: Request) -> None:
    """Keep what this form says until its page is shown again in this session; nothing of it is done."""
    fields = {name: values for name, values in request.POST.lists() if name not in _OF_THE_PAGE}
    kept: dict[str, Any] = {"path": request.path, "tenant": request.membership.tenant_id, "fields": fields}
    request.session[_KEY] = kept | {"at": int(time.time())}


def taken(request: Request) -> QueryDict | None:
    """Return what was kept of this page's form, once, or None if nothing was in this tenant within 15 minutes."""
    kept = request.session.get(_KEY)
    if kept is None or kept["path"] != request.path:
        return None
    del request.session[_KEY]
    if kept["tenant"] != request.membership.tenant_id or time.time() - kept["at"] > _LONGEST:
        return None
    data = QueryDict(mutable=True)
    for name, values in kept["fields"].items():
        data.setlist(name, values)
    return data
