from datetime import UTC, datetime

from django.db import connection

from portal import audit, outbox
from portal.models import AuditEvent, OutboxMessage
from portal.outbox import Mail

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_an_event_without_a_tenant_is_written_and_not_readable_to_customers(cast, as_operator):
    audit.record("user.signed_in", [audit.Entry("user", cast.alice.pk, "alice")], by=cast.alice, at=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(cast.acme.pk)])
    assert not AuditEvent.objects.exists()
    with as_operator():
        assert AuditEvent.objects.get().tenant_id is None


def test_a_message_without_a_tenant_is_written_and_not_readable_to_customers(cast, as_operator):
    assert outbox.later([Mail("alice@acme.example", "de", "account/password_changed")], at=NOW) == 1

    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(cast.acme.pk)])
    assert not OutboxMessage.objects.exists()
    with as_operator():
        assert OutboxMessage.objects.get().recipient == "alice@acme.example"


def test_a_thousand_events_take_one_statement(acme, django_assert_num_queries):
    entries = [audit.Entry("number", n, f"number {n}", after={"state": "active"}) for n in range(1000)]

    with django_assert_num_queries(1):
        audit.record("number.activated", entries, by=acme.alice, at=NOW, tenant_id=acme.acme.pk)

    assert AuditEvent.objects.count() == 1000
