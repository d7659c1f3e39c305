"""Races of each operation: a form sent twice, two administrators. One effect, an answer for the other, no error."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.urls import reverse

from billing.models import Slot, SlotMove
from numbers import importing, lifecycle, number_lists, swap
from numbers.models import Forwarding, PhoneNumber
from numbers.outcomes import Outcome, Reason, Result
from portal import submissions
from portal.access import tenant_token
from portal.models import AuditEvent, OutboxMessage, Submission
from portal.tenancy import tenant_transaction
from tests import duel, make, oracle
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
SEEN = {"standard": Decimal("2.90")}
LAST = date(2026, 12, 31)

OPERATIONS = {
    "activate": (
        {"state": "inactive"},
        lambda rows, by: lifecycle.activate(rows, prices_seen=SEEN, by=by, at=NOW),
        "number.activated",
        Reason.ALREADY_ACTIVE,
    ),
    "schedule": (
        {"state": "active"},
        lambda rows, by: lifecycle.schedule_deactivation(rows, date_seen=LAST, by=by, at=NOW),
        "number.deactivation_scheduled",
        Reason.ALREADY_SCHEDULED,
    ),
    "withdraw": (
        {"state": "deactivation_scheduled", "last_active_on": LAST},
        lambda rows, by: lifecycle.withdraw(rows, by=by, at=NOW),
        "number.deactivation_withdrawn",
        Reason.NOT_SCHEDULED,
    ),
}


def inventory(cast, count, **fields):
    """Make that many numbers of Acme, committed."""
    with tenant_transaction(cast.acme.pk):
        return [make.number(f"+496990009{place:03}", area_code="69", **fields) for place in range(count)]


def click(cast, by, key, number, operation):
    """Do what a view does with one form."""

    def work():
        (outcome,) = operation(PhoneNumber.objects.locked([number.pk]), by)
        return {"result": str(outcome.result), "reason": outcome.reason and str(outcome.reason)}

    def act():
        with tenant_transaction(cast.acme.pk, user_id=by.pk):
            return submissions.once(key, "race", by=by, at=NOW, work=work)

    return act


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_form_sent_twice_counts_once(cast, scale, name):
    fields, operation, verb, _ = OPERATIONS[name]
    numbers = inventory(cast, scale(500), **fields)
    forms = [(uuid4(), number) for number in numbers]

    results = duel.fight([[click(cast, cast.alice, key, n, operation) for _ in (0, 1)] for key, n in forms])

    done = {"result": "done", "reason": None}
    assert [sorted(pair, key=lambda answer: answer[1]) for pair in results] == [[(done, False), (done, True)]] * len(
        numbers
    )
    with tenant_transaction(cast.acme.pk):
        assert AuditEvent.objects.count() == AuditEvent.objects.filter(verb=verb).count() == len(numbers)
        assert Slot.objects.count() == Submission.objects.count() == len(numbers)
        assert OutboxMessage.objects.count() == len(numbers)


@pytest.mark.parametrize("name", OPERATIONS)
def test_two_administrators_have_one_effect_and_an_answer_each(cast, scale, name):
    fields, operation, verb, reason = OPERATIONS[name]
    numbers = inventory(cast, scale(500), **fields)

    results = duel.fight(
        [[click(cast, by, uuid4(), number, operation) for by in (cast.alice, cast.erika)] for number in numbers]
    )

    answers = [({"result": "done", "reason": None}, False), ({"result": "unchanged", "reason": str(reason)}, False)]
    assert [sorted(pair, key=lambda answer: answer[0]["result"]) for pair in results] == [answers] * len(numbers)
    assert Outcome(0, Result.UNCHANGED, reason).sentence
    with tenant_transaction(cast.acme.pk):
        assert AuditEvent.objects.count() == AuditEvent.objects.filter(verb=verb).count() == len(numbers)
        assert Slot.objects.count() == OutboxMessage.objects.count() == len(numbers)


def test_withdrawing_races_scheduling_and_ends_in_one_of_both(cast, scale):
    numbers = inventory(cast, scale(500), state="active")
    schedule, withdraw = (OPERATIONS[name][1] for name in ("schedule", "withdraw"))

    results = duel.fight(
        [
            [click(cast, cast.alice, uuid4(), n, schedule), click(cast, cast.erika, uuid4(), n, withdraw)]
            for n in numbers
        ]
    )

    assert {pair[0][0]["result"] for pair in results} == {"done"}
    with tenant_transaction(cast.acme.pk):
        for number, (_, (withdrawn, _)) in zip(numbers, results, strict=True):
            slot = Slot.objects.get(label=number.e164)
            number.refresh_from_db()
            scheduled = withdrawn["result"] == "unchanged"
            assert (number.state, slot.until_on) == (
                ("deactivation_scheduled", date(2027, 1, 1)) if scheduled else ("active", None)
            )


def pairs(cast, count):
    """Make active numbers, each with an inactive one to swap with."""
    with tenant_transaction(cast.acme.pk):
        return [
            (
                make.number(f"+496990009{2 * n:03}", area_code="69", state="active"),
                make.number(f"+496990009{2 * n + 1:03}", area_code="69"),
            )
            for n in range(count)
        ]


@pytest.fixture
def hands(sign_in, settings):
    """Return a function that gives a browser of somebody who showed their password a moment ago."""
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 3600  # a thousand races take longer than five minutes

    def _hands(user):
        client = sign_in(user)
        make.just_signed_in(client, user)
        return client

    return _hands


def post(cast, client, url, **fields):
    """Return an act that sends a form and gives the status and what the person reads: the message or the page."""

    def act():
        answer = client.post(url, {"_tenant": tenant_token(cast.acme.pk)} | fields)
        return answer.status_code, answer.content.decode() or message(client)

    return act


def message(client):
    """Take the message out of its cookie, as the next page would: drawing that page is not what is raced here."""
    request = HttpRequest()
    request.COOKIES = {"messages": client.cookies.pop("messages").value}
    return " ".join(str(said) for said in CookieStorage(request))


def told(results, sentence):
    return sum(sentence in text for pair in results for _, text in pair)


def statuses(results):
    """Count the statuses; an exception counts as itself."""
    return Counter(answer[0] if isinstance(answer, tuple) else repr(answer) for pair in results for answer in pair)


CLICKS = {
    "activate": ({"state": "inactive"}, "number.activated", "ist jetzt aktiv", "Die Rufnummer ist bereits aktiv."),
    "deactivate": (
        {"state": "active"},
        "number.deactivation_scheduled",
        "ist zur Deaktivierung vorgemerkt: ",
        "Die Rufnummer ist bereits zur Deaktivierung vorgemerkt",
    ),
    "withdraw": (
        {"state": "deactivation_scheduled", "last_active_on": date(2099, 12, 31)},
        "number.deactivation_withdrawn",
        "wurde zurückgenommen",
        "Diese Rufnummer ist nicht zur Deaktivierung vorgemerkt",
    ),
}


def click_form(cast, client, verb, number, key):
    """Return an act that confirms a dialog as it was shown just now."""
    url = reverse(f"numbers:{verb}", args=[number.pk])
    shown = {"price_seen": "2.90", "date_seen": oracle.as_date(oracle.end_of_following_month(datetime.now(tz=UTC)))}
    return post(cast, client, url, operation_id=str(key), **shown)


@pytest.mark.parametrize("verb", CLICKS)
def test_a_dialog_confirmed_twice_counts_once(cast, scale, hands, verb):
    fields, event, done, _ = CLICKS[verb]
    numbers, clients = inventory(cast, scale(500), **fields), [hands(cast.alice) for _ in (0, 1)]

    results = duel.fight(
        [[click_form(cast, client, verb, n, key) for client in clients] for n, key in ((n, uuid4()) for n in numbers)]
    )

    assert statuses(results) == {302: 2 * len(numbers)}
    assert told(results, done) == 2 * len(numbers)
    with tenant_transaction(cast.acme.pk):
        assert AuditEvent.objects.filter(verb=event).count() == len(numbers)
        assert Slot.objects.count() == OutboxMessage.objects.count() == len(numbers)


@pytest.mark.parametrize("verb", CLICKS)
def test_two_administrators_confirming_have_one_effect(cast, scale, hands, verb):
    fields, event, done, otherwise = CLICKS[verb]
    numbers, clients = inventory(cast, scale(500), **fields), [hands(cast.alice), hands(cast.erika)]

    results = duel.fight([[click_form(cast, client, verb, n, uuid4()) for client in clients] for n in numbers])

    assert statuses(results) == {302: 2 * len(numbers)}
    assert told(results, done) == told(results, otherwise) == len(numbers)
    with tenant_transaction(cast.acme.pk):
        assert AuditEvent.objects.filter(verb=event).count() == len(numbers)
        assert Slot.objects.count() == OutboxMessage.objects.count() == len(numbers)


def swap_form(cast, client, old, new, key):
    with tenant_transaction(cast.acme.pk):
        sure = swap.erased(old, at=NOW).name
    return post(cast, client, reverse("numbers:swap"), old=old.pk, new=new.pk, sure=sure, operation_id=str(key))


def active_count(cast):
    with tenant_transaction(cast.acme.pk):
        return PhoneNumber.objects.active(NOW).count()


def test_a_swap_sent_twice_swaps_once(cast, scale, hands):
    rounds, clients = pairs(cast, scale(500)), [hands(cast.alice) for _ in (0, 1)]
    keys = [uuid4() for _ in rounds]

    results = duel.fight(
        [
            [swap_form(cast, client, old, new, key) for client in clients]
            for (old, new), key in zip(rounds, keys, strict=True)
        ]
    )

    assert statuses(results) == {302: 2 * len(rounds)}
    assert told(results, "wurde durch") == 2 * len(rounds)
    assert active_count(cast) == len(rounds)
    with tenant_transaction(cast.acme.pk):
        assert SlotMove.objects.count() == OutboxMessage.objects.count() == len(rounds)
        assert set(PhoneNumber.objects.active(NOW)) == {new for _, new in rounds}


def test_two_administrators_swapping_the_same_pair_swap_once(cast, scale, hands):
    rounds, clients = pairs(cast, scale(500)), [hands(cast.alice), hands(cast.erika)]

    results = duel.fight([[swap_form(cast, client, *pair, uuid4()) for client in clients] for pair in rounds])

    assert statuses(results) == {302: 2 * len(rounds)}
    assert told(results, "wurde durch") == told(results, "wurden bereits getauscht") == len(rounds)
    assert active_count(cast) == len(rounds)
    with tenant_transaction(cast.acme.pk):
        assert SlotMove.objects.count() == len(rounds)
        assert set(PhoneNumber.objects.active(NOW)) == {new for _, new in rounds}


def test_two_administrators_swapping_in_crossing_ways_keep_the_count(cast, scale, hands):
    """One takes A out for B while the other takes B's place for another number: who comes second is told."""
    count = scale(500) // 2
    rounds, clients = pairs(cast, count), [hands(cast.alice), hands(cast.erika)]

    results = duel.fight(
        [
            [swap_form(cast, clients[0], old, new, uuid4()), swap_form(cast, clients[1], new, old, uuid4())]
            for old, new in rounds
        ]
    )

    assert statuses(results).keys() <= {302, 422}
    told_why = ("nicht aktiv", "wurden bereits getauscht")
    assert told(results, "wurde durch") + sum(told(results, why) for why in told_why) >= 2 * count
    assert active_count(cast) == count


def forward_form(cast, client, number, destination, when="always"):
    url = reverse("numbers:forwarding", args=[number.pk])
    return post(cast, client, url, when=when, destination=destination, after_seconds=20, operation_id=str(uuid4()))


def test_a_forwarding_sent_twice_is_set_once(cast, scale, hands):
    numbers, clients = inventory(cast, scale(500), state="active"), [hands(cast.alice) for _ in (0, 1)]

    results = duel.fight([[forward_form(cast, client, n, "040 66969 200") for client in clients] for n in numbers])

    assert statuses(results) == {302: 2 * len(numbers)}
    with tenant_transaction(cast.acme.pk):
        assert Forwarding.objects.count() == AuditEvent.objects.count() == len(numbers)


def test_two_administrators_never_close_a_loop_of_forwardings(cast, scale, hands):
    numbers, clients = inventory(cast, 2 * scale(500), state="active"), [hands(cast.alice), hands(cast.erika)]
    rounds = list(zip(numbers[::2], numbers[1::2], strict=True))

    results = duel.fight(
        [
            [forward_form(cast, clients[0], one, other.e164), forward_form(cast, clients[1], other, one.e164)]
            for one, other in rounds
        ]
    )

    assert statuses(results) == {302: len(rounds), 422: len(rounds)}
    assert told(results, "Das Ziel führt bereits zu dieser Rufnummer zurück") == len(rounds)
    with tenant_transaction(cast.acme.pk):
        assert Forwarding.objects.count() == len(rounds)


def test_nobody_forwards_to_a_number_while_it_is_swapped(cast, scale, hands):
    """Either the swap is first, and nothing leads to the old number any more, or what it erases has changed."""
    swapped, clients = pairs(cast, scale(500)), [hands(cast.alice), hands(cast.erika)]
    with tenant_transaction(cast.acme.pk):
        sources = [make.number(f"+493023125{place:03}", state="active") for place in range(len(swapped))]
    rounds = list(zip(swapped, sources, strict=True))

    results = duel.fight(
        [
            [
                swap_form(cast, clients[0], old, new, uuid4()),
                forward_form(cast, clients[1], source, old.e164),
            ]
            for (old, new), source in rounds
        ]
    )

    answers = Counter(tuple(status for status, _said in pair) for pair in results)
    assert answers.keys() <= {(302, 422), (422, 302)}
    with tenant_transaction(cast.acme.pk):
        assert Forwarding.objects.count() == answers[422, 302]


def test_the_same_list_for_two_tenants_gives_each_number_once(cast):
    text = "\n".join(f"030 23125{place:03}" for place in range(400))
    lists = [number_lists.read(text.encode()), number_lists.read("\n".join(reversed(text.split("\n"))).encode())]

    def take(tenant, numbers):
        with tenant_transaction(tenant.pk):
            return importing.counts(importing.take(numbers, tenant_id=tenant.pk, by="test", at=NOW))

    ((mine, theirs),) = duel.fight([[lambda: take(cast.acme, lists[0]), lambda: take(cast.globex, lists[1])]])

    assert mine["new"] + theirs["new"] == 400
    assert mine["conflict"] + theirs["conflict"] == 400
    for tenant, counted in ((cast.acme, mine), (cast.globex, theirs)):
        with tenant_transaction(tenant.pk):
            assert PhoneNumber.objects.count() == AuditEvent.objects.count() == counted["new"]


def test_the_same_list_taken_twice_at_once_leaves_one_event_each(cast):
    numbers = number_lists.read("\n".join(f"030 23125{place:03}" for place in range(400)).encode())

    def take():
        with tenant_transaction(cast.acme.pk):
            return importing.counts(importing.take(numbers, tenant_id=cast.acme.pk, by="test", at=NOW))

    ((one, other),) = duel.fight([[take, take]])

    assert sorted([one["new"], other["new"]]) == [0, 400]
    assert sorted([one["unchanged"], other["unchanged"]]) == [0, 400]
    with tenant_transaction(cast.acme.pk):
        assert AuditEvent.objects.count() == 400
