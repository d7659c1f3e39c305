"""The outbox: `outbox.later(...)` writes mails into the business transaction; `deliver` sends what is due.

States: pending → sent → forgotten after 90 days; pending → dead (24 hours of failures). At least once: a duplicate
needs a crash between the mail server's yes and our commit, and carries the same Message-ID.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils import translation

from portal import audit, submissions, wake
from portal.hotline import hotline
from portal.models import OutboxMessage, User

log = structlog.get_logger(__name__)

CLAIM = timedelta(minutes=5)  # longer than any mail server may take; after a crash the row is tried again then
# Templates of mails with links that open an account: forgotten once sent, expired once dead.
CONFIDENTIAL = ("account/", "staff/invitation", "fax/access")
WAIT_MINUTES = (1, 2, 4, 8, 16, 32, 60)  # after the first, second … attempt; the last for all that follow
LAST_ATTEMPT = 30  # 24 hours of failures

# One statement for any number of messages, none of them read back: they may belong to no tenant, and customers'
# processes may write such rows and not read them.
_APPEND = """
INSERT INTO portal_outboxmessage (tenant_id, key, recipient, language, template, context, state, attempts,
                                  created_at, due_at, error)
SELECT tenant, coalesce(key, gen_random_uuid()), recipient, language, template, context::jsonb, 'pending', 0, %(at)s,
       %(at)s, ''
FROM unnest(%(tenants)s::bigint[], %(keys)s::uuid[], %(recipients)s::text[], %(languages)s::text[],
            %(templates)s::text[], %(contexts)s::text[]) AS mail (tenant, key, recipient, language, template, context)
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one person: `templates/mail/<template>.txt|.html`; the first line of the text is the subject.

    What extends `mail/base.txt` and `mail/base.html` fills `subject` and `body` there, and only `body` here.
    """

    recipient: str
    language: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    tenant_id: int | None = None
    key: UUID | None = None  # of whoever wants to know later what became of it


def later(mails: Iterable[Mail], *, at: datetime, with_click: bool = False) -> int:
    """Put mails into the outbox of this transaction, wake the worker once it has committed; return how many.

    `with_click`: nobody asks for them before the click ends, so they may wait for its last statement.
    """
    rows = list(mails)
    given: dict[str, Any] = {
        "tenants": [mail.tenant_id for mail in rows],
        "keys": [mail.key for mail in rows],
        "recipients": [mail.recipient for mail in rows],
        "languages": [mail.language for mail in rows],
        "templates": [mail.template for mail in rows],
        "contexts": [json.dumps(mail.context) for mail in rows],
    }
    if rows:
        if with_click:
            submissions.at_last(submissions.Along(_APPEND, given | {"at": at}))
        else:
            with connection.cursor() as cursor:
                cursor.execute(_APPEND, given | {"at": at})
        wake.later("portal.tasks.send_messages")
    return len(rows)


def claim(*, at: datetime) -> OutboxMessage | None:
    """Take the message that has waited longest, moving its next attempt ahead so that nobody else takes it."""
    with transaction.atomic():
        message = (
            OutboxMessage.objects.select_for_update(skip_locked=True)
            .filter(state=OutboxMessage.State.PENDING, due_at__lte=at)
            .order_by("due_at", "id")
            .first()
        )
        if message:
            message.attempts += 1
            message.due_at = at + CLAIM
            message.save(update_fields=["attempts", "due_at"])
    return message


def deliver(message: OutboxMessage, *, at: datetime) -> bool:
    """Send one claimed message and note what became of it; return whether it was sent. Holds no transaction."""
    try:
        compose(message).send()
    except Exception as error:  # noqa: BLE001 -- whatever a mail server does to us is a reason to try again
        _failed(message, f"{type(error).__name__}: {error}", at=at)
        return False
    sent: dict[str, Any] = {"state": OutboxMessage.State.SENT, "sent_at": at, "error": ""}
    if message.template.startswith(CONFIDENTIAL):
        sent["context"] = {}
    OutboxMessage.objects.filter(pk=message.pk).update(**sent)
    return True


def retry(messages: Iterable[OutboxMessage], *, by: User, at: datetime) -> int:
    """Give dead or waiting messages a whole new start now (the operator's act); return how many."""
    unsent = [message for message in messages if message.state != OutboxMessage.State.SENT]
    OutboxMessage.objects.filter(pk__in=[m.pk for m in unsent]).exclude(state=OutboxMessage.State.SENT).update(
        state=OutboxMessage.State.PENDING, due_at=at, attempts=0
    )
    entries = [
        audit.Entry(
            "message", m.pk, str(m), {"state": m.state, "attempts": m.attempts}, {"state": "pending"}, m.tenant_id
        )
        for m in unsent
    ]
    audit.record("message.retried", entries, by=by, at=at)
    wake.later("portal.tasks.send_messages")
    return len(unsent)


def forget(*, sent_before: datetime) -> int:
    """Forget mails that were sent before an instant; what was never sent stays. Needs the operator's role."""
    count, _models = OutboxMessage.objects.filter(state=OutboxMessage.State.SENT, sent_at__lt=sent_before).delete()
    return count


def compose(message: OutboxMessage) -> EmailMultiAlternatives:
    """Render a message in its language, as text and HTML; the first line of the text template is the subject."""
    context = message.context | {
        "operator_name": settings.OPERATOR_NAME,
        "hotline": hotline(),
        "portal_url": settings.PORTAL_URL,
        "language": message.language,
    }
    with translation.override(message.language):
        subject, _, body = render_to_string(f"mail/{message.template}.txt", context).lstrip().partition("\n")
        html = render_to_string(f"mail/{message.template}.html", context | {"subject": subject.strip()})
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=body.strip().replace("\xa0", " ") + "\n",  # a number is copied from a text
        to=[message.recipient],
        headers={"Message-ID": f"<{message.key}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    return mail


def _failed(message: OutboxMessage, reason: str, *, at: datetime) -> None:
    dead = message.attempts >= LAST_ATTEMPT
    wait = WAIT_MINUTES[min(message.attempts, len(WAIT_MINUTES)) - 1]
    log.warning("mail not sent", message=message.pk, attempt=message.attempts, reason=reason, given_up=dead)
    # Only our own attempt: whoever took the message over after a hanging one says what becomes of it.
    OutboxMessage.objects.filter(pk=message.pk, state=OutboxMessage.State.PENDING, attempts=message.attempts).update(
        state=OutboxMessage.State.DEAD if dead else OutboxMessage.State.PENDING,
        due_at=at + timedelta(minutes=wait),
        error=reason[:2000],
    )
