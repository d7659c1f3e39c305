"""The pages of a port order: the signed form, submitting, and what can be done while it is under way."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from numbers import port_desk, port_track, swap
from numbers.models import PhoneNumber, PortDocument, PortEvent, PortNumber, PortOrder
from portal.models import AuditEvent
from tests import make
from tests.conftest import NOW
from tests.port_pages import ON, STEPS, begun, filled, get, order, post, said
from tests.portal.test_uploads import action, opens_with, pdf
from tests.porting import completed


@pytest.fixture
def client(acme, sign_in):
    with time_machine.travel(NOW, tick=False):
        yield sign_in(acme.alice)


def numbers(pk):
    return sorted(PortNumber.objects.filter(order=pk).values_list("e164", flat=True))


def test_form_is_filled_in_and_its_signed_versions_are_kept(acme, client):
    pk = filled(acme, client)

    form = get(client, "port_form", pk)
    post(acme, client, "port_upload", pk, document=SimpleUploadedFile("b.pdf", pdf(lambda d: d.add_blank_page())))

    assert form["Content-Type"] == "application/pdf"
    assert form.content.startswith(b"%PDF-")
    assert list(PortDocument.objects.order_by("version").values_list("version", "pages")) == [(1, 1), (2, 2)]
    page = said(get(client, "port_summary", pk))
    assert "Fassung 2" in page
    assert "Ersetzt" in page  # a badge begins with a capital
    shown = get(client, "port_document", pk, 1)
    assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert shown.content.startswith(b"%PDF-")
    assert get(client, "port_document", pk, 3).status_code == 404


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (pdf(opens_with(lambda d: action("/JavaScript"))), "Das PDF enthält Skripte"),
        (pdf(lambda d: [d.add_blank_page() for _ in range(20)]), "hat 21 Seiten"),
        (b"\xff\xd8\xff picture \xff\xd9", "Bitte laden Sie ein PDF hoch."),
        (b"%PDF-" + b"x" * 10_001_000, "größer als 10 MB"),
        (b"", "leer"),
    ],
    ids=["script", "pages", "picture", "size", "empty"],
)
def test_hostile_forms_are_refused_with_a_reason_and_not_kept(acme, client, settings, tmp_path, content, sentence):
    settings.DOCUMENTS_DIR = tmp_path
    pk = begun(acme, client)

    answer = post(acme, client, "port_upload", pk, document=SimpleUploadedFile("a.pdf", content))

    assert answer.status_code == 422
    assert sentence in said(answer)
    assert not PortDocument.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_submit_says_what_is_missing(acme, client):
    pk = begun(acme, client)

    answer = post(acme, client, "port_submit", pk)

    assert answer.status_code == 422
    for sentence in ("bisherigen Anbieter", "Anschlussinhaber", "Formular"):
        assert sentence in said(answer)
    assert order(pk).state == "draft"


def test_form_signed_before_a_correction_is_asked_for_anew_until_it_is_uploaded(acme, client):
    pk = filled(acme, client)
    post(acme, client, "port_submit", pk)
    port_desk.reject(PortOrder.objects.locked(pk), "ADF", by=acme.olga, at=NOW)
    assert "seit der Unterschrift" not in said(get(client, "port", pk)) + said(get(client, "port_summary", pk))
    post(acme, client, "port_step", pk, "holder", **STEPS["holder"] | {"house_number": "12b"})

    refused = post(acme, client, "port_submit", pk)

    assert (refused.status_code, order(pk).state) == (422, "rejected")
    for page in (said(refused), said(get(client, "port_summary", pk)), said(get(client, "port", pk))):
        assert "Die Angaben haben sich seit der Unterschrift geändert." in page
        assert "Überholt" in page
    assert "neu zu unterschreiben" in said(get(client, "port", pk))
    post(acme, client, "port_upload", pk, document=SimpleUploadedFile("b.pdf", pdf()))
    assert "seit der Unterschrift" not in said(get(client, "port", pk)) + said(get(client, "port_summary", pk))
    post(acme, client, "port_submit", pk)
    assert order(pk).state == "submitted"


def test_words_of_the_old_provider_are_quoted_as_the_language_does(acme, client):
    pk = filled(acme, client)
    post(acme, client, "port_submit", pk)
    port_desk.reject(PortOrder.objects.locked(pk), "ADF", "Musterweg 12", by=acme.olga, at=NOW)

    assert "„Musterweg 12“" in said(get(client, "port", pk))


def test_form_that_was_downloaded_before_a_change_is_refused_at_its_code(acme, client):
    pk = filled(acme, client)
    old = order(pk).documents.get().code
    post(acme, client, "port_step", pk, "holder", **STEPS["holder"] | {"house_number": "12b"})

    refused, empty, kept = (
        post(acme, client, "port_upload", pk, document=SimpleUploadedFile("b.pdf", pdf()), **code)
        for code in ({"code": old}, {"code": ""}, {})
    )

    assert (refused.status_code, empty.status_code, kept.status_code) == (422, 422, 302)
    assert "nicht die Kennung des Formulars" in said(refused)
    assert ("Bitte geben Sie die Kennung ein" in said(empty), "freiwillig" in said(empty)) == (True, False)
    assert f"Formularkennung {old}" in said(get(client, "port_summary", pk))
    assert order(pk).documents.count() == 2


def test_submit_shows_the_tracker_and_no_price_of_the_porting(acme, client):
    pk = filled(acme, client)

    answer = post(acme, client, "port_submit", pk)

    assert answer.url == reverse("numbers:port", args=[pk])
    page = said(client.get(answer.url))
    assert order(pk).state == "submitted"
    assert "Antwort des bisherigen Anbieters" in page
    assert "€" not in page
    assert AuditEvent.objects.filter(verb="porting.submitted").count() == 1


def test_submit_with_activation_shows_the_price_and_insists_on_it(acme, client):
    pk = filled(acme, client, date=STEPS["date"] | {"activate": "on"})

    page = said(get(client, "port_summary", pk))
    other = post(acme, client, "port_submit", pk, price_seen="1.00")
    agreed = post(acme, client, "port_submit", pk, price_seen="2.90")

    assert "2,90" in page
    assert (other.status_code, agreed.status_code) == (422, 302)
    assert "Der Preis hat sich geändert" in said(other)
    assert str(order(pk).price_seen) == "2.90"


@pytest.mark.parametrize(
    ("typed", "sentence", "button", "price"),
    [
        ("030 23125-801", "", "Auftrag einreichen", None),
        ("030 23125-801 030 23125802", "ist eine Rufnummer aktiv", "kostenpflichtiger Aktivierung", "2.90"),
        ("030 23125-801 030 23125802 030 23125803", "sind 2 Rufnummern aktiv", "kostenpflichtiger", "2.90"),
    ],
    ids=["none", "one", "two"],
)
def test_summary_prices_what_is_activated_and_not_what_waits_for_the_swap(acme, client, typed, sentence, button, price):
    make.number("+493023125815", state="active")
    date = STEPS["date"] | {"activate": "on", "temporary": "+49 30 23125-815"}
    pk = filled(acme, client, numbers={"kind": "single", "numbers": typed.replace(" 030", "\n030")}, date=date)

    page = " ".join(said(get(client, "port_summary", pk)).replace("\u00a0", " ").split())
    answer = post(acme, client, "port_submit", pk, price_seen=price or "")

    submit = page[page.index('id="submit-title"') :]
    assert ("2,90" in submit, sentence in submit, button in submit) == (price is not None, True, True)
    assert "030 23125801: Diese Rufnummer kommt inaktiv an" in page
    assert answer.url == reverse("numbers:port", args=[pk])
    assert order(pk).price_seen == (price and Decimal(price))


def test_price_of_zero_is_not_shown(acme, client, as_operator):
    with as_operator():
        make.price(monthly=Decimal(0), valid_from=NOW.date())
    pk = filled(acme, client, date=STEPS["date"] | {"activate": "on"})

    page = said(get(client, "port_summary", pk)) + said(get(client, "port_step", pk, "date"))

    assert ("€" in page, "kostenpflichtig" in page) == (False, False)
    assert post(acme, client, "port_submit", pk, price_seen="0").url == reverse("numbers:port", args=[pk])


def test_order_that_is_under_way_is_no_longer_edited(acme, client):
    pk = filled(acme, client)
    post(acme, client, "port_submit", pk)

    for name, *args in (("port_step", pk, "holder"), ("port_summary", pk)):
        assert get(client, name, *args).url == reverse("numbers:port", args=[pk])


@pytest.mark.parametrize("submitted", [False, True])
def test_cancel_asks_first_and_keeps_the_numbers_where_they_are(acme, client, submitted):
    pk = filled(acme, client)
    if submitted:
        post(acme, client, "port_submit", pk)

    asked = get(client, "port_cancel", pk)
    answer = post(acme, client, "port_cancel", pk)

    assert asked.status_code == 200
    assert answer.url == reverse("numbers:port", args=[pk])
    assert order(pk).state == "cancelled"
    assert not PortNumber.objects.filter(open=True).exists()


def test_cancel_says_whether_the_old_provider_is_told(acme, client):
    pk = filled(acme, client)
    post(acme, client, "port_submit", pk)
    before = said(get(client, "port_cancel", pk))
    PortOrder.objects.update(to_send="")  # handed over
    after = said(get(client, "port_cancel", pk))

    assert ("dort muss nichts storniert werden" in before, "Wir nehmen den Auftrag" in before) == (True, False)
    assert ("dort muss nichts storniert werden" in after, "Wir nehmen den Auftrag" in after) == (False, True)


def test_contract_that_goes_on_is_not_said_to_be_cancelled(acme, client):
    pk = filled(acme, client)
    all_ported = said(get(client, "port_summary", pk))
    post(acme, client, "port_step", pk, "date", **STEPS["date"] | {"remaining": "keep"})
    kept = said(get(client, "port_summary", pk))

    assert ("Wir kündigen" in all_ported, "Wir kündigen" in kept) == (True, False)
    assert "Der Vertrag läuft mit den übrigen Rufnummern weiter" in kept


@pytest.mark.parametrize("content", [pdf(), b"no PDF"], ids=["good", "bad"])
def test_upload_to_an_order_that_is_confirmed_leads_to_it(acme, client, content):
    pk = filled(acme, client)
    PortOrder.objects.update(state="confirmed", submitted_at=NOW, confirmed_on=ON)

    answer = post(acme, client, "port_upload", pk, document=SimpleUploadedFile("b.pdf", content))

    assert answer.url == reverse("numbers:port", args=[pk])
    assert "Termin bestätigt. Bitte" in said(client.get(answer.url))
    assert PortDocument.objects.count() == 1


def test_step_that_is_not_kept_does_not_say_that_it_is_saved(acme, client):
    pk = begun(acme, client)

    answer = post(acme, client, "port_step", pk, "numbers", **STEPS["numbers"], leave="1", operation_id="none")

    assert answer.status_code == 422
    assert numbers(pk) == []


def test_what_the_job_did_happened_by_itself():
    events = [
        PortEvent(pk=n, at=NOW, by_name=name, kind="reminded") for n, name in enumerate(("apply_portings", "Olga"))
    ]

    assert [line.by for line in port_track.lines(events)] == ["Olga", "automatisch"]


def test_unknown_step_is_404(acme, client):
    assert get(client, "port_step", begun(acme, client), "price").status_code == 404


def test_replace_swaps_the_temporary_number_in_one_step(acme, client):
    make.verified_address("30")
    temporary = make.number("+493023125015", state="active")
    done = completed(acme, "+493023125801", at=datetime(2026, 12, 8, 9, tzinfo=UTC), temporary=temporary)
    asked = said(get(client, "port_replace", done.pk))

    unticked = post(acme, client, "port_replace", done.pk)
    PhoneNumber.objects.filter(pk=temporary.pk).update(label="Empfang")
    stale = post(acme, client, "port_replace", done.pk, sure=swap.erased(temporary, at=NOW).name)
    still = PhoneNumber.objects.get(pk=temporary.pk)
    answer = post(acme, client, "port_replace", done.pk, sure=swap.erased(still, at=NOW).name)

    assert (stale.status_code, still.state) == (422, "active")
    assert "hat sich geändert, seit Sie diese Seite geöffnet haben" in said(stale)
    assert "Bezeichnung „Empfang“" in said(stale)
    assert "030 23125015" in asked.replace("\u00a0", " ")
    assert unticked.status_code == 422
    assert answer.url == reverse("numbers:port", args=[done.pk])
    states = dict(PhoneNumber.objects.values_list("e164", "state"))
    assert states == {"+493023125015": "inactive", "+493023125801": "active"}
    assert get(client, "port_replace", done.pk).status_code == 302
    page = said(client.get(answer.url))
    assert ("wurde durch" in page, "hat den Platz" in page, "Es gibt keine Übergangsrufnummer" in page) == (
        True,
        True,
        False,
    )


def test_replace_of_a_number_scheduled_for_deactivation_says_nothing_against_the_page(acme, client):
    make.verified_address("30")
    temporary = make.number("+493023125015", state="active")
    done = completed(acme, "+493023125801", at=datetime(2026, 12, 8, 9, tzinfo=UTC), temporary=temporary)
    PhoneNumber.objects.filter(pk=temporary.pk).update(
        state="deactivation_scheduled", last_active_on=date(2026, 12, 31)
    )

    page = said(client.get(get(client, "port_replace", done.pk).url))

    assert ("nehmen Sie zuerst" in page, "Es gibt keine Übergangsrufnummer" in page) == (True, False)


def test_temporary_number_that_is_out_of_service_is_shown_where_it_is_corrected(acme, client):
    temporary = make.number("+493023125815", state="active")
    fields = STEPS["date"] | {"temporary": "+49 30 23125-815"}
    pk = filled(acme, client, date=fields)
    PhoneNumber.objects.filter(pk=temporary.pk).update(state="inactive", active_since=None)

    page = said(get(client, "port_step", pk, "date")).replace("\u00a0", " ")
    kept = post(acme, client, "port_step", pk, "date", **fields)

    assert 'name="temporary" value="030 23125815"' in page
    assert (kept.status_code, order(pk).temporary_id) == (422, temporary.pk)
