"""Letters given to a postal service that behaves badly: each goes out once, whatever it does."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest

from numbers import outgoing
from numbers.models import PinLetter, PostalOrder
from numbers.postal import Fate, Job, LetterXpress, PostalError
from portal.models import AuditEvent
from tests import letter_service, make
from tests.conftest import NOW

PDF = b"%PDF-1.7 letter"
KNOWN = {"pending": 0, "dead": 0, "accepted": 1, "posted": 2, "returned": 3}


@pytest.fixture
def desk():
    with letter_service.open_service() as service:
        yield service


@pytest.fixture
def service(desk):
    return LetterXpress(desk.url, "operator", "secret", "live", seconds=0.15)


@pytest.fixture
def order(acme, as_operator):
    """Return a function that makes a letter of Acme to be given to the service."""
    address = make.address("30", state="letter_requested")

    def _order(**fields):
        letter = PinLetter.objects.create(
            address=address,
            state="batched",
            lines=["Acme GmbH"],
            requested_by=acme.alice,
            requested_at=NOW,
            closed_at=NOW,
        )
        with as_operator():
            return PostalOrder.objects.create(letter=letter, created_at=NOW, due_at=NOW, **fields)

    return _order


def turn(service, at, as_operator):
    """Give away what is due, as the worker does."""
    with as_operator():
        while claimed := outgoing.claim(at=at):
            outgoing.deliver(claimed, PDF, service, at=at)


def now(order, as_operator):
    with as_operator():
        return PostalOrder.objects.get(pk=order.pk)


def test_deliver_submits_with_credentials_checksum_and_key(order, desk, service, as_operator):
    one = order()

    turn(service, NOW, as_operator)

    (job,) = desk.jobs.values()
    assert (job["filename_original"], job["pdf"]) == (f"{one.key}.pdf", PDF)
    kept = now(one, as_operator)
    assert (kept.state, kept.reference, kept.error) == ("accepted", "1000", "")
    with as_operator():
        event = AuditEvent.objects.get(verb="letter.delivery")
    assert (event.before, event.after) == ({"state": "pending"}, {"state": "accepted"})


def test_deliver_of_an_accepted_letter_asks_how_it_stands(order, desk, service, as_operator):
    one = order()
    turn(service, NOW, as_operator)
    desk.jobs[1000]["status"] = "done"

    turn(service, NOW + outgoing.LOOK_AGAIN, as_operator)

    assert now(one, as_operator).state == "posted"
    assert len(desk.jobs) == 1


@pytest.mark.parametrize("mood", ["500 after accepting", "dropped after accepting", "late", "nonsense"])
def test_a_letter_whose_answer_was_lost_is_looked_up_before_it_is_sent_again(order, desk, service, as_operator, mood):
    moods = [mood]
    desk.mood = lambda method: moods.pop() if moods else "fine"
    one = order()

    turn(service, NOW, as_operator)
    desk.settle()
    lost = now(one, as_operator)
    turn(service, NOW + timedelta(minutes=5), as_operator)

    assert (lost.state, lost.reference, bool(lost.error)) == ("pending", "", True)
    assert now(one, as_operator).state == "accepted"
    assert len(desk.accepted(f"{one.key}.pdf")) == 1
    assert [method for method, _ in desk.asked].count("POST") == 1


def test_a_letter_that_was_refused_is_sent_again(order, desk, service, as_operator):
    moods = ["busy", "500"]
    desk.mood = lambda method: moods.pop() if moods and method == "POST" else "fine"
    one = order()

    for minutes in (0, 5, 15):
        turn(service, NOW + timedelta(minutes=minutes), as_operator)

    assert now(one, as_operator).state == "accepted"
    assert len(desk.jobs) == 1


def test_a_letter_is_given_up_after_a_day_and_looked_up_when_tried_again(acme, order, desk, service, as_operator):
    desk.mood = lambda method: "500"
    one, at = order(), NOW
    for _ in range(outgoing.LAST_TRY):
        turn(service, at, as_operator)
        at += timedelta(hours=1)

    dead = now(one, as_operator)
    assert (dead.state, dead.attempts) == ("dead", outgoing.LAST_TRY)
    desk.mood = lambda method: "fine"
    turn(service, at, as_operator)
    assert now(one, as_operator).state == "dead"
    with as_operator():
        assert outgoing.retry([dead], by=acme.olga, at=at) == 1
    turn(service, at, as_operator)
    assert now(one, as_operator).state == "accepted"
    assert ("GET", "/v3/printjobs?filter=queue") in desk.asked


def test_messages_that_come_twice_or_late_change_nothing(order, as_operator):
    one = order(state="accepted", reference="7")

    def told(fate, reference="7", key=one.key):
        with as_operator():
            return outgoing.note(key, Job(reference, fate), at=NOW)

    assert [told(Fate.WAITING), told(Fate.POSTED), told(Fate.POSTED), told(Fate.WAITING)] == [False, True, False, False]
    assert [told(Fate.RETURNED), told(Fate.POSTED), told(Fate.RETURNED)] == [True, False, False]
    assert told(Fate.CANCELLED, reference="8") is False
    assert told(Fate.POSTED, key=uuid4()) is False
    assert now(one, as_operator).state == "returned"


def test_cancel_before_anything_was_tried_asks_nobody(acme, order, desk, service, as_operator):
    one = order()

    with as_operator():
        assert outgoing.cancel(one, service, by=acme.olga, at=NOW) is True

    turn(service, NOW, as_operator)
    assert (now(one, as_operator).state, desk.asked) == ("cancelled", [])


def test_cancel_calls_an_accepted_letter_off_as_long_as_it_is_not_printed(acme, order, desk, service, as_operator):
    early, late = order(), order()
    turn(service, NOW, as_operator)
    desk.jobs[int(now(late, as_operator).reference)]["status"] = "done"

    with as_operator():
        got = [outgoing.cancel(now(one, as_operator), service, by=acme.olga, at=NOW) for one in (early, late)]

    assert got == [True, False]
    assert (now(early, as_operator).state, now(late, as_operator).state) == ("cancelled", "accepted")
    assert desk.accepted(f"{early.key}.pdf") == []


def test_cancel_of_a_letter_whose_fate_is_unknown_looks_it_up(acme, order, desk, service, as_operator):
    moods = ["500 after accepting"]
    desk.mood = lambda method: moods.pop() if moods else "fine"
    one = order()
    turn(service, NOW, as_operator)

    with as_operator():
        assert outgoing.cancel(now(one, as_operator), service, by=acme.olga, at=NOW) is True

    assert desk.accepted(f"{one.key}.pdf") == []


def test_cancel_leaves_alone_what_a_worker_has_in_hand(acme, order, desk, service, as_operator):
    one = order()

    with as_operator():
        in_hand = outgoing.claim(at=NOW)
        assert outgoing.cancel(one, service, by=acme.olga, at=NOW) is False
        outgoing.deliver(in_hand, PDF, service, at=NOW)

    assert (now(one, as_operator).state, len(desk.jobs)) == ("accepted", 1)


def test_wrong_credentials_and_a_service_that_is_not_there_are_errors(order, desk, as_operator):
    with pytest.raises(PostalError, match="401"):
        LetterXpress(desk.url, "operator", "wrong", "live").status("1")
    with pytest.raises(PostalError):
        LetterXpress("http://127.0.0.1:9", "operator", "secret").status("1")


@pytest.mark.timeout(1800)
def test_no_letter_goes_out_twice_however_the_service_behaves(order, desk, service, as_operator, scale):
    """Letters one after the other, each answer drawn by lot, messages doubled and in any order: each is posted once."""
    dice = random.Random(20261128)
    desk.mood = lambda method: dice.choice(letter_service.MOODS) if dice.random() < 0.5 else "fine"
    runs, doubled, unsent = scale(500), [], []
    for _ in range(runs):
        one, at = order(), NOW
        while now(one, as_operator).state == "pending":
            turn(service, at, as_operator)
            desk.settle()
            at = max(at + timedelta(minutes=5), now(one, as_operator).due_at)
        jobs = desk.accepted(f"{one.key}.pdf")
        doubled += [one.key] if len(jobs) > 1 else []
        unsent += [one.key] if not jobs and now(one, as_operator).state != "dead" else []
        _messages(dice, one, jobs, as_operator)

    assert (doubled, unsent) == ([], [])
    assert len(desk.jobs) >= runs * 0.8  # some are given up, for the service is that bad


def _messages(dice, one, jobs, as_operator):
    """Deliver a letter's messages doubled and shuffled; its state only ever moves on."""
    said = [Job(str(job["id"]), fate) for job in jobs for fate in (Fate.WAITING, Fate.POSTED)] * 2
    dice.shuffle(said)
    rank = KNOWN[now(one, as_operator).state]
    for job in said:
        with as_operator():
            outgoing.note(one.key, job, at=NOW)
        assert KNOWN[now(one, as_operator).state] >= rank
        rank = KNOWN[now(one, as_operator).state]
    if said:
        assert now(one, as_operator).state == "posted"


def test_claim_gives_a_letter_to_one_worker_and_again_after_a_crash(order, as_operator):
    one = order()

    with as_operator():
        first, second = outgoing.claim(at=NOW), outgoing.claim(at=NOW)
        again = outgoing.claim(at=NOW + outgoing.CLAIM)

    assert (first.pk, second, again.pk, again.attempts) == (one.pk, None, one.pk, 2)
