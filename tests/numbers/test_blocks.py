import pytest
from django.urls import reverse

from numbers.models import NumberBlock, PhoneNumber
from tests import make
from tests.conftest import NOW
from tests.ordering import open_berlin, ordered, post


@pytest.fixture
def berlin(acme):
    return open_berlin()


def test_place_of_a_block_gives_its_numbers_base_and_extension(acme, berlin):
    ordered(acme, berlin, 10, kind="block")

    block = NumberBlock.objects.get()
    assert (block.base_number, block.extension_digits) == ("+49302312580", 1)
    assert sorted(PhoneNumber.objects.values_list("extension_digits", flat=True)) == [str(n) for n in range(10)]


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


def test_block_activates_and_assigns_from_its_cells(acme, berlin, sign_in):
    ordered(acme, berlin, 10, kind="block")
    working, idle = PhoneNumber.objects.order_by("e164")[:2]
    PhoneNumber.objects.filter(pk=working.pk).update(state="active", active_since=NOW.date())
    client, paula = sign_in(acme.alice), make.member("Paula Peters")
    url = reverse("numbers:block", args=[NumberBlock.objects.get().pk])

    before = client.get(url).content.decode()
    gone = post(acme, client, "assign", working.pk, to=str(paula.pk), back=url)
    after = client.get(url)

    assert reverse("numbers:activate", args=[idle.pk]) in before
    assert reverse("numbers:assign", args=[working.pk]) in before
    assert reverse("numbers:assign", args=[idle.pk]) not in before
    assert gone.url == url
    cell = after.context["cells"][0]["cell"]
    assert (str(cell.look), cell.holder) == ("assigned", "Paula Peters")
