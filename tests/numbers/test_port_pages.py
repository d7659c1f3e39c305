"""The wizard of porting: a draft that keeps every step, and bad input at its field."""

from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse

from numbers.models import PortNumber, PortOrder
from portal.access import tenant_token
from tests import make
from tests.conftest import NOW
from tests.port_pages import BLOCK, ON, STEPS, begun, filled, get, order, post, said
from tests.porting import provider


@pytest.fixture
def client(acme, sign_in):
    with time_machine.travel(NOW, tick=False):
        yield sign_in(acme.alice)


def numbers(pk):
    return sorted(PortNumber.objects.filter(order=pk).values_list("e164", flat=True))


def test_new_leads_to_the_addresses_while_none_is_verified(acme, client):
    assert "Verifizieren Sie zuerst Ihre Adresse" in said(get(client, "port_new"))


def test_new_begins_one_draft_however_often_it_is_sent(acme, client):
    make.verified_address("30")
    key = str(uuid4())

    first, again = (post(acme, client, "port_new", operation_id=key) for _ in range(2))

    assert first.url == again.url == reverse("numbers:port_step", args=[PortOrder.objects.get().pk, "numbers"])
    assert PortOrder.objects.get().state == "draft"


def test_steps_lead_from_numbers_to_the_summary_and_keep_what_was_typed(acme, client):
    pk = begun(acme, client)

    ways = [post(acme, client, "port_step", pk, step, **fields).url for step, fields in STEPS.items()]

    after = [*list(STEPS)[1:], None]
    urls = [reverse("numbers:port_step", args=[pk, step]) for step in after if step]
    assert ways == [*urls, reverse("numbers:port_summary", args=[pk])]
    kept = order(pk)
    assert numbers(pk) == ["+493023125801", "+493023125802"]
    assert (kept.provider.code, kept.provider_customer_number, kept.street) == ("D901", "4711", "Musterstraße")
    assert (kept.requested_on.isoformat(), kept.remaining, kept.activate) == (ON, "all", False)
    assert "Nicht gekündigt" not in said(get(client, "port_summary", pk))


def test_step_left_can_be_taken_up_again(acme, client):
    pk = begun(acme, client)

    left = post(acme, client, "port_step", pk, "holder", **STEPS["holder"], leave="1")

    assert left.url == reverse("numbers:port", args=[pk])
    assert reverse("numbers:port_summary", args=[pk]) in said(client.get(left.url))
    assert 'value="Musterstraße"' in said(get(client, "port_step", pk, "holder"))


def test_holder_begins_with_the_verified_address(acme, client):
    pk = begun(acme, client)
    post(acme, client, "port_step", pk, "numbers", **STEPS["numbers"])

    page = said(get(client, "port_step", pk, "holder"))

    assert 'value="12a"' in page
    assert 'value="Acme GmbH"' in page


def test_block_of_a_hundred(acme, client):
    pk = begun(acme, client)

    post(acme, client, "port_step", pk, "numbers", **BLOCK)

    assert len(numbers(pk)) == 100
    assert numbers(pk)[0] == "+493023125800"
    assert "030 231258‑00 – 99" in said(get(client, "ports")).replace("\u00a0", " ")


def test_block_is_read_from_all_its_numbers(acme, client):
    pk = begun(acme, client)
    pasted = "\n".join(f"030/23125{n}" for n in range(810, 820))

    post(acme, client, "port_step", pk, "numbers", **BLOCK)  # what stands in the form gives way
    post(acme, client, "port_step", pk, "numbers", **BLOCK | {"pasted": pasted, "pilot": ""})

    kept = order(pk)
    assert (kept.base_number, kept.range_from, kept.range_until) == ("+4930231258" + "1", "0", "9")


def test_block_of_more_than_a_hundred_can_be_pasted(acme, client):
    pk = begun(acme, client)
    pasted = "\n".join(f"030/23125{n}" for n in range(700, 1000))

    post(acme, client, "port_step", pk, "numbers", kind="block", pasted=pasted, pilot="00")

    kept = order(pk)
    assert (kept.base_number, kept.range_from, kept.range_until, len(numbers(pk))) == ("+493023125", "700", "999", 301)


BAD = [
    ("numbers", BLOCK | {"range_until": "1000"}, "gleich viele Ziffern"),
    ("numbers", BLOCK | {"base_number": ""}, "Bitte geben Sie die Stammnummer ein."),
    ("numbers", {"kind": "single", "numbers": "0171 3920050"}, "Mobilfunk- und Servicerufnummern"),
    ("numbers", {"kind": "single", "numbers": "+43 1 23125801"}, "nur deutsche Rufnummern"),
    ("numbers", {"kind": "single", "numbers": ""}, "zu portierenden Rufnummern"),
    ("numbers", {"kind": "block", "pasted": "030 23125800\n030 23125802"}, "Diese Rufnummern fehlen: 030 23125801"),
    ("numbers", {"kind": "single", "numbers": "030 23125801\n069 90009801"}, "zu einem Ortsnetz"),
    ("numbers", {"kind": "single", "numbers": "069 90009801"}, "keine verifizierte Adresse"),
    ("provider", {"provider": "Niemand"}, "Diesen Anbieter kennen wir nicht."),
    ("provider", {"provider": "beispiel"}, "Mehrere Anbieter passen"),
    ("provider", {"contract_ends_on": "31.2.2026"}, "Bitte geben Sie ein Datum an"),
    ("provider", {"contract_ends_on": "9999-12-31"}, "Bitte prüfen Sie das Jahr."),
    ("provider", {"provider": ""}, "bisherigen Anbieter"),
    ("holder", {"holder_kind": "company", "postcode": "AT-10"}, "fünf Ziffern"),
    ("holder", {"holder_kind": "company", "holder_name": ""}, "Anschlussinhaber genau so"),
    ("holder", {"holder_kind": "company", "street": ""}, "Straße genau so"),
    ("date", {"remaining": ""}, "übrigen Rufnummern"),
    ("date", {"requested_on": "2026-12-12"}, "Wochenende"),
    ("date", {"requested_on": "2026-12-25"}, "Feiertag"),
    ("date", {"requested_on": "2026-11-24"}, "zu früh"),
    ("date", {"requested_on": "2027-12-01"}, "180 Tage"),
    ("date", {"temporary": "030 23125816"}, "keine Ihrer aktiven Rufnummern oder hat einen anderen Preis"),
    ("date", {"temporary": "0171 2345678"}, "Mobilfunk"),
    ("date", {"requested_on": "morgen"}, "Bitte wählen Sie einen Tag aus dem Kalender."),
]


@pytest.mark.parametrize(("step", "fields", "sentence"), BAD)
def test_bad_input_is_said_at_the_field_and_the_draft_kept(acme, client, step, fields, sentence):
    pk = filled(acme, client)
    provider("D902")

    answer = post(acme, client, "port_step", pk, step, **fields)

    assert answer.status_code == 422
    assert sentence in said(answer).replace("\u00a0", " ")
    assert 'aria-invalid="true"' in said(answer)
    assert order(pk).state == "draft"
    assert order(pk).holder_name == ("" if step == "holder" else "Acme GmbH")


def test_numbers_of_somebody_else_are_refused_without_saying_whose(acme, client, cast, as_operator):
    pk = begun(acme, client)
    with as_operator():
        make.number("+493023125801", tenant_id=cast.globex.pk)

    answer = said(post(acme, client, "port_step", pk, "numbers", **STEPS["numbers"]))

    assert "Diese Rufnummer lässt sich nicht portieren" in answer
    assert "Globex" not in answer


def test_second_open_order_of_a_number_is_refused(acme, client):
    submitted = filled(acme, client)
    post(acme, client, "port_submit", submitted)

    answer = post(acme, client, "port_step", begun(acme, client), "numbers", **STEPS["numbers"])

    assert "Diese Rufnummer lässt sich nicht portieren" in said(answer)


def typed(acme, client, pk, text):
    """Return what the page answers while somebody types numbers."""
    answer = client.post(
        reverse("numbers:port_step", args=[pk, "numbers"]),
        {"_tenant": "", "kind": "single", "numbers": text},
        headers={"HX-Request": "true", "HX-Request-Type": "partial", "X-Tenant": tenant_token(acme.acme.pk)},
    )
    return " ".join(said(answer).replace("\u00a0", " ").split())


def test_typing_is_answered_number_by_number(acme, client):
    pk = begun(acme, client)
    make.number("+493023125802")

    text = typed(acme, client, pk, STEPS["numbers"]["numbers"])

    assert "<html" not in text
    assert "030 23125801</span> <span>kann portiert werden" in text
    assert "030 23125802</span> <span>Diese Rufnummer lässt sich nicht portieren" in text
    assert numbers(pk) == []


def test_typing_is_answered_with_all_that_hinders_the_order_and_each_number(acme, client):
    pk = begun(acme, client)
    make.number("+493023125802")

    text = typed(acme, client, pk, "030 23125801\n030 23125802\n040 66969801\n069 90009801")

    for sentence in (
        "Alle Rufnummern eines Auftrags gehören zu einem Ortsnetz",
        "In Hamburg haben Sie keine verifizierte Adresse",
        "In Frankfurt am Main haben Sie keine verifizierte Adresse",
    ):
        assert text.count(sentence) == 1
    assert "kann portiert werden" not in text
    assert "030 23125802</span> <span>Diese Rufnummer lässt sich nicht portieren" in text


def test_contract_end_shows_the_deadline(acme, client):
    pk = begun(acme, client)

    post(acme, client, "port_step", pk, "provider", contract_ends_on="2027-01-31")

    assert "28.02.2027" in said(get(client, "port_step", pk, "provider"))


def test_calendar_offers_allowed_days_only(acme, client):
    pk = begun(acme, client)

    page = said(get(client, "port_step", pk, "date"))

    assert f'value="{ON}"' in page
    for day in ("2026-12-12", "2026-12-25", "2026-11-30", "2027-05-31"):
        assert f'value="{day}"' not in page
    assert "Erster Weihnachtstag" in page


@pytest.mark.parametrize(
    ("ends", "sentence"), [("2026-10-01", "endete vor zu langer Zeit"), ("2026-10-25", "Es bleibt kein Tag mehr")]
)
def test_contract_that_ended_too_long_ago_is_said_at_its_end(acme, client, ends, sentence):
    pk = begun(acme, client)

    answer = post(acme, client, "port_step", pk, "provider", **STEPS["provider"], contract_ends_on=ends)

    assert (answer.status_code, sentence in said(answer)) == (422, True)
    assert "lässt keinen Tag übrig" in said(get(client, "port_step", pk, "date"))
    assert order(pk).contract_ends_on.isoformat() == ends


def test_date_after_the_deadline_is_refused_at_the_field(acme, client):
    pk = begun(acme, client)
    post(acme, client, "port_step", pk, "provider", **STEPS["provider"], contract_ends_on="2026-11-08")

    answer = said(post(acme, client, "port_step", pk, "date", **STEPS["date"]))

    assert "Dieser Tag ist zu spät" in answer
    assert "08.12.2026" in answer
    assert "Bitte wählen Sie ein Datum" not in answer  # one reason is enough
    assert f'value="{ON}"' not in answer
    assert order(pk).requested_on is None


@pytest.mark.parametrize(("ends", "hint"), [("2026-12-10", "außer Betrieb"), ("2027-01-31", "zahlen Sie dort")])
def test_date_before_or_after_the_end_of_the_contract_is_hinted_at(acme, client, ends, hint):
    pk = filled(acme, client, provider=STEPS["provider"] | {"contract_ends_on": ends})

    for page in (get(client, "port_step", pk, "date"), get(client, "port_summary", pk)):
        assert hint in said(page)
