"""The operator decides on orders above the limit of an area, and sees how far the pool is used."""

import html
from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse

from numbers import orders, pool
from numbers.models import LocalArea, NumberOrder, PhoneNumber, PoolArea
from portal import documents
from portal.models import AuditEvent, OutboxMessage
from portal.tenancy import tenant_transaction
from tests import make
from tests.conftest import NOW
from tests.portal.test_operator_console import console  # noqa: F401 -- the fixture

JPEG = b"\xff\xd8\xff proof \xff\xd9"


@pytest.fixture
def waiting(cast, as_operator, settings):
    """An order of Acme that waits for a decision."""
    settings.ORDER_LIMIT = 0
    with as_operator():
        make.pool("030 2312590", size=10)
    area, key = LocalArea.objects.get(area_code="30"), uuid4()
    with tenant_transaction(cast.acme.pk):
        make.verified_address("30")
        pool.reserve_next(area.pk, count=3, basket=key, at=NOW)
        proof, seen = documents.keep(JPEG), {"count_seen": 3, "fee_seen": Decimal("14.70")}
        yield orders.place(key, kind="single", **seen, proof=proof, by=cast.alice, at=NOW)


def decide(client, order, **fields):
    return client.post(reverse("admin:numbers_order_decide", args=[order.pk]), fields, follow=True)


def text(answer):
    return html.unescape(answer.content.decode())


def now(order):
    with tenant_transaction(order.tenant_id):
        return NumberOrder.objects.get(pk=order.pk)


def test_order_is_titled_with_its_kind_and_numbers(waiting, console):  # noqa: F811 -- the fixture
    page = text(console.get(reverse("admin:numbers_numberorder_change", args=[waiting.pk])))

    assert f"Einzelne Rufnummern: {', '.join(waiting.numbers)}</" in page


def test_waiting_orders_lead_to_their_decision_and_proof(waiting, console):  # noqa: F811 -- the fixture
    listed = console.get(reverse("admin:numbers_numberorder_changelist"), {"state__exact": "placed"})
    url = reverse("admin:numbers_order_decide", args=[waiting.pk])
    page = console.get(url)
    proof = console.get(reverse("admin:numbers_order_proof", args=[waiting.pk]))

    assert url in text(listed)
    for said in ("Acme GmbH", "Berlin (030)", "3 × Einzelne Rufnummern", "Alice Adler"):
        assert said in text(page)
    assert proof.content == JPEG
    assert proof.headers["Content-Disposition"].startswith("attachment")
    assert proof.headers["X-Content-Type-Options"] == "nosniff"


def test_approve_brings_the_numbers_tells_and_leaves_a_trace(waiting, console, cast):  # noqa: F811 -- the fixture
    answer = decide(console, waiting, decision="approve")

    assert answer.redirect_chain[-1][0] == reverse("admin:numbers_numberorder_changelist")
    assert now(waiting).state == "fulfilled"
    with tenant_transaction(cast.acme.pk):
        held = PhoneNumber.objects.filter(e164__in=waiting.numbers)
        assert set(held.values_list("state", flat=True)) == {"inactive"}
    event = AuditEvent.objects.get(verb="order.approved")
    assert (event.actor_id, event.tenant_id) == (cast.olga.pk, cast.acme.pk)
    assert OutboxMessage.objects.filter(template="numbers/ordered", recipient=cast.alice.email).count() == 1


def test_reject_needs_a_reason_that_the_customer_reads(waiting, console, cast):  # noqa: F811 -- the fixture
    silent = decide(console, waiting, decision="reject", reason=" ")
    assert "Bitte geben Sie den Grund" in text(silent) or "Grund" in text(silent)
    assert now(waiting).state == "placed"

    decide(console, waiting, decision="reject", reason="Der Nachweis ist unleserlich.")

    assert (now(waiting).state, now(waiting).reason) == ("rejected", "Der Nachweis ist unleserlich.")
    mail = OutboxMessage.objects.get(template="numbers/order_rejected")
    assert mail.context["reason"] == "Der Nachweis ist unleserlich."


def test_a_second_decision_is_refused(waiting, console):  # noqa: F811 -- the fixture
    decide(console, waiting, decision="approve")

    again = decide(console, waiting, decision="reject", reason="nein")

    assert "wartet nicht mehr" in text(again)
    assert now(waiting).state == "fulfilled"


def test_another_decision_is_none(waiting, console):  # noqa: F811 -- the fixture
    decide(console, waiting, decision="perhaps", reason="nein")

    assert now(waiting).state == "placed"


@pytest.mark.parametrize("name", ["decide", "proof"])
def test_pages_of_an_order_that_is_not_there_are_404(console, name):  # noqa: F811 -- the fixture
    assert console.get(reverse(f"admin:numbers_order_{name}", args=[99])).status_code == 404


def test_the_pool_shows_its_utilisation_and_takes_a_threshold(waiting, console, cast):  # noqa: F811 -- the fixture
    listed = console.get(reverse("admin:numbers_poolarea_changelist"))
    area = PoolArea.objects.get()

    changed = console.post(reverse("admin:numbers_poolarea_change", args=[area.pk]), {"warn_from": "60"})

    assert "0 %" in text(listed)
    assert changed.status_code == 302
    area.refresh_from_db()
    assert area.warn_from == 60
    assert AuditEvent.objects.get(verb="pool.changed").actor_id == cast.olga.pk
    assert console.get(reverse("admin:numbers_poolblock_changelist"), {"q": "D123"}).status_code == 200
