"""The pages of addresses: each refusal a sentence at its field, the PIN entry, what a move concerns."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from numbers.models import Address, AddressState, PinLetter
from portal import berlin
from portal.access import tenant_token
from portal.models import AuditEvent
from tests import make

GOOD = {
    "company": "Acme GmbH",
    "extra": "",
    "street": "Invalidenstraße",
    "house_number": "12a",
    "postcode": "10115",
    "town": "Berlin",
    "area": "030",
}


def post(cast, client, name, *args, **fields):
    fields = {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4())} | fields
    return client.post(reverse(f"numbers:{name}", args=args), fields)


def enter(cast, client, **fields):
    return post(cast, client, "address_new", **(GOOD | fields))


def sent(cast, **fields):
    return make.sent(by=cast.alice, posted_on=berlin.day(timezone.now()) - timedelta(days=5), **fields)


def said(answer):
    return answer.content.decode()


@pytest.mark.parametrize("area", ["030", "30", "Berlin", "Berlin (030)", "  berlin "])
def test_new_enters_the_address_in_the_area_that_was_chosen(acme, sign_in, area):
    answer = enter(acme, sign_in(acme.alice), area=area)

    address = Address.objects.select_related("area").get()
    assert answer.url == reverse("numbers:address", args=[address.pk])
    assert (str(address), str(address.area), address.state) == (
        "Invalidenstraße 12a, 10115 Berlin",
        "Berlin (030)",
        "unverified",
    )
    assert AuditEvent.objects.get(verb="address.created").object_id == address.pk


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("company", "", "geben Sie die Firma ein"),
        ("company", "\u200b\u202e", "geben Sie die Firma ein"),
        ("street", "", "geben Sie die Straße ein"),
        ("street", "Invalidenstraße 12a", "Hausnummer in das eigene Feld"),
        ("house_number", "", "geben Sie die Hausnummer ein"),
        ("house_number", "zwölf", "beginnt mit einer Ziffer"),
        ("postcode", "", "geben Sie die Postleitzahl ein"),
        ("postcode", "1010", "nur an Adressen in Deutschland"),
        ("postcode", "CH-8001", "nur an Adressen in Deutschland"),
        ("town", "", "geben Sie den Ort ein"),
        ("area", "", "wählen Sie das Ortsnetz"),
        ("area", "Nirgendwo", "Dieses Ortsnetz gibt es nicht"),
        ("area", "Ludwigshafen", "Mehrere Ortsnetze heißen so"),
        ("postcode", "80331", "in verschiedenen Gegenden"),
        ("area", "089", "gehört gewöhnlich zum Ortsnetz Berlin"),
    ],
)
def test_new_says_what_is_wrong_at_the_field(acme, sign_in, field, value, sentence):
    answer = enter(acme, sign_in(acme.alice), **{field: value})

    assert answer.status_code == 422
    assert sentence in " ".join(answer.context["form"].errors[field])
    assert sentence in said(answer)
    assert not Address.objects.exists()


def test_a_combination_that_looks_wrong_is_taken_once_it_is_confirmed(acme, sign_in):
    client = sign_in(acme.alice)
    wrong = {"area": "089"}

    warned = enter(acme, client, **wrong)
    taken = enter(acme, client, **wrong, sure="on")

    assert "Ich habe es geprüft" in said(warned)
    assert taken.status_code == 302
    assert Address.objects.get().area.area_code == "89"


def test_what_a_street_may_be_called_is_no_house_number(acme, sign_in):
    for street in ("Straße des 17. Juni", "Q 7", "Platz der Republik"):
        assert enter(acme, sign_in(acme.alice), street=street).status_code == 302


def test_the_same_address_twice_is_refused_and_a_form_sent_twice_counts_once(acme, sign_in):
    client, key = sign_in(acme.alice), str(uuid4())

    first, again = (enter(acme, client, operation_id=key) for _ in (0, 1))
    twin = enter(acme, client)

    assert first.url == again.url
    assert "haben Sie schon eingetragen" in " ".join(twin.context["form"].errors["street"])
    assert Address.objects.count() == 1


def test_edit_changes_what_is_not_verified_and_ends_its_letter(acme, sign_in):
    address = sent(acme, state="locked", entry_until=None)

    answer = post(acme, sign_in(acme.alice), "address_edit", address.pk, **(GOOD | {"street": "Neuweg"}))

    address.refresh_from_db()
    assert (answer.status_code, address.street, address.state) == (302, "Neuweg", "unverified")
    assert PinLetter.objects.get().closed_at
    assert AuditEvent.objects.get(verb="address.changed").after["street"] == "Neuweg"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": "verified", "verified_at": make.ALLOCATED}, "lässt sich nicht bearbeiten"),
        ({"state": "letter_requested"}, "unterwegs, deshalb lässt sie sich jetzt nicht ändern"),
    ],
)
def test_edit_of_what_is_fixed_says_what_to_do_instead(acme, sign_in, fields, sentence):
    address = make.address("30", **fields)

    answer = post(acme, sign_in(acme.alice), "address_edit", address.pk, **(GOOD | {"street": "Neuweg"}))

    assert sentence in said(sign_in(acme.alice).get(answer.url)) or sentence in str(list(_messages(answer)))
    assert Address.objects.get().street == "Musterstraße"


def _messages(answer):
    from django.contrib.messages import get_messages

    return get_messages(answer.wsgi_request)


def test_move_names_the_affected_numbers_and_keeps_the_area(acme, sign_in):
    old, number = make.verified_address("30"), make.number(label="Empfang")
    client = sign_in(acme.alice)

    page = client.get(reverse("numbers:address_move", args=[old.pk]))
    done = post(acme, client, "address_move", old.pk, **(GOOD | {"area": "089"}))

    assert "Eine Rufnummer ist betroffen" in said(page)
    assert reverse("numbers:number", args=[number.pk]) in said(page)
    new = Address.objects.exclude(pk=old.pk).get()
    assert (done.status_code, new.area_id, new.state) == (302, old.area_id, "unverified")
    old.refresh_from_db()
    assert old.state == "verified"


def test_remove_takes_an_address_away_to_which_no_letter_went(acme, sign_in):
    fresh, written = make.address("30"), sent(acme, area_code="69", state="expired", entry_until=None)
    client = sign_in(acme.alice)

    for address in (fresh, written):
        post(acme, client, "address_remove", address.pk)

    assert list(Address.objects.all()) == [written]


def test_letter_is_requested_and_called_off(acme, sign_in):
    address, client = make.address("30"), sign_in(acme.alice)

    post(acme, client, "letter_ask", address.pk)
    page = client.get(reverse("numbers:address", args=[address.pk]))
    dashboard = client.get(reverse("numbers:dashboard"))
    post(acme, client, "letter_withdraw", address.pk)

    for answer in (page, dashboard):
        assert 'aria-current="step"' in said(answer)
        assert "Angefordert" in said(answer)
    assert Address.objects.get().state == AddressState.UNVERIFIED


def test_pin_verifies_and_the_page_says_so(acme, sign_in):
    address, client = sent(acme), sign_in(acme.alice)
    assert "Noch 5 Versuche" in said(client.get(reverse("numbers:address", args=[address.pk])))

    answer = post(acme, client, "letter_pin", address.pk, pin="7k3m q9xd")

    assert answer.url == reverse("numbers:address", args=[address.pk])
    page = said(client.get(answer.url))
    assert "Die Adresse ist verifiziert. Sie können jetzt Rufnummern in Berlin (030) bestellen." in page
    assert Address.objects.get().is_verified(timezone.now())


@pytest.mark.parametrize(
    ("pin", "sentence", "tries"),
    [
        ("", "geben Sie die PIN", 0),
        ("123", "acht Buchstaben und Ziffern", 0),
        ("AAAA-AAAA", "Diese PIN stimmt nicht. Sie haben noch 4 Versuche.", 1),
    ],
)
def test_pin_that_is_wrong_says_so_with_the_tries_left(acme, sign_in, pin, sentence, tries):
    address = sent(acme)

    answer = post(acme, sign_in(acme.alice), "letter_pin", address.pk, pin=pin)

    assert answer.status_code == 422
    assert sentence in " ".join(answer.context["form"].errors["pin"])
    assert PinLetter.objects.get().tries == tries


def test_pin_sent_twice_costs_one_try_and_the_fifth_locks(acme, sign_in):
    address, client, key = sent(acme), sign_in(acme.alice), str(uuid4())
    for _ in range(2):
        post(acme, client, "letter_pin", address.pk, pin="AAAAAAAA", operation_id=key)
    assert PinLetter.objects.get().tries == 1

    for _ in range(4):
        answer = post(acme, client, "letter_pin", address.pk, pin="AAAAAAAA")

    assert "nach fünf Fehleingaben gesperrt" in said(answer)
    assert "Neuen Brief" in said(answer) or "PIN-Brief anfordern" in said(answer)


def test_pin_after_its_last_day_is_late(acme, sign_in):
    address = sent(acme, entry_until=date(2026, 1, 31))

    answer = post(acme, sign_in(acme.alice), "letter_pin", address.pk, pin="7K3MQ9XD")

    assert "galt 30 Tage und ist abgelaufen" in said(answer)


def test_pages_are_the_administrators_alone(cast, sign_in):
    assert sign_in(cast.bob).get(reverse("numbers:addresses")).status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_addresses_ask_as_much_for_any_number_of_rows(acme, sign_in, django_assert_num_queries, count):
    for code in ("30", "69", "40")[:count]:
        sent(acme, area_code=code)
    client = sign_in(acme.alice)
    client.get(reverse("numbers:addresses"))

    with django_assert_num_queries(7):
        assert client.get(reverse("numbers:addresses")).status_code == 200
