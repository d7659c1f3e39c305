import pytest

from portal import outbox
from portal.models import AuditEvent, OutboxMessage


@pytest.fixture
def trace(as_operator):
    """Return what was recorded so far: (verb, label, actor's name), oldest first."""

    def _trace():
        with as_operator():
            return list(AuditEvent.objects.order_by("id").values_list("verb", "object_label", "actor_name"))

    return _trace


@pytest.fixture
def mails(as_operator):
    """Return the messages of the outbox, composed, oldest first."""

    def _mails():
        with as_operator():
            return [outbox.compose(message) for message in OutboxMessage.objects.order_by("id")]

    return _mails
