"""From the wish for a letter to the days for its PIN, with a postal service instead of the print queue."""

import re

import pypdfium2
import pytest
from django.utils import timezone

from numbers import letter_jobs, letters, outgoing, pins, printing
from numbers.models import Address, PinLetter, PostalOrder, PrintBatch
from numbers.postal import Fate, Job
from tests import letter_service, make


@pytest.fixture
def desk(settings):
    with letter_service.open_service() as service:
        settings.POSTAL_SERVICE, settings.POSTAL_URL, settings.POSTAL_MODE = "letterxpress", service.url, "live"
        settings.POSTAL_USER, settings.POSTAL_KEY = "operator", "secret"
        yield service


@pytest.fixture
def wanted(acme):
    """An address of Acme for which a letter was asked."""
    address = make.address("30")
    letters.ask(Address.objects.locked([address.pk])[0], by=acme.alice, at=timezone.now())
    return address


def work(as_operator):
    with as_operator():
        return letter_jobs.hand_over()


def told(as_operator, fate):
    with as_operator():
        order = PostalOrder.objects.get()
        outgoing.note(order.key, Job(order.reference, fate), at=timezone.now())


def now(address):
    return Address.objects.get(pk=address.pk)


def test_hand_over_gives_a_letter_of_its_own_to_the_service(wanted, desk, as_operator):
    assert work(as_operator) == 1

    (job,) = desk.jobs.values()
    document = pypdfium2.PdfDocument(job["pdf"])
    text = document[0].get_textpage().get_text_range()
    assert len(document) == 1
    assert "Musterstraße 12a" in text
    letter = PinLetter.objects.get()
    found = re.search(r"\b([0-9A-Z]{4})[-\u2010\u2011 ]([0-9A-Z]{4})\b", text)
    assert pins.matches(pins.normal("".join(found.groups())), letter)
    assert (letter.state, now(wanted).state) == ("batched", "letter_requested")
    assert work(as_operator) == 0


def test_a_posted_letter_starts_the_days_for_its_pin_and_its_pdf_is_erased_later(wanted, desk, as_operator):
    work(as_operator)

    told(as_operator, Fate.POSTED)

    assert (PinLetter.objects.get().state, now(wanted).state) == ("posted", "letter_sent")
    with as_operator():
        assert PrintBatch.objects.get().erase_on is not None


def test_a_letter_that_came_back_says_so_even_if_nobody_said_it_was_posted(wanted, desk, as_operator):
    work(as_operator)

    told(as_operator, Fate.RETURNED)
    told(as_operator, Fate.POSTED)

    assert (PinLetter.objects.get().state, now(wanted).state) == ("returned", "returned_mail")


def test_a_letter_that_was_called_off_waits_for_people_to_print_it(acme, wanted, desk, as_operator):
    work(as_operator)

    told(as_operator, Fate.CANCELLED)

    letter = PinLetter.objects.get()
    assert (letter.state, letter.batch_id, letter.pin_hash) == ("queued", None, "")
    assert work(as_operator) == 0
    with as_operator():
        assert len(printing.gather(by=acme.olga, at=timezone.now())) == 1


def test_without_a_service_letters_wait_in_the_print_queue(wanted, as_operator):
    assert work(as_operator) == 0
    assert PinLetter.objects.get().state == "queued"
