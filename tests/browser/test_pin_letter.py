"""From an address to a number in service: letter, print queue, PIN, order, activation; and the refusals on the way.

The operator's part is done by the operations that the console calls; tests/numbers/test_letters_console.py clicks
them. The PIN is read where people read it, in the PDF.
"""

import io
import re
from typing import NamedTuple

import pypdfium2
import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from numbers import letter_jobs, printing
from numbers.models import Address, PhoneNumber, PinLetter
from tests import make
from tests.browser.looks import faults

PIN = re.compile(r"[2-9ACDEFGHJKMNPQRTUVWXY]{4}-[2-9ACDEFGHJKMNPQRTUVWXY]{4}")


class Words(NamedTuple):
    addresses: str
    first: str
    street: str
    house_number: str
    postcode: str
    town: str
    area: str
    enter: str
    own_field: str
    regions: str
    sure: str
    ask: str
    requested: str
    on_its_way: str
    pin: str
    verify: str
    wrong: str
    verified: str
    not_yet: str
    buy: str
    next_free: str
    show: str
    order: str
    yours: str
    activate: str
    pay: str
    active: str


WORDS = {
    "de": Words(
        *("Adressen", "Erste Adresse eintragen", "Straße", "Hausnummer", "Postleitzahl", "Ort", "Ortsnetz"),
        *("Adresse eintragen", "Bitte geben Sie die Hausnummer in das eigene Feld ein."),
        *("in verschiedenen Gegenden", "Ich habe es geprüft: Postleitzahl, Ort und Ortsnetz stimmen."),
        *("PIN-Brief anfordern", "Der PIN-Brief wurde angefordert.", "Unterwegs", "PIN aus dem Brief"),
        *("Adresse verifizieren", "Diese PIN stimmt nicht. Sie haben noch 4 Versuche."),
        *("Die Adresse ist verifiziert.", "Verifizieren Sie zuerst Ihre Adresse", "Rufnummern kaufen"),
        *("Nächste freie Rufnummer nehmen", "Freie Rufnummern zeigen", "Zahlungspflichtig bestellen"),
        "Die Rufnummer gehört Ihnen und ist inaktiv.",
        *("{} aktivieren", "Rufnummern jetzt kostenpflichtig aktivieren", "Die Rufnummer {} ist jetzt aktiv."),
    ),
    "en": Words(
        *("Addresses", "Enter the first address", "Street", "House number", "Postcode", "Town", "Local area"),
        *("Enter address", "Please enter the house number in the field of its own."),
        *("in different regions", "I have checked it: postcode, town and local area are right."),
        *("Request PIN letter", "The PIN letter was requested.", "On its way", "PIN from the letter"),
        *("Verify address", "This PIN is not right. You have 4 tries left."),
        *("The address is verified.", "First verify your address", "Buy phone numbers"),
        *("Take the next free number", "Show free numbers", "Order at a charge"),
        "The phone number is yours and inactive.",
        *("Activate {}", "Activate the numbers now at a charge", "{} is active now."),
    ),
}


@pytest.fixture
def pool(transactional_db, as_operator):
    with transaction.atomic(), as_operator():
        make.pool("030 231258", size=100)


@pytest.fixture
def post(cast, as_operator):
    """Return a function that prints and posts what waits, as the operator does; it returns the PINs of the PDF."""

    def act():
        at = timezone.now()
        with transaction.atomic(), as_operator():
            batches = printing.gather(by=cast.olga, at=at)
        with as_operator_connection(as_operator):
            letter_jobs.make_batches()
        with transaction.atomic(), as_operator():
            content = b"".join(printing.pdf(batch.pk, by=cast.olga, at=at) for batch in batches)
            for batch in batches:
                printing.printed(batch.pk, counted=batch.size, by=cast.olga, at=at)
                printing.posted(batch.pk, counted=batch.size, by=cast.olga, at=at)
        pages = pypdfium2.PdfDocument(io.BytesIO(content))
        return PIN.findall("".join("".join(page.get_textpage().get_text_range().split()) for page in pages))

    return act


def as_operator_connection(as_operator):
    """The worker's transactions, each within one of the operator's role."""

    class Both(transaction.Atomic):
        def __enter__(self):
            super().__enter__()
            self.role = as_operator()
            self.role.__enter__()

        def __exit__(self, *error):
            self.role.__exit__(*error)
            super().__exit__(*error)

    return Both(using=None, savepoint=True, durable=False)


@pytest.mark.timeout(600)
def test_from_an_address_to_a_number_in_service(visit, cast, in_acme, pool, post, manner, watch):
    watch.expects = {422}
    say, page = WORDS[manner.language], visit(cast.alice, manner.language, js=manner.js)
    page.goto("/numbers/orders/new/")
    expect(page.get_by_role("heading", name=say.not_yet)).to_be_visible()

    _enter_address(page, say)
    page.get_by_role("button", name=say.ask, exact=True).click()
    expect(page.get_by_text(say.requested)).to_be_visible()
    [pin] = post()
    _enter_pin(page, say, pin)
    _order(page, say)
    number, shown = "+493023125800", "030 23125800".replace(" ", "\u00a0")
    page.get_by_role("link", name=say.activate.format(shown), exact=True).click()
    page.get_by_role("button", name=say.pay, exact=True).click()
    expect(page.get_by_text(say.active.format(shown))).to_be_visible()

    with in_acme():
        assert PhoneNumber.objects.get(e164=number).state == "active"
        assert Address.objects.get().is_verified(timezone.now())
        assert PinLetter.objects.get().tries == 2


def _enter_address(page, say):
    page.get_by_role("navigation").get_by_role("link", name=say.addresses, exact=True).click()
    page.get_by_role("link", name=say.first).click()
    enter = page.get_by_role("button", name=say.enter, exact=True)
    fill = {"street": "Invalidenstraße 12a", "postcode": "80331", "town": "Berlin"}
    for name, text in fill.items():
        page.get_by_role("textbox", name=getattr(say, name), exact=True).fill(text)
    page.get_by_role("combobox", name=say.area, exact=True).fill("030")
    enter.click()
    expect(page.get_by_text(say.own_field)).to_be_visible()
    page.get_by_role("textbox", name=say.street, exact=True).fill("Invalidenstraße")
    page.get_by_role("textbox", name=say.house_number, exact=True).fill("12a")
    enter.click()
    expect(page.get_by_text(say.regions)).to_be_visible()
    expect(page.get_by_label(say.sure)).to_be_visible()
    page.get_by_role("textbox", name=say.postcode, exact=True).fill("10115")
    enter.click()
    expect(page.get_by_role("heading", name="Invalidenstraße 12a, 10115 Berlin")).to_be_visible()


def _enter_pin(page, say, pin):
    page.reload()
    expect(page.get_by_role("listitem").filter(has_text=say.on_its_way)).to_have_attribute("aria-current", "step")
    verify = page.get_by_role("button", name=say.verify, exact=True)
    page.get_by_label(say.pin).fill("AAAA-AAAA" if pin != "AAAA-AAAA" else "CCCC-CCCC")
    verify.click()
    expect(page.get_by_text(say.wrong)).to_be_visible()
    page.get_by_label(say.pin).fill(pin.lower().replace("-", " "))
    verify.click()
    expect(page.get_by_text(say.verified).first).to_be_visible()


def _order(page, say):
    """Order the next free number of Berlin."""
    page.get_by_role("main").get_by_role("link", name=say.buy).click()
    page.get_by_role("button", name=say.show).click()
    page.get_by_role("button", name=say.next_free).click()
    page.get_by_role("button", name=re.compile(say.order)).click()
    expect(page.get_by_text(say.yours)).to_be_visible()


def test_addresses_show_nothing_that_is_wrong(visit, cast, in_acme):
    with in_acme():
        sent = make.sent("30", by=cast.alice, posted_on=timezone.localdate())
        verified = make.verified_address("69", town="Frankfurt am Main", postcode="60311")
        make.number("+496990009001", area_code="69", label="Empfang")
    page = visit(cast.alice)

    found = []
    for path in ("", "new/", f"{sent.pk}/", f"{verified.pk}/", f"{verified.pk}/move/"):
        page.goto(f"/addresses/{path}")
        found += faults(page, path)

    assert found == []
