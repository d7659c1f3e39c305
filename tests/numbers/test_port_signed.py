"""A signature holds for what stood on the form: what is printed there and what is compared are the same."""

import re
from datetime import date

import pytest
from django.template.loader import render_to_string

from numbers import port_numbers, port_page, port_paper, port_signed, porting
from numbers.models import PortDocument
from numbers.porting import EDITABLE, PortRefused
from tests import make
from tests import porting as ports
from tests.conftest import NOW

BLOCK = port_numbers.block("030 231257", "00", "49", "00")
OTHER = {
    "provider_customer_number": "4712",
    "contract_ends_on": date(2026, 12, 31),
    "holder_kind": "person",
    "holder_name": "Acme AG",
    "holder_addition": "Vertrieb",
    "street": "Musterstrasse",
    "house_number": "12b",
    "postcode": "10117",
    "town": "Potsdam",
    "further_holders": ["Berta Baum"],
    "requested_on": date(2026, 12, 15),
    "remaining": "keep",
    "activate": True,
    "directory_entry": "full",
}


@pytest.fixture
def office(acme):
    ports.verified(acme)
    return acme


def words(order):
    order = type(order).objects.select_related("tenant", "area", "provider").get(pk=order.pk)
    return render_to_string(
        port_paper.TEMPLATE, port_paper.said(order, port_page.listed(order), code="", on=NOW.date())
    )


def is_signed(order):
    return port_signed.refusal(order, porting.numbers_of(order).e164s) is None


def test_every_field_that_people_change_is_tried():
    assert set(OTHER) | {"provider", "temporary"} == set(EDITABLE)


@pytest.mark.parametrize("name", EDITABLE)
def test_a_form_has_to_be_signed_anew_if_and_only_if_what_it_prints_has_changed(office, name):
    order = ports.draft(office)
    before = words(order)
    assert is_signed(order)
    other = OTHER.get(name) or {"provider": ports.provider("D902"), "temporary": make.number(state="active")}[name]

    porting.save(order, {name: other}, by=office.alice, at=NOW)

    assert is_signed(order) == (words(order) == before)


@pytest.mark.parametrize(
    ("kept", "other"),
    [
        (port_numbers.singles("030 23125710"), port_numbers.singles("030 23125710, 030 23125711")),
        (port_numbers.singles("030 23125710"), port_numbers.singles("030 23125711")),
        (BLOCK, port_numbers.block("030 231257", "00", "59", "00")),
        (BLOCK, port_numbers.block("030 231257", "00", "49", "01")),
        (BLOCK, port_numbers.block("030 231257", "00", "49")),
    ],
    ids=["more", "another", "longer", "switchboard", "no switchboard"],
)
def test_a_form_has_to_be_signed_anew_for_other_numbers(office, kept, other):
    order = ports.draft(office, numbers=kept)

    porting.set_numbers(order, kept, by=office.alice, at=NOW)
    assert is_signed(order)
    porting.set_numbers(order, other, by=office.alice, at=NOW)
    assert not is_signed(order)


def test_an_order_that_was_changed_is_not_submitted_before_it_is_signed_anew(office):
    order = ports.draft(office)
    porting.save(order, {"house_number": "12b"}, by=office.alice, at=NOW)

    with pytest.raises(PortRefused, match="seit der Unterschrift geändert") as refused:
        porting.submit(order, by=office.alice, at=NOW)
    assert (refused.value.field, order.state) == ("document", "draft")
    ports.signed(office, order)
    porting.submit(order, by=office.alice, at=NOW)

    assert order.state == "submitted"
    assert PortDocument.objects.filter(order=order).count() == 2


def test_a_form_that_was_downloaded_before_a_change_is_refused(office):
    order = ports.draft(office)
    old = ports.code(order)
    porting.save(order, {"house_number": "12b"}, by=office.alice, at=NOW)

    with pytest.raises(PortRefused, match="nicht die Kennung") as refused:
        add(office, order, old)
    new = ports.code(order)
    add(office, order, new.lower().replace("-", " ").replace("0", "o"))

    assert (refused.value.field, old != new, is_signed(order)) == ("code", True, True)
    assert [one.code for one in order.documents.order_by("version")] == [old, new]
    assert re.fullmatch("[0-9A-F]{3}-[0-9A-F]{3}", new)


def test_form_of_another_order_that_says_the_same_is_refused(office):
    order, other = ports.draft(office), ports.draft(office)

    with pytest.raises(PortRefused, match="nicht die Kennung"):
        add(office, order, ports.code(other))


def add(office, order, code):
    porting.add_document(order, name="a.pdf", pages=1, size=9, code=code, by=office.alice, at=NOW)


def test_a_change_that_is_taken_back_leaves_the_signature_as_it_was(office):
    order = ports.draft(office)
    porting.save(order, {"house_number": "12b"}, by=office.alice, at=NOW)
    porting.save(order, {"house_number": "12a"}, by=office.alice, at=NOW)

    assert is_signed(order)
