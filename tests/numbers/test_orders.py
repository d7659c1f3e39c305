from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from billing import costs
from billing.models import OneOffCharge
from numbers import orders, pool, returning
from numbers.models import LocalArea, NumberBlock, NumberOrder, PhoneNumber
from numbers.orders import FeeChanged, OrderRefused
from numbers.outcomes import Reason, Result
from portal import tenancy
from portal.access import tenant_token
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW

JPEG = b"\xff\xd8\xff proof \xff\xd9"


@pytest.fixture
def berlin(acme, as_operator):
    """The area of Berlin: a verified address, and a hundred numbers in the pool."""
    make.verified_address("30")
    with as_operator():
        make.pool("030 231258", size=100, memorable="*77")
    return LocalArea.objects.get(area_code="30")


def ordered(cast, area, count=2, *, kind="single", fee=None, **options):
    key = uuid4()
    if kind == "single":
        pool.reserve_next(area.pk, count=count, basket=key, at=NOW)
    else:
        pool.reserve_run(area.pk, length=count, aligned=kind == "block", basket=key, at=NOW)
    seen = Decimal(fee) if fee else Decimal("4.90") * count
    return orders.place(key, kind=kind, count_seen=count, fee_seen=seen, by=cast.alice, at=NOW, **options)


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


def test_place_of_a_block_gives_its_numbers_base_and_extension(acme, berlin):
    ordered(acme, berlin, 10, kind="block")

    block = NumberBlock.objects.get()
    assert (block.base_number, block.extension_digits) == ("+49302312580", 1)
    assert sorted(PhoneNumber.objects.values_list("extension_digits", flat=True)) == [str(n) for n in range(10)]


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


def test_return_numbers_rests_an_inactive_number_and_traces_it(acme, berlin):
    (e164,) = ordered(acme, berlin, 1).numbers
    number = PhoneNumber.objects.get(e164=e164)

    (outcome,) = returning.return_numbers(PhoneNumber.objects.locked([number.pk]), by=acme.alice, at=NOW)

    assert outcome.result == Result.DONE
    assert PhoneNumber.objects.get(pk=number.pk).state == "returned"
    assert AuditEvent.objects.filter(verb="number.returned", object_id=number.pk).count() == 1
    assert OutboxMessage.objects.filter(template="numbers/returned").count() == 1
    assert e164 not in [free.e164 for free in pool.numbers(berlin.pk, most=200, at=NOW)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "active"}, Reason.STILL_ACTIVE),
        ({"state": "port_in_pending"}, Reason.PORTING),
        ({"state": "returned"}, Reason.GONE),
    ],
)
def test_return_numbers_refuses_what_is_not_inactive(acme, fields, reason):
    number = make.number(**fields)

    (outcome,) = returning.return_numbers(PhoneNumber.objects.locked([number.pk]), by=acme.alice, at=NOW)

    assert (outcome.result, outcome.reason) == (Result.REFUSED, reason)
    assert PhoneNumber.objects.get(pk=number.pk).state == fields["state"]


def post(cast, client, name, *args, **fields):
    fields = {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4())} | fields
    return client.post(reverse(f"numbers:{name}", args=args), fields)


def choose(cast, client, **fields):
    return post(cast, client, "order_new", **({"area": "30", "kind": "single", "count": "1", "q": ""} | fields))


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
    chosen = choose(acme, client, next="1")
    form = client.get(chosen.url).context
    fields = {"basket": str(form["key"]), "kind": "single", "count_seen": "1", "fee_seen": str(form["fee_seen"])}

    bad = post(acme, client, "order_confirm", **fields, **({"proof": _file(content)} if content else {}))
    good = post(acme, client, "order_confirm", **fields, proof=_file(JPEG))

    assert bad.status_code == 422
    assert sentence in bad.content.decode()
    order = NumberOrder.objects.get()
    assert (order.state, good.url) == ("placed", reverse("numbers:order", args=[order.pk]))
    assert client.get(reverse("numbers:order_proof", args=[order.pk])).content == JPEG


def _file(content):
    return SimpleUploadedFile("nachweis", content)


def test_order_confirm_sent_twice_orders_once(acme, berlin, sign_in):
    client = sign_in(acme.alice)
    form = client.get(choose(acme, client, next="1").url).context
    fields = {"basket": str(form["key"]), "kind": "single", "count_seen": "1", "fee_seen": str(form["fee_seen"])}
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

    with django_assert_num_queries(7):
        assert client.get(reverse("numbers:orders")).status_code == 200


def test_return_wants_the_tick_and_says_it_is_gone(acme, berlin, sign_in):
    number = make.number()
    client = sign_in(acme.alice)

    missing = post(acme, client, "return", number.pk)
    done = post(acme, client, "return", number.pk, sure="on")

    assert (missing.status_code, done.status_code) == (422, 302)
    assert PhoneNumber.objects.get(pk=number.pk).state == "returned"


def test_return_wants_a_fresh_sign_in(acme, sign_in):
    number = make.number()
    client = sign_in(acme.alice)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1.0, "email": "a@b.example"}]
    session.save()

    assert "reauthenticate" in post(acme, client, "return", number.pk, sure="on").url
    assert PhoneNumber.objects.get(pk=number.pk).state == "inactive"


def test_block_shows_every_extension_with_a_word(acme, berlin, sign_in):
    ordered(acme, berlin, 10, kind="block")
    first = PhoneNumber.objects.order_by("e164").first()
    PhoneNumber.objects.filter(pk=first.pk).update(state="active")
    client = sign_in(acme.alice)

    page = client.get(reverse("numbers:block", args=[NumberBlock.objects.get().pk]))

    looks = [str(entry["cell"].look) for entry in page.context["cells"]]
    assert looks == ["active", *["inactive"] * 9]
    assert page.context["cells"][0]["cell"].is_pilot
    assert f'value="{first.pk + 1}"' in page.content.decode()


@pytest.mark.parametrize("name", ["orders", "order_new", "blocks"])
def test_pages_are_the_administrators_alone(cast, sign_in, name):
    assert sign_in(cast.bob).get(reverse(f"numbers:{name}")).status_code == 403


def test_another_tenants_order_is_not_there(cast, berlin, sign_in):
    order = ordered(cast, berlin, 1)

    with tenancy.serving(None):
        assert sign_in(cast.carl).get(reverse("numbers:order", args=[order.pk])).status_code == 404
