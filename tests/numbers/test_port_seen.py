"""A stale page of a port order changes nothing, says so, and shows the order anew."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from numbers import port_desk, port_numbers, porting
from numbers.models import PortDocument, PortOrder
from numbers.port_seen import contents
from numbers.views import port_wizard
from portal.access import tenant_token
from tests import make
from tests.conftest import NOW
from tests.port_pages import ON, STEPS, begun, filled, get, order, post, said
from tests.portal.test_uploads import pdf
from tests.porting import completed, confirmed, signed


@pytest.fixture
def client(acme, sign_in):
    with time_machine.travel(NOW, tick=False):
        yield sign_in(acme.alice)


def locked(pk):
    return PortOrder.objects.locked(pk)


def seen(client, page, *args):
    return get(client, page, *args).context["seen"]


def test_stale_page_of_a_draft_does_not_cancel_the_order_it_became(acme, client):
    pk = filled(acme, client)
    stale = seen(client, "port_cancel", pk)
    porting.submit(locked(pk), by=acme.alice, at=NOW)

    answer = post(acme, client, "port_cancel", pk, seen=stale)

    assert (answer.status_code, order(pk).state) == (422, "submitted")
    assert "seit Sie diese Seite geöffnet haben" in said(answer)
    assert "Auftrag stornieren" in said(answer)
    post(acme, client, "port_cancel", pk, seen=answer.context["seen"])
    assert order(pk).state == "cancelled"


MEANWHILE = {  # state of the order on the stale page → what somebody else does to it since
    "draft: corrected": ("draft", lambda order, cast: porting.save(order, {"town": "Ulm"}, by=cast.erika, at=NOW)),
    "rejected: corrected": (
        "rejected",
        lambda order, cast: porting.save(order, {"town": "Ulm"}, by=cast.erika, at=NOW),
    ),
    "confirmed: date agreed": ("asked", lambda order, cast: port_desk.accept_change(order, by=cast.olga, at=NOW)),
    "confirmed: date refused": ("asked", lambda order, cast: port_desk.refuse_change(order, "X", by=cast.olga, at=NOW)),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_order_that_somebody_else_changed_meanwhile_is_not_cancelled_unseen(acme, client, what):
    state, act = MEANWHILE[what]
    pk = filled(acme, client)
    if state != "draft":
        porting.submit(locked(pk), by=acme.alice, at=NOW)
    if state == "rejected":
        port_desk.reject(locked(pk), "ADF", by=acme.olga, at=NOW)
    if state == "asked":
        port_desk.accept(locked(pk), date(2026, 12, 8), by=acme.olga, at=NOW)
        porting.ask_date(locked(pk), date.fromisoformat(ON), by=acme.alice, at=NOW)
    stale = seen(client, "port_cancel", pk)
    act(locked(pk), acme)

    answer = post(acme, client, "port_cancel", pk, seen=stale)

    assert (answer.status_code, order(pk).state) == (422, "confirmed" if state == "asked" else state)
    assert "seit Sie diese Seite geöffnet haben" in said(answer)
    post(acme, client, "port_cancel", pk, seen=answer.context["seen"])
    assert order(pk).state == "cancelled"


@pytest.mark.parametrize("stale", ["", "submitted.1.0.0"])
def test_order_handed_over_meanwhile_is_not_cancelled_unawares(acme, client, stale):
    pk = filled(acme, client)
    porting.submit(locked(pk), by=acme.alice, at=NOW)
    port_desk.note_sent(locked(pk), by=acme.olga, at=NOW)

    answer = post(acme, client, "port_cancel", pk, seen=stale)

    assert (answer.status_code, order(pk).state) == (422, "submitted")
    assert "Wir nehmen den Auftrag beim bisherigen Anbieter zurück" in said(answer)


def test_cancelling_twice_is_cancelling_once(acme, client):
    pk = filled(acme, client)
    again = {"seen": seen(client, "port_cancel", pk), "operation_id": str(uuid4())}

    answers = [post(acme, client, "port_cancel", pk, **again) for _ in range(2)]

    assert [answer.url for answer in answers] == [reverse("numbers:port", args=[pk])] * 2
    assert "wurde storniert" in said(client.get(answers[1].url))
    assert "nicht mehr möglich" not in said(client.get(answers[1].url))


@pytest.mark.parametrize("page", ["port_cancel", "port_move"])
def test_what_can_no_longer_be_done_leads_to_the_order_and_says_why(acme, client, page):
    make.verified_address("30")
    done = completed(acme, "+493023125801", at=datetime(2026, 12, 8, 9, tzinfo=UTC))

    for ask in (
        lambda: get(client, page, done.pk),
        lambda: post(acme, client, page, done.pk, seen="", requested_on=ON),
    ):
        answer = ask()
        assert answer.url == reverse("numbers:port", args=[done.pk])
        assert "Das ist nicht mehr möglich" in said(client.get(answer.url))


def test_another_date_is_asked_for_only_by_who_knows_the_confirmed_one(acme, client):
    make.verified_address("30")
    pk = confirmed(acme, "+493023125801").pk
    stale = seen(client, "port_move", pk)
    port_desk.move_date(locked(pk), date(2026, 12, 10), by=acme.olga, at=NOW)

    answer = post(acme, client, "port_move", pk, seen=stale, requested_on=ON)

    assert (answer.status_code, order(pk).change_on) == (422, None)
    assert "seit Sie diese Seite geöffnet haben" in said(answer)
    assert "10.12.2026" in said(answer)
    assert "checked" in said(answer)[said(answer).index(f'value="{ON}"') :].partition(">")[0]
    post(acme, client, "port_move", pk, seen=answer.context["seen"], requested_on=ON)
    assert order(pk).change_on == date.fromisoformat(ON)


CHANGES = {
    "holder": lambda: {"house_number": "99"},
    "activate": lambda: {"activate": True},
    "temporary": lambda: {"temporary": make.number("+493023125815", state="active")},
}


@pytest.mark.parametrize("what", CHANGES)
def test_order_changed_meanwhile_is_not_submitted_unseen(acme, client, what):
    pk = filled(acme, client)
    stale = seen(client, "port_summary", pk)
    porting.save(locked(pk), CHANGES[what](), by=acme.erika, at=NOW)
    signed(acme, locked(pk))

    answer = post(acme, client, "port_submit", pk, seen=stale, price_seen="2.90")

    assert (answer.status_code, order(pk).state) == (422, "draft")
    assert "geändert, seit Sie diese Seite geöffnet haben" in said(answer)
    post(acme, client, "port_submit", pk, seen=answer.context["seen"], price_seen="2.90")
    assert order(pk).state == "submitted"


def test_page_of_the_draft_does_not_submit_the_order_that_was_rejected_since(acme, client):
    pk = filled(acme, client)
    stale = seen(client, "port_summary", pk)
    porting.submit(locked(pk), by=acme.alice, at=NOW)

    late = post(acme, client, "port_submit", pk, seen=stale)
    told = said(client.get(late.url))
    port_desk.reject(locked(pk), "ADF", by=acme.olga, at=NOW)
    later = post(acme, client, "port_submit", pk, seen=stale)

    assert late.url == reverse("numbers:port", args=[pk])
    assert "der Stand des Auftrags ist jetzt: eingereicht." in told
    assert (later.status_code, order(pk).state) == (422, "rejected")


def test_form_signed_for_another_state_of_the_order_is_not_kept(acme, client, settings, tmp_path):
    pk = filled(acme, client)
    settings.DOCUMENTS_DIR = tmp_path
    stale = seen(client, "port_summary", pk)
    porting.save(locked(pk), {"house_number": "99"}, by=acme.erika, at=NOW)

    answer = post(acme, client, "port_upload", pk, seen=stale, document=SimpleUploadedFile("a.pdf", pdf()))

    assert (answer.status_code, PortDocument.objects.count()) == (422, 1)
    assert "geändert, seit Sie diese Seite geöffnet haben" in said(answer)
    assert list(tmp_path.iterdir()) == []
    fresh = answer.context["seen"]
    post(acme, client, "port_upload", pk, seen=fresh, document=SimpleUploadedFile("a.pdf", pdf()))
    assert PortDocument.objects.count() == 2


STEP = {  # what somebody types on a step, and what the order says of it once somebody else has changed it
    "numbers": ({"kind": "single", "numbers": "030 23125-803"}, "030 23125807"),
    "provider": ({"provider": "Beispiel D901 (D901)", "provider_customer_number": "4712"}, "0815"),
    "holder": (STEPS["holder"] | {"house_number": "99"}, "10115 Ulm"),
    "date": (STEPS["date"] | {"requested_on": "2026-12-16", "temporary": "030 23125816"}, "17.12.2026"),
}
TYPED = {"numbers": "030 23125-803", "provider": '"4712"', "holder": '"99"', "date": "030 23125816"}


def somebody_else_changes(pk, step, by):
    changes = {"provider": {"provider_customer_number": "0815"}, "holder": {"town": "Ulm"}}
    changes["date"] = {"requested_on": date(2026, 12, 17)}
    if step == "numbers":
        porting.set_numbers(locked(pk), port_numbers.singles("030 23125-807"), by=by, at=NOW)
    else:
        porting.save(locked(pk), changes[step], by=by, at=NOW)


@pytest.mark.parametrize("step", STEP)
def test_step_that_a_colleague_changed_meanwhile_is_not_overwritten_unseen(acme, client, step):
    pk = filled(acme, client)
    make.number("+493023125816", state="active")
    fields, theirs = STEP[step]
    stale = seen(client, "port_step", pk, step)
    somebody_else_changes(pk, step, acme.erika)
    before = contents(order(pk))

    answer = post(acme, client, "port_step", pk, step, seen=stale, **fields)
    page = said(answer).replace("\u00a0", " ")

    assert (answer.status_code, contents(order(pk))) == (422, before)
    assert f"{acme.erika} hat diesen Schritt geändert" in page
    assert theirs in page
    assert TYPED[step] in page
    if step == "date":
        assert "checked" in page[page.index('value="2026-12-16"') :].partition(">")[0]
    again = post(acme, client, "port_step", pk, step, seen=answer.context["seen"], **fields)
    assert (again.status_code, contents(order(pk)) != before) == (302, True)


def test_step_changed_in_another_window_of_ones_own_says_so(acme, client):
    pk = filled(acme, client)
    stale = seen(client, "port_step", pk, "holder")
    somebody_else_changes(pk, "holder", acme.alice)

    answer = post(acme, client, "port_step", pk, "holder", seen=stale, **STEPS["holder"] | {"house_number": "99"})

    assert (answer.status_code, order(pk).house_number) == (422, "12a")
    assert "Sie haben diesen Schritt selbst geändert" in said(answer)
    assert "hat diesen Schritt geändert" not in said(answer)


@pytest.mark.parametrize("unknown", ["", "x" * 101])
def test_page_that_does_not_say_what_it_showed_accuses_nobody(acme, client, unknown):
    pk = filled(acme, client)
    somebody_else_changes(pk, "holder", acme.erika)

    answer = post(acme, client, "port_step", pk, "holder", seen=unknown, **STEPS["holder"] | {"house_number": "99"})

    assert (answer.status_code, order(pk).house_number) == (422, "12a")
    assert "Ihre Seite gezeigt hat, ist nicht bekannt." in said(answer)
    assert str(acme.erika) not in said(answer)


def test_colleagues_on_different_steps_do_not_hinder_each_other(acme, client):
    pk = filled(acme, client)
    stale = seen(client, "port_step", pk, "holder")
    for step in ("numbers", "provider", "date"):
        somebody_else_changes(pk, step, acme.erika)

    answer = post(acme, client, "port_step", pk, "holder", seen=stale, **STEPS["holder"] | {"house_number": "99"})

    assert (answer.status_code, order(pk).house_number) == (302, "99")
    assert order(pk).provider_customer_number == "0815"


def test_step_that_was_kept_in_part_is_corrected_without_a_fuss(acme, client):
    pk = filled(acme, client)
    fields = STEPS["holder"] | {"house_number": "99"}

    wrong = post(acme, client, "port_step", pk, "holder", **fields | {"postcode": "1"})
    right = post(acme, client, "port_step", pk, "holder", seen=wrong.context["seen"], **fields)

    assert (wrong.status_code, right.status_code, order(pk).house_number) == (422, 302, "99")
    assert "hat diesen Schritt geändert" not in said(wrong)


def test_step_without_a_word_of_what_was_seen_changes_nothing(acme, client):
    pk = filled(acme, client)

    answer = post(acme, client, "port_step", pk, "holder", seen="", **STEPS["holder"] | {"town": "Ulm"}, leave="1")

    assert (answer.status_code, order(pk).town) == (422, "Berlin")


def test_step_sent_after_the_order_was_submitted_says_that_it_is_not_saved(acme, client):
    pk = filled(acme, client)
    porting.submit(locked(pk), by=acme.alice, at=NOW)

    answer = post(acme, client, "port_step", pk, "holder", **STEPS["holder"] | {"house_number": "99"})

    assert answer.url == reverse("numbers:port", args=[pk])
    assert "Dieser Schritt wurde nicht gespeichert" in said(client.get(answer.url))
    assert order(pk).house_number == "12a"


def test_step_typed_after_the_order_was_submitted_leads_to_the_order(acme, client):
    pk = filled(acme, client)
    porting.submit(locked(pk), by=acme.alice, at=NOW)
    asks = {"HX-Request": "true", "HX-Request-Type": "partial", "X-Tenant": tenant_token(acme.acme.pk)}

    answer = client.post(reverse("numbers:port_step", args=[pk, "numbers"]), STEPS["numbers"], headers=asks)

    assert answer.headers["HX-Redirect"] == reverse("numbers:port", args=[pk])


def test_step_is_not_saved_when_the_order_is_submitted_in_the_same_moment(acme, client, monkeypatch):
    """Somebody submits between the look at the order and its lock."""
    pk = begun(acme, client)
    act = port_wizard.act

    def after_somebody_else(request, pk, *given):
        PortOrder.objects.filter(pk=pk).update(state="submitted", submitted_at=NOW)
        return act(request, pk, *given)

    monkeypatch.setattr(port_wizard, "act", after_somebody_else)
    answer = post(acme, client, "port_step", pk, "holder", **STEPS["holder"])

    assert answer.url == reverse("numbers:port", args=[pk])
    assert "wurde nicht gespeichert" in said(client.get(answer.url))
