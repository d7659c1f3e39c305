"""What the tests of the lifecycle dialogs share: sending a confirmation, reading the answer."""

import re
import uuid

from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import access, tenancy

LIST = "http://testserver/numbers/?state=&q=030"
DIALOG = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "http://testserver/numbers/"}


def send(client, url, tenant, *, headers=None, **fields):
    """Send a dialog's form as the page would."""
    guard = {"_tenant": access.tenant_token(tenant.pk), "operation_id": str(uuid.uuid4())}
    return client.post(url, guard | fields, headers=headers or {})


def within(tenant, user):
    return tenancy.tenant_transaction(tenant.pk, user_id=user.pk)


def text(response):
    """Return what a page says, without markup, in plain spaces."""
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(plain.replace("\u00a0", " ").replace("\u2011", "-").split())


def said(response):
    """Return the messages that the next page will show."""
    request = response.wsgi_request
    return [
        str(message).replace("\u00a0", " ").replace("\u2011", "-") for message in request._messages._queued_messages
    ]


def statements(client, *args, **kwargs):
    """Return how many statements a request needs, counting all but transactions and savepoints."""
    with CaptureQueriesContext(connection) as captured:
        client.get(*args, **kwargs)
    return sum(not re.match(r"SAVEPOINT|RELEASE|BEGIN|COMMIT", s["sql"]) for s in captured.captured_queries)
