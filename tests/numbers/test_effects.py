"""What a deactivation does when it takes effect (L5, C3): everything or nothing, on the planned date."""

import threading
import time
from datetime import UTC, date, datetime

import pytest
from django.db import connection, transaction

from billing.models import Slot
from numbers import effects
from numbers.models import Forwarding, PhoneNumber
from portal import tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import make

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PLANNED = date(2026, 10, 31)


def scheduled(e164=None, **fields):
    return make.number(e164, state="deactivation_scheduled", **{"last_active_on": PLANNED} | fields)


def settle(numbers):
    return effects.settle(PhoneNumber.objects.locked([n.pk for n in numbers]), at=NOW)


def event_of(number):
    return AuditEvent.objects.get(verb="number.deactivated", object_id=number.pk)


def test_settle_ends_forwardings_from_and_to_the_number_and_keeps_the_rest(acme):
    gone, stays = scheduled("+493023125100"), make.number("+493023125101", state="active")
    for number, destination in ((gone, "+496990009001"), (stays, gone.e164)):
        rule = {"when": "always", "destination": destination, "after_seconds": None}
        Forwarding.objects.create(number=number, changed_at=NOW, **rule)
    Forwarding.objects.create(number=stays, when="busy", destination="+496990009002", changed_at=NOW)

    assert settle([gone, stays]) == 1

    assert list(Forwarding.objects.values_list("number", "when")) == [(stays.pk, "busy")]
    event = event_of(gone)
    assert (event.actor, event.actor_name, event.at) == (None, "apply_deactivations", NOW)
    assert event.before == {
        "state": "deactivation_scheduled",
        "last_active_on": "2026-10-31",
        "forwarding": [
            {"when": "always", "destination": "+496990009001", "after_seconds": None},
            {"when": "always", "destination": gone.e164, "after_seconds": None, "from": stays.e164},
        ],
    }
    assert event.after == {"state": "inactive", "inactive_from": "2026-11-01"}


def test_settle_keeps_label_note_and_usage(acme):
    number = scheduled(label="Empfang", note="links", usage="conference")

    settle([number])

    number.refresh_from_db()
    assert (number.label, number.note, number.usage) == ("Empfang", "links", "conference")


def test_settle_touches_no_slot(acme):
    number = scheduled()

    settle([number])

    assert list(Slot.objects.values_list("from_on", "until_on")) == [(date(2026, 3, 1), date(2026, 11, 1))]


def test_settle_updates_the_rows_in_hand(acme):
    number = scheduled()
    [locked] = PhoneNumber.objects.locked([number.pk])

    effects.settle([locked], at=NOW)

    assert (locked.state, locked.last_active_on, locked.active_since) == ("inactive", None, None)


def test_settle_leaves_what_is_not_due(acme):
    today = scheduled(last_active_on=date(2026, 11, 23))
    active = make.number(state="active")

    assert settle([today, active]) == 0
    assert not AuditEvent.objects.exists()


def test_the_administrators_of_the_tenant_are_told_once_per_day_and_nobody_else(acme, as_operator):
    settle([*[scheduled() for _ in range(3)], scheduled(last_active_on=date(2026, 9, 30))])

    told = OutboxMessage.objects.order_by("recipient", "id").values_list("recipient", "context__count")
    assert list(told) == [
        ("alice@acme.example", 3),
        ("alice@acme.example", 1),
        ("erika@partner.example", 3),
        ("erika@partner.example", 1),
    ]


def test_take_effect_never_touches_another_tenants_forwarding_to_the_same_destination(cast, as_operator):
    with tenancy.tenant_transaction(cast.acme.pk):
        scheduled("+493023125100")
    with tenancy.tenant_transaction(cast.globex.pk):
        scheduled("+493023125200")
        own = make.number("+493023125201", state="active")
        Forwarding.objects.create(number=own, when="always", destination="+493023125100", changed_at=NOW)

    with as_operator():
        assert effects.take_effect(as_of=date(2026, 11, 23), at=NOW, after=effects.Cursor())[0] == 2

    with tenancy.tenant_transaction(cast.globex.pk):
        assert Forwarding.objects.get().destination == "+493023125100"
        assert set(AuditEvent.objects.values_list("tenant_id", flat=True)) == {cast.globex.pk}
        assert set(OutboxMessage.objects.values_list("recipient", flat=True)) == {
            "carl@globex.example",
            "erika@partner.example",
        }


def test_take_effect_goes_on_where_the_last_batch_ended(acme, as_operator, monkeypatch):
    monkeypatch.setattr(effects, "BATCH", 2)
    for day in (31, 30, 29):
        scheduled(last_active_on=date(2026, 10, day))

    with as_operator():
        done, cursor = effects.take_effect(as_of=date(2026, 11, 23), at=NOW, after=effects.Cursor())
        assert (done, cursor.last_active_on) == (2, date(2026, 10, 30))
        done, cursor = effects.take_effect(as_of=date(2026, 11, 23), at=NOW, after=cursor)
        assert (done, cursor.last_active_on) == (1, date(2026, 10, 31))
        assert effects.take_effect(as_of=date(2026, 11, 23), at=NOW, after=cursor) == (0, None)


def test_statements_do_not_grow_with_the_batch(acme, as_operator, django_assert_num_queries):
    for _ in range(20):
        scheduled()

    with as_operator(), django_assert_num_queries(7):
        effects.take_effect(as_of=date(2026, 11, 23), at=NOW, after=effects.Cursor())


class Crash(Exception):
    """What a dying process leaves of a transaction: nothing."""


def statements(work):
    """Count the statements that `work` sends."""
    sent = []

    def note(execute, sql, params, many, context):
        sent.extend([sql] * ("SAVEPOINT" not in sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        work()
    return len(sent)


def dying(at_statement, *, after):
    """Return a wrapper that fails before or after the statement of that count."""
    count = iter(range(10_000))

    def wrapper(execute, sql, params, many, context):
        mine = "SAVEPOINT" not in sql and next(count) == at_statement  # those stand for BEGIN and COMMIT here
        if mine and not after:
            raise Crash
        result = execute(sql, params, many, context)
        if mine:
            raise Crash
        return result

    return wrapper


def picture():
    return (
        list(PhoneNumber.objects.order_by("pk").values_list("pk", "state", "last_active_on", "active_since")),
        list(Forwarding.objects.order_by("pk").values_list("number", "destination")),
        list(Slot.objects.order_by("pk").values_list("label", "from_on", "until_on")),
        sorted(AuditEvent.objects.values_list("object_id", "verb")),
        sorted(OutboxMessage.objects.values_list("recipient", "template")),
    )


@pytest.mark.django_db
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_take_effect_dying_at_any_statement_leaves_all_or_nothing(acme, as_operator, after):
    for _ in range(3):
        number = scheduled()
        Forwarding.objects.create(number=number, when="busy", destination="+496990009001", changed_at=NOW)
    before = picture()

    def work():
        with transaction.atomic(), as_operator():
            effects.take_effect(as_of=date(2026, 11, 23), at=NOW, after=effects.Cursor())

    with transaction.atomic():
        total, complete = statements(work), picture()
        transaction.set_rollback(True)
    assert complete != before
    assert total > 8

    for point in range(total):
        with pytest.raises(Crash), connection.execute_wrapper(dying(point, after=after)):
            work()
        assert picture() == before, f"statement {point}"

    work()
    assert picture() == complete


@pytest.mark.django_db(transaction=True)
def test_a_rule_that_is_led_elsewhere_meanwhile_is_kept(request):
    """The job waits for somebody who is changing a forwarding to the number, and then looks at it again."""
    with transaction.atomic():
        cast = request.getfixturevalue("cast")
    with tenancy.tenant_transaction(cast.acme.pk):
        gone, source = scheduled("+493023125100"), make.number("+493023125101", state="active")
        Forwarding.objects.create(number=source, when="always", destination=gone.e164, changed_at=NOW)
    changed, settling = threading.Event(), threading.Event()

    def lead_elsewhere():
        with tenancy.tenant_transaction(cast.acme.pk):
            Forwarding.objects.update(destination="+496990009001")
            changed.set()
            settling.wait(20)
            time.sleep(0.3)
        connection.close()

    person = threading.Thread(target=lead_elsewhere)
    person.start()
    changed.wait(20)
    with tenancy.tenant_transaction(cast.acme.pk):
        settling.set()
        settle([gone])
    person.join()

    with tenancy.tenant_transaction(cast.acme.pk):
        assert Forwarding.objects.get().destination == "+496990009001"
        assert "forwarding" not in event_of(gone).before
