"""The list of blocks: searched, sorted and paged on the server; the address holds the view (rule G4)."""

import pytest
from django.urls import reverse

from numbers import block_list
from numbers.models import LocalArea, NumberBlock
from tests import make
from tests.conftest import NOW

URL = reverse("numbers:blocks")


@pytest.fixture
def blocks(acme):
    """Three of Acme's: of a thousand and of ten in Berlin, of a hundred in Frankfurt."""
    made = [("30", "+493023125", 3), ("30", "+49302312599", 1), ("69", "+496990009", 2)]
    return [
        NumberBlock.objects.create(
            tenant=acme.acme,
            base_number=base,
            extension_digits=digits,
            area=LocalArea.objects.get(area_code=code),
            created_at=NOW,
        ).pk
        for code, base, digits in made
    ]


def found(**asked):
    return [block.pk for block in block_list.found(block_list.read(asked))]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, [0, 1, 2]),
        ({"q": "berlin"}, [0, 1]),
        ({"q": "FRANK"}, [2]),
        ({"q": "030 23125"}, [0, 1]),
        ({"q": "030 23125-417"}, [0]),
        ({"q": "+49 (0)30 23125-992"}, [0, 1]),
        ({"q": "0049 69/90009 12"}, [2]),
        ({"q": "90009"}, [2]),
        ({"q": "069"}, [2]),
        ({"q": "09"}, []),
        ({"q": "0"}, [0, 1, 2]),
        ({"q": "069 90009-12"}, [2]),
        ({"q": "089 99998"}, []),
        ({"q": "nowhere\x00"}, []),
        ({"sort": "-area"}, [2, 0, 1]),
        ({"sort": "size"}, [1, 2, 0]),
        ({"sort": "-base"}, [2, 1, 0]),
        ({"sort": "x"}, [0, 1, 2]),
    ],
)
def test_blocks_are_searched_and_sorted(blocks, asked, wanted):
    assert found(**asked) == [blocks[n] for n in wanted]


def test_list_answers_htmx_with_itself_alone_and_says_when_nothing_fits(acme, blocks, sign_in):
    client = sign_in(acme.alice)

    part = client.get(
        URL, {"q": "frank"}, headers={"HX-Request": "true", "HX-Request-Type": "partial"}
    ).content.decode()
    none = client.get(URL, {"q": "nowhere"}).content.decode()

    assert ("<html" in part, part.count('<tr role="row"') - 1) == (False, 1)
    assert "Kein Block passt" in none
    assert "Sie haben noch keine Blöcke" not in none


def test_list_is_paged_and_keeps_the_search(acme, blocks, sign_in, monkeypatch):
    monkeypatch.setattr(block_list, "SHOWN", 1)
    make.number("+49302312599" + "1", state="active", base_number="+49302312599", extension_digits="1")

    page = sign_in(acme.alice).get(URL, {"q": "berlin", "sort": "size"})

    assert "q=berlin&amp;sort=size&amp;page=2" in page.content.decode()
    assert page.context["rows"] == [
        {"pk": blocks[1], "base": "030\u00a02312599", "area": "Berlin", "size": 10, "held": 1, "active": 1}
    ]


def test_list_asks_the_same_of_the_database_however_long_it_is(acme, blocks, sign_in, django_assert_num_queries):
    client = sign_in(acme.alice)
    client.get(URL)

    for asked in ({"q": "frank"}, {}):
        with django_assert_num_queries(7):
            client.get(URL, asked)
