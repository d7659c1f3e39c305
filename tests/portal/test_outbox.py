"""The outbox before a real mail server that refuses, hangs and dies: nothing is lost, nothing goes out twice."""

import contextlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from portal import outbox, tasks, wake
from portal.models import AuditEvent, OutboxMessage
from portal.outbox import Mail
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
State = OutboxMessage.State
CONTEXT = {
    "name": "Alice",
    "numbers": [{"number": "030 23125012", "label": ""}],
    "count": 1,
    "more": 0,
    "last_active_on": "2026-10-31",
    "inactive_from": "2026-11-01",
}


@pytest.fixture
def operator(db, as_operator):
    with as_operator():
        yield


def write(count=1, at=NOW):
    outbox.later([Mail("alice@acme.example", "de", "numbers/deactivated", CONTEXT)] * count, at=at)
    return list(OutboxMessage.objects.order_by("id"))


def send(at=NOW):
    message = outbox.claim(at=at)
    return None if message is None else outbox.deliver(message, at=at)


def test_a_message_is_sent_once_with_its_key_as_message_id(operator, peer):
    [message] = write()

    assert send() is True
    assert send() is None

    message.refresh_from_db()
    assert (message.state, message.sent_at, message.attempts) == (State.SENT, NOW, 1)
    assert peer.ids == [f"<{message.key}@operator.example>"]
    assert peer.taken[0].is_multipart()


@pytest.mark.parametrize("mood", ["450 later", "550 never", "hang", "die after DATA"])
def test_whatever_the_server_does_the_message_is_sent_in_the_end(operator, peer, mood):
    [message] = write()
    peer.mood = mood

    assert send() is False

    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.PENDING, 1)
    assert message.due_at == NOW + timedelta(minutes=1)
    assert message.error
    assert send() is None
    peer.mood = "ok"
    assert send(at=NOW + timedelta(minutes=1)) is True
    assert set(peer.ids) == {f"<{message.key}@operator.example>"}
    assert len(peer.ids) == (2 if mood == "die after DATA" else 1)


def test_nothing_listens_and_nothing_is_lost(operator, settings):
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 0.5},
        }
    }
    [message] = write()

    assert send() is False

    message.refresh_from_db()
    assert "ConnectionRefusedError" in message.error


def test_waits_grow_and_after_a_day_of_failures_it_is_given_up(operator, peer):
    [message] = write()
    peer.mood, at, waits = "550 never", NOW, []

    while message.state == State.PENDING:
        assert send(at=at) is False
        message.refresh_from_db()
        waits.append(int((message.due_at - at).total_seconds() / 60))
        at = message.due_at

    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert timedelta(hours=24) <= timedelta(minutes=sum(waits[:-1])) < timedelta(hours=25)
    assert message.state == State.DEAD
    assert send(at=at + timedelta(days=1)) is None


def test_a_message_that_nobody_tried_for_days_is_still_sent(operator, peer):
    write()
    peer.mood = "450 later"

    assert send(at=NOW + timedelta(days=3)) is False

    assert OutboxMessage.objects.get().state == State.PENDING


def test_retry_gives_a_dead_message_a_whole_new_start(operator, cast, peer):
    write()
    OutboxMessage.objects.update(state=State.DEAD, attempts=outbox.LAST_ATTEMPT, error="550")
    message = OutboxMessage.objects.get()
    peer.mood = "450 later"

    assert outbox.retry([message], by=cast.olga, at=NOW) == 1
    event = AuditEvent.objects.get(verb="message.retried")
    assert (event.actor, event.object_id, event.before) == (cast.olga, message.pk, {"state": "dead", "attempts": 30})
    assert send() is False

    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.PENDING, 1)


def test_retry_leaves_sent_messages_alone(operator, cast, peer):
    write()
    send()

    assert outbox.retry(OutboxMessage.objects.all(), by=cast.olga, at=NOW) == 0
    assert OutboxMessage.objects.get().state == State.SENT


def test_a_sender_that_died_delays_its_message_and_does_not_lose_it(operator, peer):
    write()

    assert outbox.claim(at=NOW) is not None  # and dies

    assert outbox.claim(at=NOW + timedelta(minutes=4)) is None
    assert send(at=NOW + outbox.CLAIM) is True


def test_a_late_failure_does_not_undo_what_a_second_sender_did(operator, peer):
    write()
    slow = outbox.claim(at=NOW)
    assert send(at=NOW + outbox.CLAIM) is True

    outbox._failed(slow, "too late", at=NOW + outbox.CLAIM)

    assert OutboxMessage.objects.get().state == State.SENT


def test_a_mail_that_cannot_be_composed_stops_no_other(operator, peer):
    outbox.later([Mail("alice@acme.example", "de", "no/such/template")], at=NOW - timedelta(hours=1))
    write()

    assert [send(), send(), send()] == [False, True, None]


def test_a_header_cannot_be_injected(operator, peer):
    subject = {**CONTEXT, "inactive_from": "2026-11-01", "count": 1}
    outbox.later(
        [
            Mail(
                "alice@acme.example",
                "de",
                "numbers/swapped",
                subject | {"new_number": "1\nBcc: eve@evil.example", "numbers": [{"number": "2"}]},
            )
        ],
        at=NOW,
    )

    assert send() is True
    assert peer.taken[0]["Bcc"] is None


def test_rolling_back_takes_the_message_along(acme):
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        outbox.later([Mail("a@b.example", "de", "numbers/deactivated", {}, acme.acme.pk)], at=NOW)
        raise ZeroDivisionError

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_never_send_one_message_twice(peer, as_operator, scale, monkeypatch, settings):
    monkeypatch.setattr(wake, "_ring", lambda task: None)
    count = scale(500)
    with transaction.atomic(), as_operator():
        make.tenant()
        write(count, at=datetime.now(UTC) - timedelta(minutes=1))
    start, sent, errors = threading.Barrier(4), [], []

    def work():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE portal_ops")
            start.wait()
            sent.append(tasks.send_messages())
        except Exception as error:  # noqa: BLE001 -- what a thread raises is looked at below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert sum(sent) == count
    assert len(peer.ids) == len(set(peer.ids)) == count
