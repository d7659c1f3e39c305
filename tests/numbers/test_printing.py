"""The print queue: batches of at most 50, counted by people; PINs are in the sealed PDF alone (rules V2, V5)."""

import io
import json
import logging
import re
from datetime import timedelta

import pypdfium2
import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction

from numbers import letter_jobs, letters, pins, printing
from numbers.models import Address, AddressState, PinLetter, PrintBatch
from numbers.printing import PrintRefused
from portal import sealing, tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW

PIN = re.compile(r"[2-9ACDEFGHJKMNPQRTUVWXY]{4}-[2-9ACDEFGHJKMNPQRTUVWXY]{4}")


@pytest.fixture
def queue(cast, as_operator):
    """Return a function that lets Acme ask for letters, and acts on as the operator."""

    def fill(count):
        with tenancy.tenant_transaction(cast.acme.pk):
            for place in range(count):
                address = make.address("30", house_number=str(place + 1))
                letters.ask(Address.objects.locked([address.pk])[0], by=cast.alice, at=NOW)

    return fill


@pytest.fixture
def operator(cast, as_operator):
    with transaction.atomic(), as_operator():
        yield cast


def made(cast):
    """Gather what waits and make it, in this transaction; return the batches."""
    batches = printing.gather(by=cast.olga, at=NOW)
    assert letter_jobs.make_batches() == len(batches)
    return batches


def text_of(content):
    return [
        "".join(page.get_textpage().get_text_range().split()) for page in pypdfium2.PdfDocument(io.BytesIO(content))
    ]


def test_gather_makes_batches_of_at_most_fifty_oldest_first(queue, operator):
    queue(120)

    batches = printing.gather(by=operator.olga, at=NOW)

    assert [batch.size for batch in batches] == [50, 50, 20]
    oldest = PinLetter.objects.filter(batch=batches[0]).order_by("position")
    assert [letter.position for letter in oldest] == list(range(1, 51))
    assert [letter.pk for letter in oldest] == sorted(letter.pk for letter in oldest)
    assert printing.gather(by=operator.olga, at=NOW) == []


def test_a_batch_is_one_pdf_with_cover_and_a_pin_per_letter(queue, operator):
    queue(3)
    [batch] = made(operator)

    pages = text_of(printing.pdf(batch.pk, by=operator.olga, at=NOW))

    found = [PIN.findall(page) for page in pages]
    assert [len(one) for one in found] == [0, 1, 1, 1]
    rows = list(PinLetter.objects.filter(batch=batch).order_by("position"))
    assert all(pins.matches(pin, letter) for [pin], letter in zip(found[1:], rows, strict=True))
    assert "Stapel" in pages[0]


def test_each_printing_is_an_event_of_its_own(queue, operator):
    queue(1)
    [batch] = made(operator)

    printing.pdf(batch.pk, by=operator.olga, at=NOW)
    printing.pdf(batch.pk, by=operator.olga, at=NOW)

    events = AuditEvent.objects.filter(verb="batch.opened").order_by("pk")
    assert [(event.actor_id, event.after) for event in events] == [
        (operator.olga.pk, {"printing": 1}),
        (operator.olga.pk, {"printing": 2}),
    ]


def test_printed_and_posted_are_counted(queue, operator):
    queue(2)
    [batch] = made(operator)
    with pytest.raises(PrintRefused, match="Noch niemand"):
        printing.printed(batch.pk, counted=2, by=operator.olga, at=NOW)
    printing.pdf(batch.pk, by=operator.olga, at=NOW)

    for act in (printing.printed, printing.posted):
        with pytest.raises(PrintRefused):
            act(batch.pk, counted=1, by=operator.olga, at=NOW)
        act(batch.pk, counted=2, by=operator.olga, at=NOW)

    with pytest.raises(PrintRefused, match="schon"):
        printing.posted(batch.pk, counted=2, by=operator.olga, at=NOW)
    assert set(Address.objects.values_list("state", flat=True)) == {AddressState.LETTER_SENT}
    assert PrintBatch.objects.get().state == "posted"
    mails = OutboxMessage.objects.filter(template="numbers/letter_posted")
    assert mails.count() == 2


def test_the_pdf_is_erased_a_week_after_posting(queue, operator):
    queue(1)
    [batch] = made(operator)
    printing.pdf(batch.pk, by=operator.olga, at=NOW)
    printing.printed(batch.pk, counted=1, by=operator.olga, at=NOW)
    printing.posted(batch.pk, counted=1, by=operator.olga, at=NOW)

    letter_jobs.retire(at=NOW + timedelta(days=7))
    assert PrintBatch.objects.get().sealed
    letter_jobs.retire(at=NOW + timedelta(days=8))

    assert (PrintBatch.objects.get().sealed, len(PrintBatch.objects.get().sha256)) == (None, 64)
    with pytest.raises(PrintRefused, match="gelöscht"):
        printing.pdf(batch.pk, by=operator.olga, at=NOW)


def test_retire_writes_down_expired_pins(cast, operator):
    with tenancy.tenant_transaction(cast.acme.pk):
        make.sent("30", by=cast.alice, posted_on=NOW.date())

    letter_jobs.retire(at=NOW + timedelta(days=40))

    assert Address.objects.get().state == AddressState.EXPIRED


def test_a_worker_that_died_leaves_its_batch_to_another_with_new_pins(queue, operator):
    queue(1)
    printing.gather(by=operator.olga, at=NOW)
    dead = printing.claim(at=NOW)
    _sheets, hashes = printing.sheets(dead)

    assert printing.claim(at=NOW + timedelta(minutes=1)) is None
    other = printing.claim(at=NOW + timedelta(minutes=6))
    _sheets, others = printing.sheets(other)

    assert printing.keep(other, b"pdf", others, at=NOW)
    assert not printing.keep(dead, b"late", hashes, at=NOW)
    assert PinLetter.objects.get().pin_hash == others[PinLetter.objects.get().pk]


def test_a_sealed_pdf_opens_only_where_it_belongs(queue, operator):
    queue(1)
    [batch] = made(operator)
    kept = PrintBatch.objects.get()

    with pytest.raises(sealing.BrokenSeal):
        sealing.unseal(bytes(kept.sealed), about=f"print batch {batch.pk + 1}")
    PrintBatch.objects.update(sealed=bytes(kept.sealed)[:-1] + bytes([bytes(kept.sealed)[-1] ^ 1]))
    with pytest.raises(sealing.BrokenSeal):
        printing.pdf(batch.pk, by=operator.olga, at=NOW)


def test_listed_names_every_letter_and_no_pin(queue, operator):
    queue(2)
    [batch] = made(operator)

    lines = printing.listed(batch)

    assert [line[0] for line in lines] == ["1", "2"]
    assert lines[0][-1] == "10115 Berlin"
    assert not PIN.search(json.dumps(lines))


@pytest.mark.django_db(transaction=True)
def test_no_pin_is_in_database_dump_log_task_mail_or_trace(queue, cast, as_operator, caplog):
    caplog.set_level(logging.DEBUG)
    queue(3)
    with transaction.atomic(), as_operator():
        [batch] = made(cast)
        found = PIN.findall("".join(text_of(printing.pdf(batch.pk, by=cast.olga, at=NOW))))
        printing.printed(batch.pk, counted=3, by=cast.olga, at=NOW)
        printing.posted(batch.pk, counted=3, by=cast.olga, at=NOW)
    with tenancy.tenant_transaction(cast.acme.pk):
        letter = PinLetter.objects.order_by("pk").first()
        letters.enter(Address.objects.locked([letter.address_id])[0], pins.normal(found[0]), by=cast.alice, at=NOW)

    dump = _everything(as_operator)

    assert len(found) == 3
    for pin in found:
        for form in (pin, pin.replace("-", ""), pin.lower(), pin.replace("-", "").lower()):
            assert form not in dump
            assert form not in caplog.text
            assert form.encode() not in _redis()


def _everything(as_operator):
    """Return every row of every table as text, bytes included, as a dump holds them."""
    parts = []
    with transaction.atomic(), as_operator(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [table])
            if cursor.fetchone()[0]:
                cursor.execute(f'SELECT t::text FROM "{table}" AS t')
                parts += [row for (row,) in cursor.fetchall()]
        cursor.execute("SELECT encode(sealed, 'escape') FROM numbers_printbatch")
        parts += [row for (row,) in cursor.fetchall()]
    return "\n".join(parts)


def _redis():
    import redis

    client = redis.Redis.from_url(django_settings.REDIS_URL)
    return b"".join(key + (client.dump(key) or b"") for key in client.keys("*"))
