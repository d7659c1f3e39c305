"""The list of port orders: searched, narrowed, sorted and paged on the server; the address holds the view (rule G4)."""

import pytest
from django.urls import reverse

from numbers import port_desk, port_list
from tests import porting as ports
from tests.conftest import NOW

URL = reverse("numbers:ports")


@pytest.fixture
def orders(acme):
    """Three of Acme's: one submitted, two drafts."""
    ports.verified(acme)
    sent = ports.submitted(acme, "+493023125801", provider=ports.provider("D903"))
    port_desk.note_sent(sent, reference="DEU.BEISP.VH0815", by=acme.olga, at=NOW)
    return [
        sent.pk,
        ports.draft(acme, "+493023125803", provider=ports.provider("D902"), provider_customer_number="K-77").pk,
        ports.draft(acme, "+493023125802", "+493023125812", provider=ports.provider("D901")).pk,
    ]


def found(**asked):
    return [order.pk for order in port_list.found(port_list.read(asked))]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, [2, 1, 0]),
        ({"q": "030 23125-812"}, [2]),
        ({"q": "+49 (0)30 231258"}, [2, 1, 0]),
        ({"q": "beispiel d902"}, [1]),
        ({"q": "D903"}, [0]),
        ({"q": "berlin"}, [2, 1, 0]),
        ({"q": "k-77"}, [1]),
        ({"q": "vh0815"}, [0]),
        ({"q": "alice"}, [2, 1, 0]),
        ({"q": "nobody\x00"}, []),
        ({"state": "draft"}, [2, 1]),
        ({"state": "draft", "q": "803"}, [1]),
        ({"state": "x", "sort": "x"}, [2, 1, 0]),
        ({"sort": "numbers"}, [0, 2, 1]),
        ({"sort": "-numbers"}, [1, 2, 0]),
        ({"sort": "provider"}, [2, 1, 0]),
        ({"sort": "-provider"}, [0, 1, 2]),
    ],
)
def test_orders_are_searched_narrowed_and_sorted(orders, asked, wanted):
    assert found(**asked) == [orders[n] for n in wanted]


def test_list_answers_htmx_with_itself_alone_and_says_when_nothing_fits(acme, orders, sign_in):
    client = sign_in(acme.alice)

    part = client.get(URL, {"q": "803"}, headers={"HX-Request": "true", "HX-Request-Type": "partial"}).content.decode()
    none = client.get(URL, {"q": "nobody"}).content.decode()

    assert ("<html" in part, part.count('<tr role="row"') - 1) == (False, 1)
    assert "Keine Portierung passt" in none
    assert "Sie haben noch keine Rufnummern portiert" not in none


def test_list_is_paged_and_keeps_the_search(acme, orders, sign_in, monkeypatch):
    monkeypatch.setattr(port_list, "SHOWN", 2)

    page = sign_in(acme.alice).get(URL, {"q": "beispiel", "sort": "numbers"}).content.decode()

    assert "q=beispiel&amp;sort=numbers&amp;page=2" in page
