"""Buying numbers as people do it, in both languages, with and without JavaScript; and each refusal on the way."""

import re
from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from numbers import orders, pool
from numbers.models import LocalArea, NumberOrder, PhoneNumber, PoolNumber
from portal.tenancy import tenant_transaction
from tests import make
from tests.browser import looks
from tests.portal.test_uploads import action, opens_with, pdf


class Words(NamedTuple):
    buy: str
    area: str
    kinds: dict[str, str]
    count: str
    pattern: str
    show: str
    go_on: str
    take_next: str
    none_chosen: str
    kept: re.Pattern[str]
    ended: re.Pattern[str]
    order: re.Pattern[str]
    done: re.Pattern[str]
    taken: str
    faster: str
    proof: re.Pattern[str]
    no_proof: str
    scripts: str
    waits: str
    fulfilled: str
    verify_first: str


WORDS = {
    "de": Words(
        "Rufnummern kaufen",
        "Ortsnetz",
        {"single": "Einzelne Rufnummern", "consecutive": "Aufeinanderfolgende Rufnummern", "block": "Block"},
        "Wie viele",
        re.compile("Muster"),
        "Freie Rufnummern zeigen",
        "Weiter mit den gewählten Rufnummern",
        re.compile("ächste(n 2)? freien? Rufnummern? nehmen"),
        "Bitte wählen Sie mindestens eine Rufnummer",
        re.compile("bis .* für Sie reserviert"),
        re.compile("15 Minuten sind abgelaufen"),
        re.compile("Zahlungspflichtig bestellen für"),
        re.compile("gehör(t|en) Ihnen und (ist|sind) inaktiv"),
        "Diese Rufnummern wurden gerade von jemand anderem genommen.",
        "Jemand anderes war schneller",
        re.compile("Nachweis Ihres Bedarfs"),
        "So viele Rufnummern brauchen einen Nachweis. Bitte laden Sie ihn hoch.",
        "Das PDF enthält Skripte",
        "Ihre Bestellung wartet auf unsere Freigabe.",
        "Ausgeführt",
        "Verifizieren Sie zuerst Ihre Adresse",
    ),
    "en": Words(
        "Buy phone numbers",
        "Local area",
        {"single": "Single numbers", "consecutive": "Consecutive numbers", "block": "Block"},
        "How many",
        re.compile("Pattern"),
        "Show free numbers",
        "Continue with the chosen numbers",
        re.compile("Take the next (2 )?free numbers?"),
        "Please choose at least one number",
        re.compile("kept for you until"),
        re.compile("15 minutes are over"),
        re.compile("Order at a charge for"),
        re.compile("(is|are) yours and inactive"),
        "These numbers have just been taken by somebody else.",
        "Somebody else was faster",
        re.compile("Proof of your need"),
        "So many numbers need a proof. Please upload it.",
        "The PDF contains scripts",
        "Your order waits for our approval.",
        "Fulfilled",
        "First verify your address",
    ),
}


@pytest.fixture
def berlin(in_acme, as_operator):
    """A hundred free numbers of Berlin, where Acme has a verified address."""
    with transaction.atomic(), as_operator():
        make.pool("030 231258", size=100, memorable="*77")
    with in_acme():
        make.verified_address("30")
        make.number("+493023125012")
    return LocalArea.objects.get(area_code="30")


@pytest.fixture
def shop(visit, cast, manner):
    """Return a page on which Alice looks for numbers, and a function that shows her the free ones."""
    say, page = WORDS[manner.language], visit(cast.alice, manner.language, js=manner.js)

    def look(kind="single", count=1, pattern=""):
        page.goto("/numbers/")
        page.get_by_role("link", name=say.buy, exact=True).first.click()
        page.get_by_label(say.area, exact=True).select_option("30")
        page.get_by_role("radio", name=say.kinds[kind], exact=True).check()
        page.get_by_label(say.count, exact=True).fill(str(count))
        page.get_by_label(say.pattern).fill(pattern)
        page.get_by_role("button", name=say.show).click()

    return say, page, look


def held(in_acme):
    with in_acme():
        return sorted(PhoneNumber.objects.exclude(e164="+493023125012").values_list("e164", "state"))


PICKED = [
    ("single", 1, "", ["030 23125801", "030 23125803"], ["801", "803"]),
    ("single", 1, "*77", ["030 23125877"], ["877"]),
    ("consecutive", 3, "", ["030 23125803 – 030 23125805"], ["803", "804", "805"]),
    ("block", 10, "", ["030 2312581\u20110 – 9"], [f"81{n}" for n in range(10)]),
]


@pytest.mark.parametrize(("kind", "count", "pattern", "offers", "got"), PICKED, ids=["pick", "pattern", "run", "block"])
def test_order(shop, berlin, in_acme, kind, count, pattern, offers, got):
    say, page, look = shop
    look(kind, count, pattern)
    for offer in offers:
        page.get_by_label(offer).check()
    page.get_by_role("button", name=say.go_on).click()
    expect(page.get_by_text(say.kept)).to_be_visible()

    page.get_by_role("button", name=say.order).click()

    expect(page.get_by_text(say.done)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/numbers/\?state=inactive&area=30"))
    expect(page.locator("tr.p-fresh")).to_have_count(len(got))
    assert held(in_acme) == [(f"+493023125{end}", "inactive") for end in got]


def test_order_takes_the_next_free_ones(shop, berlin, in_acme):
    say, page, look = shop
    look(count=2)

    page.get_by_role("button", name=say.take_next).click()
    page.get_by_role("button", name=say.order).click()

    expect(page.get_by_text(say.done)).to_be_visible()
    assert held(in_acme) == [("+493023125800", "inactive"), ("+493023125801", "inactive")]


def test_order_without_a_choice_says_so(shop, berlin, watch):
    watch.expects = {422}
    say, page, look = shop
    look()

    page.get_by_role("button", name=say.go_on).click()

    expect(page.get_by_text(say.none_chosen)).to_be_visible()


def test_order_of_a_number_sold_a_second_ago(shop, cast, berlin, watch, in_acme):
    watch.expects = {422}
    say, page, look = shop
    look()
    page.get_by_label("030 23125801").check()
    with tenant_transaction(cast.globex.pk):
        pool.reserve(berlin.pk, ["+493023125801"], basket=uuid4(), at=timezone.now())

    page.get_by_role("button", name=say.go_on).click()

    expect(page.get_by_text(say.taken)).to_be_visible()
    expect(page.get_by_label("030 23125801")).to_have_count(0)
    assert held(in_acme) == []


def test_order_after_the_reservation_ran_out(shop, cast, berlin, in_acme, as_operator):
    say, page, look = shop
    look()
    page.get_by_role("button", name=say.take_next).click()
    expect(page.get_by_text(say.kept)).to_be_visible()
    with transaction.atomic(), as_operator():
        PoolNumber.objects.exclude(reservation=None).update(free_from=timezone.now() - timedelta(minutes=1))

    page.reload()

    expect(page.get_by_text(say.ended)).to_be_visible()
    with tenant_transaction(cast.globex.pk):
        pool.reserve(berlin.pk, ["+493023125800"], basket=uuid4(), at=timezone.now())
    page.get_by_role("button", name=say.order).click()
    expect(page.get_by_text(say.faster)).to_be_visible()
    expect(page).to_have_url(re.compile("/numbers/orders/new/$"))
    assert held(in_acme) == []


def test_order_above_the_limit_waits_for_the_operator(shop, cast, berlin, in_acme, watch, settings):
    watch.expects, settings.ORDER_LIMIT = {422}, 1
    say, page, look = shop
    look()
    page.get_by_role("button", name=say.take_next).click()
    order, proof = page.get_by_role("button", name=say.order), page.get_by_label(say.proof)
    order.click()
    expect(page.get_by_text(say.no_proof)).to_be_visible()
    hostile, plan = pdf(opens_with(lambda document: action("/JavaScript"))), pdf()
    proof.set_input_files({"name": "plan.pdf", "mimeType": "application/pdf", "buffer": hostile})
    order.click()
    expect(page.get_by_text(say.scripts)).to_be_visible()

    proof.set_input_files({"name": "plan.pdf", "mimeType": "application/pdf", "buffer": plan})
    order.click()

    expect(page.get_by_text(say.waits)).to_be_visible()
    assert held(in_acme) == []
    with in_acme():
        waiting = NumberOrder.objects.locked(NumberOrder.objects.get().pk)
        orders.approve(waiting, by=cast.olga, at=timezone.now())
    page.reload()
    expect(page.get_by_text(say.fulfilled)).to_be_visible()
    page.get_by_role("link", name="030 23125800").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("030 23125800")


def test_pages_of_ordering_have_no_faults(visit, cast, berlin, in_acme, settings):
    """What the walk over all pages cannot reach: offers, confirmation with proof, an order that waits."""
    settings.ORDER_LIMIT = 1
    page, found = visit(cast.alice), []
    for kind, count in (("block", 10), ("single", 2)):
        page.goto(f"/numbers/orders/new/?area=30&kind={kind}&count={count}&q=")
        found += looks.faults(page, f"offers of {kind}")
    page.get_by_role("button", name=WORDS["de"].take_next).click()
    found += looks.faults(page, "confirmation")
    page.get_by_label(WORDS["de"].proof).set_input_files(
        {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    )
    page.get_by_role("button", name=WORDS["de"].order).click()
    found += looks.faults(page, "waiting order")
    page.goto("/numbers/orders/")
    found += looks.faults(page, "orders")

    assert found == [], "\n".join(found)


def test_order_without_a_verified_address_leads_to_the_addresses(visit, cast, manner, in_acme):
    say, page = WORDS[manner.language], visit(cast.alice, manner.language, js=manner.js)
    with in_acme():
        make.number("+493023125012")

    page.goto("/numbers/orders/new/")

    expect(page.get_by_text(say.verify_first)).to_be_visible()
