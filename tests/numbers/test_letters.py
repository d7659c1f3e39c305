"""PIN letters: when one can be asked for, what a PIN does, what ends it (rules V2 and V3)."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from numbers import letters, pins
from numbers.letters import Entry, LetterRefused
from numbers.models import Address, AddressState, LetterState, PinLetter
from portal import tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW

PIN, WRONG = "7K3MQ9XD", "AAAAAAAA"
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def locked(address):
    return Address.objects.locked([address.pk])[0]


def ask(cast, address, at=NOW):
    return letters.ask(locked(address), by=cast.alice, at=at)


def enter(cast, address, pin=PIN, at=NOW):
    return letters.enter(locked(address), pin, by=cast.alice, at=at)


def post(letter, on=TODAY):
    """Let a letter be printed and posted, as the operator does."""
    PinLetter.objects.filter(pk=letter.pk).update(state="printed")
    return letters.posted(PinLetter.objects.locked([letter.pk]), on=on, by="test", at=NOW)


def verbs():
    return list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True))


def mails():
    return list(OutboxMessage.objects.order_by("pk").values_list("template", flat=True))


def test_ask_puts_the_letter_into_the_queue_and_tells(acme):
    address = make.address("30")

    letter = ask(acme, address)

    assert (letter.state, letter.pin_hash, letter.tries) == ("queued", "", 0)
    assert letter.lines == ["Acme GmbH", "Musterstraße 12a", "10115 Berlin"]
    assert Address.objects.get(pk=address.pk).state == AddressState.LETTER_REQUESTED
    assert (verbs(), mails()) == (["letter.requested"], ["numbers/letter_requested"])


@pytest.mark.parametrize(
    "fields",
    [
        {"company": "Gesellschaft für außerordentlich lange Firmennamen und deren Verwaltung mbH & Co. KGaA"},
        {"company": "Rakete 🚀 GmbH"},
        {"town": "Москва"},
    ],
)
def test_ask_of_what_does_not_fit_goes_to_review(acme, fields):
    assert ask(acme, make.address("30", **fields)).state == LetterState.REVIEW


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": "verified", "verified_at": make.ALLOCATED}, "braucht keinen Brief"),
        ({"state": "letter_requested"}, "schon angefordert"),
    ],
)
def test_ask_is_refused_where_no_letter_is_needed(acme, fields, sentence):
    address = make.address("30", **fields)

    with pytest.raises(LetterRefused, match=sentence):
        ask(acme, address)

    assert not PinLetter.objects.exists()


def test_a_new_letter_comes_three_days_after_the_last_was_posted_and_kills_its_pin(acme):
    address = make.sent("30", by=acme.alice, posted_on=TODAY)

    with pytest.raises(LetterRefused, match=r"26\.11\.2026"):
        ask(acme, address, NOW + 2 * DAY)
    ask(acme, address, NOW + 3 * DAY)

    assert [letter.closed_at is None for letter in PinLetter.objects.order_by("pk")] == [False, True]
    assert enter(acme, address, at=NOW + 3 * DAY).result == Entry.NO_LETTER


def test_three_letters_within_thirty_days_are_the_most(acme):
    address = make.address("30")
    for day in (0, 5, 10):
        post(ask(acme, address, NOW + day * DAY), TODAY + day * DAY)

    with pytest.raises(LetterRefused, match=r"24\.12\.2026"):
        ask(acme, address, NOW + 15 * DAY)
    ask(acme, address, NOW + 31 * DAY)

    assert PinLetter.objects.count() == 4


def test_a_letter_called_off_before_printing_does_not_count(acme):
    address = make.address("30")
    for _ in range(4):
        ask(acme, address)
        letters.withdraw(locked(address), by=acme.alice, at=NOW)

    assert Address.objects.get(pk=address.pk).state == AddressState.UNVERIFIED
    assert set(PinLetter.objects.values_list("state", flat=True)) == {"cancelled"}


@pytest.mark.parametrize("state", ["batched", "printed", "posted"])
def test_withdraw_is_refused_once_the_letter_is_in_print(acme, state):
    address = make.address("30")
    PinLetter.objects.filter(pk=ask(acme, address).pk).update(state=state)

    with pytest.raises(LetterRefused, match="in Druck oder unterwegs"):
        letters.withdraw(locked(address), by=acme.alice, at=NOW)


def test_posted_begins_thirty_days_for_the_pin(acme):
    address = make.address("30")

    assert post(ask(acme, address)) == 1

    address.refresh_from_db()
    assert (address.state, address.entry_until) == ("letter_sent", date(2026, 12, 23))
    assert verbs()[-1] == "letter.posted"
    assert mails()[-1] == "numbers/letter_posted"


def test_the_right_pin_verifies_the_address_and_tells_the_administrators(acme):
    address = make.sent("30", by=acme.alice, posted_on=TODAY)

    assert enter(acme, address).result == Entry.RIGHT

    address.refresh_from_db()
    assert (address.state, address.verified_at, address.entry_until) == ("verified", NOW, None)
    assert PinLetter.objects.get().closed_at == NOW
    assert verbs() == ["address.verified"]
    assert mails() == ["numbers/address_verified"] * 2  # Alice and Erika


@pytest.mark.parametrize("typed", ["7k3m-q9xd", " 7K3M Q9XD ", "7K3MQ9XD"])
def test_case_hyphen_and_blanks_of_a_pin_do_not_matter(typed):
    assert pins.normal(typed) == PIN


@pytest.mark.parametrize("typed", ["", "7K3M", "7K3MQ9XDD", "7K3M-Q9X0", "7K3M-Q9XÄ"])
def test_what_cannot_be_a_pin_is_none(typed):
    assert pins.normal(typed) == ""


def test_pins_are_of_the_alphabet_and_never_the_same():
    made = {pins.new() for _ in range(500)}

    assert len(made) == 500
    assert all(len(pins.normal(pin)) == 8 and pin[4] == "-" for pin in made)
    assert len(set(pins.ALPHABET)) == 28
    assert not set(pins.ALPHABET) & set("0O1ILS5B8Z2") - set("2589")


def test_a_wrong_pin_costs_a_try_and_the_fifth_locks(acme):
    address = make.sent("30", by=acme.alice, posted_on=TODAY)

    found = [enter(acme, address, WRONG) for _ in range(6)]

    assert [(one.result, one.tries_left) for one in found] == [
        *((Entry.WRONG, left) for left in (4, 3, 2, 1)),
        (Entry.LOCKED, 0),
        (Entry.LOCKED, 0),
    ]
    assert enter(acme, address).result == Entry.LOCKED
    assert (Address.objects.get().state, PinLetter.objects.get().tries) == ("locked", 5)
    assert verbs() == ["letter.pin_refused"] * 4 + ["letter.locked"]
    assert mails() == ["numbers/letter_locked"] * 2


def test_a_locked_address_gets_a_new_letter(acme):
    address = make.sent("30", by=acme.alice, posted_on=TODAY)
    for _ in range(5):
        enter(acme, address, WRONG)

    assert ask(acme, address, NOW + 4 * DAY).state == "queued"


def test_a_pin_is_good_until_the_end_of_its_last_day_in_berlin(acme):
    address = make.sent("30", by=acme.alice, posted_on=TODAY)

    late = enter(acme, address, at=datetime(2026, 12, 23, 23, 0, tzinfo=UTC))
    in_time = enter(acme, address, at=datetime(2026, 12, 23, 22, 59, tzinfo=UTC))

    assert (late.result, in_time.result) == (Entry.EXPIRED, Entry.RIGHT)


def test_the_pin_of_another_letter_address_or_tenant_is_wrong(acme):
    address = make.sent("30", by=acme.alice, posted_on=TODAY, pin="ACDE-FGHJ")
    other = make.sent("69", by=acme.alice, posted_on=TODAY)
    mine, theirs = (PinLetter.objects.get(address=one) for one in (address, other))
    PinLetter.objects.filter(pk=mine.pk).update(pin_hash=theirs.pin_hash)  # not even the hash can be moved

    assert enter(acme, address).result == Entry.WRONG
    assert enter(acme, other).result == Entry.RIGHT


def test_no_pin_is_entered_before_the_letter_is_posted(acme):
    address = make.address("30")
    ask(acme, address)

    assert enter(acme, address).result == Entry.NO_LETTER


def test_verifying_replaces_the_older_address_of_the_area(acme):
    old = make.verified_address("30", street="Altweg")
    new = make.sent("30", by=acme.alice, posted_on=TODAY)

    entered = enter(acme, new)

    assert entered.replaced == old.pk
    old.refresh_from_db()
    assert (old.state, old.revoked_at) == ("revoked", NOW)
    assert verbs() == ["address.replaced", "address.verified"]


def test_a_letter_that_came_back_kills_its_pin(acme):
    address = make.sent("30", by=acme.alice, posted_on=TODAY)
    letter = PinLetter.objects.locked([PinLetter.objects.get().pk])[0]

    letters.came_back(letter, by=acme.olga, at=NOW)

    assert Address.objects.get().state == AddressState.RETURNED_MAIL
    assert enter(acme, address).result == Entry.NO_LETTER
    assert mails() == ["numbers/letter_returned"] * 2
    with pytest.raises(LetterRefused, match="nicht unterwegs"):
        letters.came_back(letter, by=acme.olga, at=NOW)


def test_the_operator_words_what_does_not_fit(acme):
    ask(acme, make.address("30", company="Rakete 🚀 GmbH"))
    letter = PinLetter.objects.locked([PinLetter.objects.get().pk])[0]

    with pytest.raises(LetterRefused, match="passt nicht"):
        letters.word(letter, ["x" * 80, "10115 Berlin"], by=acme.olga, at=NOW)
    letters.word(letter, ["Rakete GmbH", "Musterstraße 12a", "10115 Berlin"], by=acme.olga, at=NOW)

    assert (letter.state, letter.lines[0]) == ("queued", "Rakete GmbH")
    with pytest.raises(LetterRefused):
        letters.decline(letter, reason="x", by=acme.olga, at=NOW)


def test_the_operator_declines_with_a_reason(acme):
    address = make.address("30", company="Rakete 🚀 GmbH")
    ask(acme, address)
    letter = PinLetter.objects.locked([PinLetter.objects.get().pk])[0]
    with pytest.raises(LetterRefused):
        letters.decline(letter, reason=" ", by=acme.olga, at=NOW)

    letters.decline(letter, reason="So heißt niemand.", by=acme.olga, at=NOW)

    assert Address.objects.get(pk=address.pk).state == AddressState.UNVERIFIED
    assert OutboxMessage.objects.filter(template="numbers/letter_declined").first().context["reason"]


def test_expire_writes_down_what_the_date_said_already(acme):
    make.sent("30", by=acme.alice, posted_on=TODAY)
    late = NOW + 31 * DAY
    rows = Address.objects.locked(Address.objects.due(late).values_list("pk", flat=True))

    assert letters.expire(rows, at=late) == 1
    assert letters.expire(rows, at=late) == 0

    assert Address.objects.get().state == AddressState.EXPIRED
    assert PinLetter.objects.get().closed_at == late


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_five_are_compared(cast, scale):
    with tenancy.tenant_transaction(cast.acme.pk):
        address = make.sent("30", by=cast.alice, posted_on=TODAY)
    found, guard = [], threading.Barrier(8, timeout=60)

    def guess(count):
        guard.wait()
        try:
            for _ in range(count):
                with tenancy.tenant_transaction(cast.acme.pk):
                    found.append(enter(cast, address, WRONG).result)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(scale(200) // 8 + 1,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with tenancy.tenant_transaction(cast.acme.pk):
        assert PinLetter.objects.get().tries == 5
        compared = AuditEvent.objects.filter(verb__in=["letter.pin_refused", "letter.locked"])
        assert compared.count() == 5
    assert found.count(Entry.WRONG) == 4
    assert found.count(Entry.LOCKED) == len(found) - 4
