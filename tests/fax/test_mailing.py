"""Sending credentials: to whom, by which mail, and what the pages say of it (rules F1 to F4)."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from fax import access, mailing, people
from fax import settings as of_fax
from fax.models import FaxCredential, FaxMail
from fax.outcomes import Reason
from numbers.models import PhoneNumber
from portal import outbox
from portal.models import AuditEvent, OutboxMessage
from portal.tenancy import tenant_transaction
from staff.models import StaffMember
from tests import make
from tests.conftest import NOW
from tests.isolation import walls
from tests.numbers.confirming import DIALOG, said, send, text

SECRET = re.compile(r"\b[2-9A-HJ-NP-Za-km-z]{16}\b")


@pytest.fixture(autouse=True)
def _clock(clock):
    return clock


def sent(office, number, *members, at=NOW):
    locked = PhoneNumber.objects.locked([number.pk])[0]
    found = mailing.send(locked, StaffMember.objects.locked([m.pk for m in members]), by=office.cast.alice, at=at)
    return {o.member_id: o.reason for o in found}


def post(office, client, number, *members, **fields):
    url = reverse("fax:send", args=[number.pk])
    return send(client, url, office.cast.acme, members=[m.pk for m in members], **fields)


def recipients():
    return sorted(OutboxMessage.objects.values_list("recipient", "template"))


# --- the operation ---


def test_send_mails_a_link_and_leaves_an_event(inside):
    assert sent(inside, inside.shared, inside.bob, inside.dora) == {inside.bob.pk: None, inside.dora.pk: None}

    assert recipients() == [("bob@acme.example", "fax/access"), ("dora@acme.example", "fax/access")]
    mail = FaxMail.objects.get(credential__staff_member=inside.bob)
    assert (mail.expires_at, mail.plain, mail.by) == (NOW + timedelta(hours=72), False, inside.cast.alice)
    event = AuditEvent.objects.filter(verb="number.fax_sent").order_by("pk").first()
    assert (event.actor, event.object_label, event.after["staff_member"]) == (
        inside.cast.alice,
        inside.shared.e164,
        "Bob Brandt",
    )
    credential = FaxCredential.objects.get(staff_member=inside.bob)
    assert (credential.secret_hash, credential.username[:4]) == ("", "fax-")


def test_a_personal_fax_is_for_its_assignee_alone(inside):
    assert sent(inside, inside.own, inside.dora, inside.bob) == {
        inside.dora.pk: Reason.NOT_ASSIGNEE,
        inside.bob.pk: None,
    }
    assert recipients() == [("bob@acme.example", "fax/access")]


def test_without_address_without_login_and_locked_people_get_none(inside):
    make.member("Lena Locked", email="lena@acme.example", state="locked")
    lena = StaffMember.objects.get(name="Lena Locked")

    assert sent(inside, inside.shared, inside.noah, inside.mia, lena) == {
        inside.noah.pk: Reason.NO_EMAIL,
        inside.mia.pk: Reason.NO_LOGIN,
        lena.pk: Reason.NOT_HERE,
    }
    assert (recipients(), FaxCredential.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "inactive", "active_since": None}, "ist inaktiv"),
        ({"state": "deactivation_scheduled", "last_active_on": date(2026, 10, 31)}, "ist inaktiv"),
        ({"state": "port_in_pending", "active_since": None}, "noch zu Ihnen portiert"),
        ({"usage": "voice"}, "nicht für Fax verwendet"),
    ],
)
def test_a_number_that_has_none_to_give_says_why_and_nothing_is_sent(office, sign_in, change, words):
    with tenant_transaction(office.cast.acme.pk):
        PhoneNumber.objects.filter(pk=office.shared.pk).update(**change)
    client = sign_in(office.cast.alice)

    shown, answer = (
        client.get(reverse("fax:send", args=[office.shared.pk])),
        post(office, client, office.shared, office.bob),
    )

    assert words in text(shown)
    assert (answer.status_code, words in text(answer)) == (422, True)
    with tenant_transaction(office.cast.acme.pk):
        assert (FaxCredential.objects.count(), OutboxMessage.objects.count()) == (0, 0)


def test_a_personal_fax_of_nobody_says_so(office, sign_in):
    with tenant_transaction(office.cast.acme.pk):
        office.own.assignments.update(until_at=NOW)

    answer = post(office, sign_in(office.cast.alice), office.own, office.bob)

    assert (answer.status_code, "niemandem zugeordnet" in text(answer)) == (422, True)


def test_sending_again_ends_the_earlier_link_and_keeps_the_user_name(inside):
    sent(inside, inside.shared, inside.bob)
    before = FaxCredential.objects.get()
    sent(inside, inside.shared, inside.bob, at=NOW + timedelta(hours=1))

    assert FaxCredential.objects.get() == before
    assert list(FaxMail.objects.order_by("pk").values_list("ended_at", flat=True)) == [NOW + timedelta(hours=1), None]


def test_nobodys_mailbox_is_filled(inside):
    for count in range(5):
        assert sent(inside, inside.shared, inside.bob, at=NOW + timedelta(minutes=count))[inside.bob.pk] is None

    assert sent(inside, inside.shared, inside.bob, at=NOW + timedelta(hours=1)) == {inside.bob.pk: Reason.TOO_OFTEN}
    assert sent(inside, inside.own, inside.bob, at=NOW + timedelta(hours=1)) == {inside.bob.pk: None}
    assert sent(inside, inside.shared, inside.bob, at=NOW + timedelta(hours=25)) == {inside.bob.pk: None}


# --- secrets and mails ---


def deliver(as_operator, at=NOW):
    with as_operator():
        message = outbox.claim(at=at)
        return None if message is None else outbox.deliver(message, at=at)


def dump():
    """Everything in the tables, as a dump holds it."""
    found = [walls.rows(f"SELECT '{table}', string_agg(t::text, ' ') FROM {table} AS t") for table in walls.tables()]
    return str(found)


def test_no_mail_dump_or_log_holds_a_secret(office, as_operator, peer, sign_in, caplog, capfd):
    client = sign_in(office.cast.alice)
    post(office, client, office.shared, office.bob)
    assert deliver(as_operator) is True
    body = peer.taken[0].get_payload(0).get_payload(decode=True).decode()
    bob = sign_in(office.cast.bob)
    bob.get(re.search(r"/fax/link/\S+", body)[0])
    with tenant_transaction(office.cast.acme.pk):
        username = FaxCredential.objects.get().username

    shown = send(bob, reverse("fax:link"), office.cast.acme)

    secret = re.search(r'id="secret">([^<]+)<', shown.content.decode())[1]
    assert access.tenant_of(username) == office.cast.acme.pk
    with tenant_transaction(office.cast.acme.pk):
        assert access.verify(username, secret, e164=office.shared.e164, at=NOW).staff_member == office.bob
    assert "lpadmin" in shown.content.decode()
    for part in peer.taken[0].get_payload():
        assert secret not in part.get_payload(decode=True).decode()
        assert not SECRET.search(body)
    with as_operator():
        everything = dump()
    assert "fax_faxcredential" in everything and username in everything  # noqa: PT018 -- so the dump is one
    assert secret not in everything
    assert secret not in caplog.text + "".join(capfd.readouterr())


def test_a_plain_mail_holds_the_secret_and_the_outbox_only_its_seal(inside, as_operator, peer):
    of_fax.change(plain_mail=True, by=inside.cast.alice, at=NOW)
    assert sent(inside, inside.shared, inside.mia) == {inside.mia.pk: None}  # a login is not needed

    with as_operator():
        waiting = dump()
    assert deliver(as_operator) is True

    body = peer.taken[0].get_payload(0).get_payload(decode=True).decode()
    secret = re.search(r"Passwort: (\S{16})", body)[1]
    credential = FaxCredential.objects.get()
    assert access.verify(credential.username, secret, e164=inside.shared.e164, at=NOW) == credential
    assert secret not in waiting
    with as_operator():
        assert OutboxMessage.objects.get().context == {}
        assert secret not in dump()
    assert AuditEvent.objects.get(verb="fax.settings_changed").after == {"plain_mail": True}


@pytest.mark.parametrize(
    ("mood", "state"),
    [
        ("ok", "sent"),
        ("450 later", "trying"),
        ("550 never", "trying"),
        ("hang", "trying"),
        ("die after DATA", "trying"),
    ],
)
def test_whatever_the_mail_server_does_the_page_says_what_is_so(inside, as_operator, peer, mood, state):
    sent(inside, inside.shared, inside.bob)
    assert people.of_number(inside.shared, at=NOW)[0].state == "waiting"
    peer.mood = mood

    deliver(as_operator)

    row = people.of_number(inside.shared, at=NOW)[0]
    assert (row.state, bool(row.reason)) == (state, state != "sent")
    peer.mood, later = "ok", NOW + timedelta(minutes=1)
    deliver(as_operator, later)
    assert people.of_number(inside.shared, at=later)[0].state == "sent"
    key = FaxMail.objects.get().key
    assert set(peer.ids) == {f"<{key}@operator.example>"}
    assert len(peer.ids) == (2 if mood == "die after DATA" else 1)


def test_a_dead_mail_has_failed_with_its_reason_and_can_be_sent_again(inside, as_operator, peer, sign_in):
    sent(inside, inside.shared, inside.bob)
    with as_operator():
        OutboxMessage.objects.update(state="dead", error="SMTPRecipientsRefused: 550 no such mailbox")

    row = people.of_number(inside.shared, at=NOW)[0]
    assert (row.state, row.reason) == ("failed", "SMTPRecipientsRefused: 550 no such mailbox")
    page = text(sign_in(inside.cast.alice).get(reverse("fax:access", args=[inside.shared.pk])))
    assert "550 no such mailbox" in page
    assert "Erneut senden" in page
    sent(inside, inside.shared, inside.bob)
    assert people.of_number(inside.shared, at=NOW)[0].state == "waiting"


def test_a_mail_forgotten_after_90_days_counts_as_sent(inside, as_operator):
    sent(inside, inside.shared, inside.bob)
    with as_operator():
        OutboxMessage.objects.all().delete()

    later = NOW + timedelta(days=91)
    assert people.of_number(inside.shared, at=later)[0].state == "expired"


# --- the pages ---


def test_the_window_offers_everybody_and_says_who_cannot_be_chosen(office, sign_in):
    page = sign_in(office.cast.alice).get(reverse("fax:send", args=[office.shared.pk]))

    offered = {
        pk: ("checked" in tag, "disabled" in tag)
        for tag, pk in re.findall(r'(<input[^>]*name="members"[^>]*value="(\d+)"[^>]*>)', page.content.decode())
    }
    assert offered == {
        str(office.bob.pk): (True, False),
        str(office.mia.pk): (False, True),
        str(office.noah.pk): (False, True),
        str(office.dora.pk): (False, False),
    }
    assert "Keine E-Mail-Adresse" in text(page)
    assert "Laden Sie diese Person zuerst ein" in text(page)
    assert "Zugangsdaten an Mitarbeiter versenden" in text(page)


def test_a_search_narrows_and_keeps_who_was_chosen(office, sign_in):
    url = reverse("fax:send", args=[office.shared.pk])
    part = sign_in(office.cast.alice).get(
        url, {"part": "people", "q": "dora", "members": [office.mia.pk, "x"]}, headers=DIALOG
    )

    names = re.findall(r'id="member-(\d+)"', part.content.decode())
    assert set(names) == {str(office.bob.pk), str(office.mia.pk), str(office.dora.pk)}


@pytest.mark.parametrize("htmx", [True, False])
def test_sending_confirms_with_the_state_of_each_recipient_once(office, sign_in, htmx):
    client = sign_in(office.cast.alice)
    key = "6f6cf0c0-2f0e-4d0f-9a8b-3a2f8f0f0001"
    for _ in range(2):
        answer = post(
            office, client, office.shared, office.bob, office.dora, headers=DIALOG if htmx else None, operation_id=key
        )

    if not htmx:
        assert answer.headers["Location"] == reverse("fax:access", args=[office.shared.pk])
        assert said(answer) == ["Die Zugangsdaten des Fax-Druckertreibers wurden an 2 Mitarbeiter versendet."]
        answer = client.get(answer.headers["Location"])
    assert answer.status_code == 200
    assert "Die Zugangsdaten des Fax-Druckertreibers wurden an 2 Mitarbeiter versendet." in text(answer)
    assert text(answer).count("E-Mail unterwegs") == 2
    assert "every 2s" in answer.content.decode()
    with tenant_transaction(office.cast.acme.pk):
        assert OutboxMessage.objects.count() == 2


def test_a_forged_form_does_not_change_who_gets_a_personal_fax(office, sign_in):
    post(office, sign_in(office.cast.alice), office.own, office.dora, office.mia)

    with tenant_transaction(office.cast.acme.pk):
        assert recipients() == [("bob@acme.example", "fax/access")]
        assert FaxCredential.objects.get().staff_member == office.bob


def test_another_tenants_person_is_not_found(office, sign_in):
    with tenant_transaction(office.cast.globex.pk):
        carl = make.member("Carl Conrad", user=office.cast.carl)

    assert post(office, sign_in(office.cast.alice), office.shared, office.bob, carl).status_code == 404
    with tenant_transaction(office.cast.acme.pk):
        assert FaxCredential.objects.count() == 0


@pytest.mark.parametrize("chosen", [[], ["x"], ["9" * 30]])
def test_a_choice_that_is_none_is_refused(office, sign_in, chosen):
    url = reverse("fax:send", args=[office.shared.pk])

    answer = send(sign_in(office.cast.alice), url, office.cast.acme, members=chosen)

    assert answer.status_code == 422
    assert "Bitte wählen Sie" in text(answer)


def test_when_nobody_can_be_sent_any_the_window_stays_and_says_why(office, sign_in):
    answer = post(office, sign_in(office.cast.alice), office.shared, office.noah)

    assert (answer.status_code, "Noah Neumann: Keine E-Mail-Adresse" in text(answer)) == (422, True)


def test_a_fresh_sign_in_is_asked_for_first(office, client):
    client.force_login(office.cast.alice)
    url = reverse("fax:send", args=[office.shared.pk])

    for answer in (client.get(url), post(office, client, office.shared, office.bob)):
        assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    with tenant_transaction(office.cast.acme.pk):
        assert FaxCredential.objects.count() == 0


def test_the_overview_has_the_icon_on_working_fax_numbers_alone(office, sign_in):
    with tenant_transaction(office.cast.acme.pk):
        make.number("+493023125022", usage="fax_shared")
        make.number("+493023125023", state="active")

    page = sign_in(office.cast.alice).get(reverse("numbers:overview")).content.decode()

    assert sorted(re.findall(r"/numbers/(\d+)/fax/send/", page)) == sorted([str(office.own.pk), str(office.shared.pk)])


def test_credentials_of_a_personal_fax_are_sent_again_to_its_assignee_alone(inside):
    for member in (inside.bob, inside.noah):
        make.fax_credential(inside.own, member, "K7M3Q9XD2HVTW8RP")

    rows = people.of_number(inside.own, at=NOW)

    assert [(row.name, row.can_send) for row in rows] == [("Bob Brandt", True), ("Noah Neumann", False)]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_needs_as_many_queries_for_three_as_for_one(inside, django_assert_num_queries, count):
    for place in range(count):
        member = make.member(f"Person {place}", user=make.user(f"p{place}@acme.example", "P"))
        sent(inside, inside.shared, member)

    with django_assert_num_queries(3):
        assert len(people.of_number(inside.shared, at=NOW)) == count


def test_the_setting_is_changed_with_a_warning_and_an_event(office, sign_in):
    client, url = sign_in(office.cast.alice), reverse("fax:settings")

    assert "E-Mails sind nicht vertraulich" in text(client.get(url))
    assert said(send(client, url, office.cast.acme, plain_mail="on")) == ["Die Änderungen wurden gespeichert."]
    assert said(send(client, url, office.cast.acme, plain_mail="on"))[-1].startswith("Es war nichts anders")
    with tenant_transaction(office.cast.acme.pk):
        assert of_fax.of_tenant().plain_mail
        assert AuditEvent.objects.filter(verb="fax.settings_changed").count() == 1
