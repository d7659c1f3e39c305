import pytest
from django.urls import reverse

from numbers import orders
from numbers.models import NumberOrder, PhoneNumber
from tests.conftest import NOW
from tests.ordering import open_berlin, ordered


@pytest.fixture
def berlin(acme):
    return open_berlin()


def test_history_tells_of_orders_in_words_and_leads_to_them(acme, berlin, sign_in, settings):
    one = ordered(acme, berlin, 1)
    settings.ORDER_LIMIT = 1
    for decide in (orders.approve, lambda order, **k: orders.reject(order, reason="Zu viele.", **k)):
        waiting = NumberOrder.objects.locked(ordered(acme, berlin, 2, proof="x.pdf").pk)
        decide(waiting, by=acme.olga, at=NOW)

    page = sign_in(acme.alice).get(reverse("numbers:history"))

    lines = [line for line in page.context["page"].lines if line.order_id]
    assert [(line.sentence, line.actor) for line in lines] == [
        ("Bestellung abgelehnt: Zu viele.", "Olga Otto"),
        ("2 Rufnummern in Berlin (030) bestellt, wartet auf Freigabe", "Alice Adler"),
        ("Bestellung freigegeben", "Olga Otto"),
        ("2 Rufnummern in Berlin (030) bestellt, wartet auf Freigabe", "Alice Adler"),
        ("1 Rufnummer in Berlin (030) bestellt", "Alice Adler"),
    ]
    assert reverse("numbers:order", args=[one.pk]) in page.content.decode()


def test_a_numbers_own_history_begins_with_its_order(acme, berlin, sign_in):
    ordered(acme, berlin, 1)
    other = PhoneNumber.objects.get()
    ordered(acme, berlin, 2)
    client = sign_in(acme.alice)

    def told(number):
        page = client.get(reverse("numbers:number", args=[number.pk]))
        return [line.sentence for line in page.context["lines"]]

    assert told(other) == ["In den Bestand aufgenommen", "1 Rufnummer in Berlin (030) bestellt"]
    assert told(PhoneNumber.objects.latest("pk"))[1:] == ["2 Rufnummern in Berlin (030) bestellt"]
