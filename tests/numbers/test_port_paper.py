"""The form to sign says what the order says: in German, with a line for everybody who signs, and nothing that acts."""

from datetime import date

import pypdfium2
import pytest
from django.utils import translation

from numbers import port_paper
from numbers.models import LocalArea, PortOrder, PortProvider
from portal import documents
from portal.models import Tenant

FILLED = {
    "pk": 17,
    "provider_customer_number": "4711-0815",
    "contract_ends_on": date(2026, 12, 31),
    "holder_name": "Acme GmbH & Co. <KG>",
    "street": "Musterstraße",
    "house_number": "12a",
    "postcode": "10115",
    "town": "Berlin",
    "requested_on": date(2026, 12, 15),
    "remaining": "keep",
}


def order(**fields):
    known = FILLED | {"tenant": Tenant(name="Acme GmbH", customer_number="K-10001")}
    known |= {"area": LocalArea(area_code="30", name="Berlin"), "provider": PortProvider(name="Alte", code="D901")}
    return PortOrder(**(known | fields))


def form(*numbers, language="en", **fields):
    with translation.override(language):
        return port_paper.form(order(**fields), numbers, code="3F7-A91", on=date(2026, 11, 23))


def text(content):
    pages = list(pypdfium2.PdfDocument(content))
    assert all((round(page.get_width()), round(page.get_height())) == (595, 842) for page in pages)
    return " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pages).split())


def test_form_says_what_the_order_says_in_german():
    said = text(form("030 23125801", "030 23125802"))

    for expected in (
        *("Anbieterwechsel- und Portierungsauftrag", "Auftrag 17", "Acme GmbH · K-10001", "Alte", "D901", "4711-0815"),
        *("31.12.2026", "Acme GmbH & Co. <KG>", "Musterstraße 12a", "10115 Berlin", "030 23125801", "030 23125802"),
        *("15.12.2026", "Sie bleiben beim bisherigen Anbieter", "Ort, Datum", "Unterschrift"),
    ):
        assert expected in said, expected


def test_form_of_a_block_names_base_number_range_and_switchboard():
    said = text(form(kind="block", base_number="+493023125", range_from="00", range_until="99", pilot="0"))

    assert "030 23125" in said
    assert "00 – 99" in said


def test_form_authorises_to_give_notice_only_if_the_line_ends():
    notice = "kündigen"

    assert notice not in text(form(remaining="keep"))
    assert notice in text(form(remaining="give_up"))


def test_form_has_a_line_for_everybody_who_signs():
    said = text(
        form(holder_kind="person", holder_name="Adler", holder_addition="Alice", further_holders=["Bob", "Dora"])
    )

    assert said.count("Ort, Datum") == 3
    assert "Alice Adler" in said


@pytest.mark.parametrize("count", [1, 100])
def test_form_may_come_back_as_it_is(settings, tmp_path, count):
    settings.DOCUMENTS_DIR = tmp_path
    content = form(*[f"030 23125{n:03}" for n in range(count)], further_holders=["Berta Baum"] * (count // 10))

    kept = documents.keep(content, most_pages=20)

    pages = documents.pages(kept)
    assert pages == (3 if count == 100 else 1)
    assert text(content).count("Auftrag 17 · Formularkennung 3F7-A91") == pages


def test_form_reads_nothing_from_anywhere():
    """What people type stays text, however much it looks like markup."""
    said = text(form(holder_name='<img src="http://127.0.0.1:1/x"><b>Acme', town="{{ settings.SECRET_KEY }}"))

    assert '<img src="http://127.0.0.1:1/x"><b>Acme' in said
    assert "{{ settings.SECRET_KEY }}" in said
