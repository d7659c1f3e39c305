from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse

from billing import costs
from billing.models import OneOffCharge
from numbers import orders, pool
from numbers.models import LocalArea, NumberOrder, PhoneNumber
from numbers.orders import FeeChanged, OrderRefused
from portal import tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW
from tests.ordering import JPEG, agreed, choose, file, open_berlin, ordered, post


@pytest.fixture
def berlin(acme):
    return open_berlin()


def test_place_brings_inactive_numbers_charges_the_fee_and_tells(acme, berlin):
    order = ordered(acme, berlin)

    assert (order.state, order.numbers, order.fee) == (
        "fulfilled",
        ["+493023125800", "+493023125801"],
        Decimal("9.80"),
    )
    numbers = PhoneNumber.objects.order_by("e164")
    assert [(n.e164, n.state, n.usage, n.extension_digits) for n in numbers] == [
        (e164, "inactive", "voice", "") for e164 in order.numbers
    ]
    charge = OneOffCharge.objects.get()
    assert (charge.label, charge.count, charge.net) == ("Berlin (030)", 2, Decimal("9.80"))
    assert set(AuditEvent.objects.values_list("verb", flat=True)) == {"order.placed", "number.added"}
    assert OutboxMessage.objects.get().template == "numbers/ordered"


def test_the_fee_is_part_of_the_months_costs(acme, berlin):
    ordered(acme, berlin)
    once = list(OneOffCharge.objects.all())

    bill = costs.month(NOW.date().replace(day=1), [], costs.versions(), once=once)

    assert (bill.net, bill.gross) == (Decimal("9.80"), Decimal("11.66"))


def test_place_without_a_verified_address_is_refused_at_the_area(acme, as_operator):
    with as_operator():
        make.pool("069 9000990", size=10)

    with pytest.raises(OrderRefused) as refused:
        ordered(acme, LocalArea.objects.get(area_code="69"), 1)

    assert (refused.value.field, PhoneNumber.objects.count()) == ("area", 0)


def test_place_at_another_fee_asks_again_and_changes_nothing(acme, berlin):
    with pytest.raises(FeeChanged) as changed:
        ordered(acme, berlin, fee="1.00")

    assert changed.value.price.net == Decimal("9.80")
    assert not NumberOrder.objects.exists()


def test_place_of_a_number_sold_a_second_ago_is_refused(acme, berlin):
    with pytest.raises(OrderRefused, match="war schneller") as refused:
        orders.place(uuid4(), kind="single", count_seen=1, fee_seen=Decimal("4.90"), by=acme.alice, at=NOW)

    assert refused.value.field == "numbers"


def test_place_above_the_limit_wants_a_proof(acme, berlin, settings):
    settings.ORDER_LIMIT = 1

    with pytest.raises(OrderRefused) as refused:
        ordered(acme, berlin)

    assert refused.value.field == "proof"


def test_place_above_the_limit_waits_and_keeps_the_numbers(acme, berlin, settings):
    settings.ORDER_LIMIT = 1

    order = ordered(acme, berlin, proof="x.pdf")

    assert (order.state, order.decided_at, PhoneNumber.objects.count()) == ("placed", None, 0)
    assert not OneOffCharge.objects.exists()
    assert [free.e164 for free in pool.basket(order.reservation).numbers] == order.numbers
    templates = OutboxMessage.objects.values_list("template", flat=True)
    assert list(templates) == ["numbers/order_waiting"]  # the operator's belongs to no tenant
    assert orders.needs_proof(berlin.pk, 0)


def test_approve_fulfils_a_waiting_order(acme, berlin, settings):
    settings.ORDER_LIMIT = 1
    order = NumberOrder.objects.locked(ordered(acme, berlin, proof="x.pdf").pk)

    orders.approve(order, by=acme.olga, at=NOW)

    assert order.state == "fulfilled"
    assert sorted(PhoneNumber.objects.values_list("e164", flat=True)) == order.numbers
    assert OneOffCharge.objects.get().net == Decimal("9.80")
    assert AuditEvent.objects.get(verb="order.approved").actor_id == acme.olga.pk
    with pytest.raises(OrderRefused, match="wartet nicht mehr"):
        orders.approve(order, by=acme.olga, at=NOW)


def test_reject_needs_a_reason_gives_the_numbers_back_and_tells_why(acme, berlin, settings):
    settings.ORDER_LIMIT = 1
    order = NumberOrder.objects.locked(ordered(acme, berlin, proof="x.pdf").pk)
    with pytest.raises(OrderRefused):
        orders.reject(order, reason="  ", by=acme.olga, at=NOW)

    orders.reject(order, reason="Der Nachweis ist unleserlich.", by=acme.olga, at=NOW)

    assert (order.state, order.reason) == ("rejected", "Der Nachweis ist unleserlich.")
    assert pool.numbers(berlin.pk, most=1, at=NOW)[0].e164 == order.numbers[0]
    assert OutboxMessage.objects.filter(template="numbers/order_rejected").count() == 1
    assert not OneOffCharge.objects.exists()


def test_pages_lead_from_search_to_inactive_numbers(acme, berlin, sign_in):
    client = sign_in(acme.alice)
    shown = client.get(reverse("numbers:order_new"), {"area": "30", "kind": "single", "count": "1", "q": "*77"})
    assert "23125877" in shown.content.decode().replace("\xa0", "")

    chosen = choose(acme, client, numbers="+493023125877")
    confirm = client.get(chosen.url)
    form = confirm.context
    done = post(
        acme,
        client,
        "order_confirm",
        basket=str(form["key"]),
        kind="single",
        count_seen="1",
        fee_seen=str(form["fee_seen"]),
    )

    assert "Zahlungspflichtig bestellen" in confirm.content.decode()
    assert done.status_code == 302
    assert done.url == f"/numbers/?state=inactive&area=30&order={NumberOrder.objects.get().pk}"
    assert "p-fresh" in client.get(done.url).content.decode()
    assert PhoneNumber.objects.get().price_class == "premium"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"area": "69"}, "keine verifizierte Adresse"),
        ({"area": ""}, "Bitte wählen Sie ein Ortsnetz"),
        ({"kind": "block", "count": "7"}, "Ein Block hat 10 oder 100"),
        ({"kind": "consecutive", "count": "1"}, "mindestens zwei"),
        ({"count": "0"}, "mindestens eine"),
        ({"count": "101"}, "höchstens 100"),
        ({"count": "x"}, "wie viele Rufnummern"),
        ({"q": "abc"}, "Bitte verwenden Sie Ziffern"),
        ({}, "Bitte wählen Sie mindestens eine Rufnummer"),
        ({"numbers": "+493023125999"}, "gerade von jemand anderem"),
        ({"kind": "block", "count": "10", "numbers": "+493023125805"}, "gerade von jemand anderem"),
    ],
)
def test_order_new_says_what_is_wrong_at_the_field(acme, berlin, sign_in, fields, sentence):
    answer = choose(acme, sign_in(acme.alice), **fields)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_order_confirm_without_a_reservation_leads_back(acme, berlin, sign_in):
    client = sign_in(acme.alice)

    answer = client.get(reverse("numbers:order_confirm"), {"basket": str(uuid4()), "kind": "single"})

    assert (answer.status_code, answer.url) == (302, reverse("numbers:order_new"))


@pytest.mark.parametrize(("content", "sentence"), [(b"", "Bitte laden Sie ihn hoch"), (b"%PDF-1.4 x", "beschädigt")])
def test_order_confirm_above_the_limit_wants_a_readable_proof(acme, berlin, sign_in, settings, content, sentence):
    settings.ORDER_LIMIT = 0
    client = sign_in(acme.alice)
    fields = agreed(client, choose(acme, client, next="1"))

    bad = post(acme, client, "order_confirm", **fields, **({"proof": file(content)} if content else {}))
    good = post(acme, client, "order_confirm", **fields, proof=file(JPEG))

    assert bad.status_code == 422
    assert sentence in bad.content.decode()
    order = NumberOrder.objects.get()
    assert (order.state, good.url) == ("placed", reverse("numbers:order", args=[order.pk]))
    assert client.get(reverse("numbers:order_proof", args=[order.pk])).content == JPEG


@pytest.mark.parametrize("change", [{"fee_seen": "1.00"}, {"basket": str(uuid4())}, {"count_seen": "2"}])
def test_order_confirm_that_fails_leaves_no_proof_behind(acme, berlin, sign_in, settings, tmp_path, change):
    settings.ORDER_LIMIT, settings.DOCUMENTS_DIR = 0, tmp_path
    client = sign_in(acme.alice)
    fields = agreed(client, choose(acme, client, next="1"))

    post(acme, client, "order_confirm", **fields | change, proof=file(JPEG))

    assert not NumberOrder.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_order_confirm_below_the_limit_keeps_no_proof(acme, berlin, sign_in, settings, tmp_path):
    settings.DOCUMENTS_DIR = tmp_path
    client = sign_in(acme.alice)
    fields = agreed(client, choose(acme, client, next="1"))

    post(acme, client, "order_confirm", **fields, proof=file(JPEG))

    assert (NumberOrder.objects.get().proof, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize(
    ("kind", "picked"),
    [
        ("block", [f"+49302312580{n}" for n in range(5)]),
        ("block", [f"+4930231258{n:02}" for n in range(5, 15)]),
        ("consecutive", ["+493023125800", "+493023125802"]),
    ],
)
def test_place_of_numbers_that_do_not_belong_together_is_refused(acme, berlin, kind, picked):
    key = uuid4()
    pool.reserve(berlin.pk, picked, basket=key, at=NOW)
    fee = Decimal("4.90") * len(picked)

    with pytest.raises(OrderRefused, match="gehören nicht zusammen") as refused:
        orders.place(key, kind=kind, count_seen=len(picked), fee_seen=fee, by=acme.alice, at=NOW)

    assert (refused.value.field, NumberOrder.objects.count()) == ("numbers", 0)


def test_order_confirm_sent_twice_orders_once(acme, berlin, sign_in):
    client = sign_in(acme.alice)
    fields = agreed(client, choose(acme, client, next="1"))
    key = str(uuid4())

    first, second = (post(acme, client, "order_confirm", **fields, operation_id=key) for _ in (0, 1))

    assert first.url == second.url
    assert NumberOrder.objects.count() == OneOffCharge.objects.count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_orders_ask_as_much_for_any_number_of_rows(acme, berlin, sign_in, django_assert_num_queries, count):
    for _ in range(count):
        ordered(acme, berlin, 1)
    client = sign_in(acme.alice)
    client.get(reverse("numbers:orders"))

    with django_assert_num_queries(6):
        assert client.get(reverse("numbers:orders")).status_code == 200


@pytest.mark.parametrize("name", ["orders", "order_new", "blocks"])
def test_pages_are_the_administrators_alone(cast, sign_in, name):
    assert sign_in(cast.bob).get(reverse(f"numbers:{name}")).status_code == 403


def test_another_tenants_order_is_not_there(cast, berlin, sign_in):
    order = ordered(cast, berlin, 1)

    with tenancy.serving(None):
        assert sign_in(cast.carl).get(reverse("numbers:order", args=[order.pk])).status_code == 404
