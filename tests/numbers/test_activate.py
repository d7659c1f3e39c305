from datetime import date
from decimal import Decimal

import pytest
import time_machine

from billing.models import Slot
from numbers.models import PhoneNumber
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW
from tests.numbers.confirming import DIALOG, said, send, text, within


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def number(cast):
    with within(cast.acme, cast.alice):
        return make.number("+493023125012", label="<b>Empfang</b>")


def url(number):
    return f"/numbers/{number.pk}/activate/"


def effects(cast):
    """Return what activating leaves: states, slots, events, mails."""
    with within(cast.acme, cast.alice):
        return (
            list(PhoneNumber.objects.order_by("pk").values_list("state", flat=True)),
            list(Slot.objects.order_by("pk").values_list("label", "from_on", "until_on")),
            list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True)),
            list(OutboxMessage.objects.order_by("pk").values_list("template", flat=True)),
        )


NOTHING = (["inactive"], [], [], [])
ACTIVATED = (["active"], [("+493023125012", date(2026, 11, 23), None)], ["number.activated"], ["numbers/activated"])


def test_activate_shows_prices_and_both_buttons_first(cast, sign_in, number):
    page = text(sign_in(cast.alice).get(url(number)))

    for part in ("Rufnummer aktivieren", "030 23125012", "2,90 €", "3,45 €", "0,77 €", "0,92 €", "19 % MwSt."):
        assert part in page
    assert "Rufnummern jetzt kostenpflichtig aktivieren" in page
    assert "Abbrechen" in page
    assert effects(cast) == NOTHING


def test_activate_works_leaves_a_trace_and_confirms(cast, sign_in, number):
    answer = send(sign_in(cast.alice), url(number), cast.acme, price_seen="2.90", back="/numbers/?state=inactive")

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/numbers/?state=inactive"
    assert said(answer) == ["Die Rufnummer 030 23125012 ist jetzt aktiv."]
    assert effects(cast) == ACTIVATED


def test_activate_answers_htmx_with_row_and_message(cast, sign_in, number):
    answer = send(sign_in(cast.alice), url(number), cast.acme, price_seen="2.90", headers=DIALOG)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "dialog:close" in answer.headers["HX-Trigger"]
    assert f"<tr id=row-{number.pk} role=row class=p-fresh>" in page
    assert "numbers:changed" in answer.headers["HX-Trigger"]
    assert "ist jetzt aktiv" in page
    assert "<b>Empfang" not in page


def test_activate_is_done_once_however_often_it_is_sent(cast, sign_in, number):
    client, key = sign_in(cast.alice), "8a0b6f0e-34a4-4c43-9a6c-0d2f8c6f0b11"

    answers = [send(client, url(number), cast.acme, price_seen="2.90", operation_id=key) for _ in range(3)]

    assert [said(answer) for answer in answers] == [["Die Rufnummer 030 23125012 ist jetzt aktiv."]] * 3
    assert effects(cast) == ACTIVATED


def test_activate_asks_again_when_the_price_changed(cast, sign_in, number, as_operator):
    with as_operator():
        make.price("standard", monthly=Decimal("3.10"), valid_from=date(2026, 11, 1))

    answer = send(sign_in(cast.alice), url(number), cast.acme, price_seen="2.90", headers=DIALOG)

    assert answer.status_code == 422
    assert "Der Preis hat sich geändert: Er beträgt jetzt 3,10 € netto im Monat." in text(answer)
    assert 'name="price_seen" value="3.10"' in answer.content.decode()
    assert "Rufnummern jetzt kostenpflichtig aktivieren" in text(answer)
    assert effects(cast) == NOTHING


@pytest.mark.parametrize("seen", ["", "0", "2,90", "-1", "NaN", "x"])
def test_activate_without_the_price_it_showed_changes_nothing(cast, sign_in, number, seen):
    answer = send(sign_in(cast.alice), url(number), cast.acme, price_seen=seen)

    assert answer.status_code == 422
    assert effects(cast) == NOTHING


def test_activating_an_active_number_says_so_and_charges_nothing(cast, sign_in):
    with within(cast.acme, cast.alice):
        number = make.number("+493023125012", state="active")
    before = effects(cast)
    client = sign_in(cast.alice)

    page, answer = client.get(url(number)), send(client, url(number), cast.acme, price_seen="2.90", headers=DIALOG)

    assert "kostenpflichtig aktivieren" not in text(page)
    assert answer.status_code == 200
    assert "bereits aktiv" in text(answer)
    assert effects(cast) == before


def test_activating_a_scheduled_number_withdraws_at_no_new_price(cast, sign_in):
    with within(cast.acme, cast.alice):
        number = make.number("+493023125012", state="deactivation_scheduled", last_active_on=date(2026, 12, 31))
    client = sign_in(cast.alice)

    page, answer = client.get(url(number)), send(client, url(number), cast.acme)

    assert "es fallen keine neuen Kosten an" in text(page)
    assert said(answer) == [
        "Die Vormerkung der Rufnummer 030 23125012 wurde zurückgenommen. Die Rufnummer bleibt aktiv."
    ]
    assert effects(cast)[:3] == (
        ["active"],
        [("+493023125012", date(2026, 3, 1), None)],
        ["number.deactivation_withdrawn"],
    )


def test_a_number_that_is_being_ported_is_refused_with_the_reason(cast, sign_in):
    with within(cast.acme, cast.alice):
        number = make.number("+493023125012", state="port_in_pending")

    answer = send(sign_in(cast.alice), url(number), cast.acme, price_seen="2.90", headers=DIALOG)

    assert answer.status_code == 409
    assert "wird portiert" in text(answer).lower()
    assert effects(cast) == (["port_in_pending"], [], [], [])


@pytest.mark.parametrize("verb", ["activate", "deactivate", "withdraw"])
def test_only_administrators_of_the_tenant_reach_it(cast, sign_in, number, verb):
    address = f"/numbers/{number.pk}/{verb}/"

    assert sign_in(cast.bob).get(address).status_code == 403
    assert send(sign_in(cast.bob), address, cast.acme).status_code == 403
    assert send(sign_in(cast.dora), address, cast.acme).status_code == 403
    assert sign_in(cast.carl).get(address).status_code == 404
    assert send(sign_in(cast.carl), address, cast.globex, price_seen="2.90", date_seen="2026-12-31").status_code == 404
    assert sign_in(cast.alice).get(f"/numbers/999999999/{verb}/").status_code == 404
    assert sign_in(cast.alice).put(address).status_code == 405
    assert send(sign_in(cast.alice), address, cast.globex, price_seen="2.90").status_code == 409
    assert effects(cast) == NOTHING


@pytest.mark.parametrize(
    ("said_back", "leads_to"),
    [
        ("/numbers/?q=030&page=2", "/numbers/?q=030&page=2"),
        ("/dashboard/", "/dashboard/"),
        ("//evil.example/numbers/", "/numbers/"),
        ("https://evil.example/", "/numbers/"),
        ("https://evil.example/dashboard/?x", "/dashboard/?x"),
        ("http://[", "/numbers/"),
        ("/numbers/export.csv", "/numbers/"),
        ("/accounts/logout/", "/numbers/"),
        ("", "/numbers/"),
    ],
)
def test_an_answer_leads_back_to_where_one_came_from_and_nowhere_else(cast, sign_in, number, said_back, leads_to):
    answer = send(sign_in(cast.alice), url(number), cast.acme, price_seen="2.90", back=said_back)

    assert answer.headers["Location"] == leads_to


def test_in_english_it_reads_just_as_clearly(cast, sign_in, number):
    client = sign_in(cast.alice)
    client.cookies["portal_language"] = "en"

    page = text(client.get(url(number)))

    assert "Activate the numbers now at a charge" in page
    assert "€2.90" in page
