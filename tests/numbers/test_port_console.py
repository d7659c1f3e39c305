"""The operator's desk of porting: what is due, what the old provider answered, who leaves."""

import html
from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from numbers import port_desk, porting
from numbers.models import PhoneNumber, PortOrder, PortOut, PortProvider
from portal import documents
from portal.models import AuditEvent, OutboxMessage
from portal.tenancy import tenant_transaction
from tests import make
from tests.conftest import NOW
from tests.portal.test_operator_console import console  # noqa: F401 -- the fixture
from tests.portal.test_uploads import pdf
from tests.porting import code, signed, submitted

DAY = date(2026, 12, 15)


@pytest.fixture
def port(cast):
    """A port order of Acme, submitted."""
    with time_machine.travel(NOW, tick=False), tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        make.verified_address("30")
        yield submitted(cast, "+493023125801", "+493023125802")


def act(client, order, verb, **fields):
    url = reverse("admin:numbers_portorder_look", args=[order.pk])
    seen = client.get(url).context["seen"]
    return client.post(url, {"act": verb, "seen": seen} | fields, follow=True)


def text(answer):
    return html.unescape(answer.content.decode())


def now(order):
    with tenant_transaction(order.tenant_id):
        return PortOrder.objects.get(pk=order.pk)


def desk(client, **query):
    return text(client.get(reverse("admin:numbers_portorder_desk"), query))


def test_order_is_titled_with_its_numbers(port, console):  # noqa: F811 -- the fixture
    page = text(console.get(reverse("admin:numbers_portorder_change", args=[port.pk]))).replace("\u00a0", " ")

    assert "<h2>030 23125801" in page


def test_date_field_offers_the_days_that_can_be_confirmed(port, console):  # noqa: F811 -- the fixture
    page = text(console.get(reverse("admin:numbers_portorder_look", args=[port.pk])))

    assert ('min="2026-11-24"' in page, 'max="2027-05-22"' in page) == (True, True)


def test_desk_shows_what_is_due_and_narrows_it_by_state(port, console):  # noqa: F811 -- the fixture
    url = reverse("admin:numbers_portorder_look", args=[port.pk])

    assert url in desk(console)
    assert "24.11.2026" in desk(console)
    assert url in desk(console, state="submitted")
    assert url not in desk(console, state="confirmed")


def test_work_takes_over_hands_over_and_accepts_with_a_date(port, console, cast):  # noqa: F811 -- the fixture
    act(console, port, "take")
    act(console, port, "sent", reference="DEU.TEST.V000000001")

    answer = act(console, port, "accept", on=DAY.isoformat())

    kept = now(port)
    assert (kept.state, kept.confirmed_on, kept.to_send) == ("confirmed", DAY, "")
    assert (kept.agent_id, kept.reference) == (cast.olga.pk, "DEU.TEST.V000000001")
    assert "Umschaltung am 15.12.2026" in text(answer)
    assert OutboxMessage.objects.filter(template="numbers/port_date_set", recipient=cast.alice.email).count() == 1


@pytest.mark.parametrize(
    ("verb", "fields", "sentence"),
    [
        ("accept", {}, "den der bisherige Anbieter nennt"),
        ("accept", {"on": "2026-12-12"}, "Wochenende"),
        ("reject", {}, "den Code der Ablehnung"),
        ("reject", {"code": "SON"}, "Worte"),
        ("cancel", {}, "Grund"),
        ("perhaps", {}, "Bitte sehen Sie ihn sich noch einmal an."),
        ("take", {"seen": ""}, "Bitte sehen Sie ihn sich noch einmal an."),
    ],
)
def test_work_without_what_it_needs_changes_nothing(port, console, verb, fields, sentence):  # noqa: F811 -- the fixture
    answer = act(console, port, verb, **fields)

    assert sentence in text(answer)
    assert now(port).state == "submitted"


@pytest.mark.parametrize("verb", ["take", "sent", "accept", "reject", "cancel"])
def test_work_on_what_somebody_has_changed_meanwhile_changes_nothing_and_says_so(port, console, cast, verb):  # noqa: F811 -- the fixture
    with tenant_transaction(port.tenant_id):
        looked_at = port_desk.version(port.pk)
        port_desk.reject(PortOrder.objects.locked(port.pk), "ADF", by=cast.olga, at=NOW)
        signed(cast, PortOrder.objects.locked(port.pk))
        porting.submit(PortOrder.objects.locked(port.pk), by=cast.alice, at=NOW)
        events = port_desk.version(port.pk)

    answer = act(console, port, verb, on=DAY.isoformat(), code="RNG", reason="x", reference="x", seen=looked_at)

    assert "seit Sie ihn angesehen haben" in text(answer)
    with tenant_transaction(port.tenant_id):
        assert port_desk.version(port.pk) == events
    assert (now(port).state, now(port).attempt) == ("submitted", 2)


@pytest.fixture
def asked(port, console, cast):  # noqa: F811 -- the fixture
    """The order, confirmed, with a later date that its tenant has asked for."""
    act(console, port, "accept", on=DAY.isoformat())
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        porting.ask_date(PortOrder.objects.locked(port.pk), DAY + timedelta(days=1), by=cast.alice, at=NOW)
    return port


def test_agreeing_to_a_date_that_has_passed_is_refused_with_its_reason(asked, console, cast):  # noqa: F811 -- the fixture
    with time_machine.travel(NOW + timedelta(days=23), tick=False):
        console.force_login(cast.olga)

        answer = act(console, asked, "accept_change")

    assert "Dieser Tag liegt nicht in der Zukunft." in text(answer)
    assert now(asked).confirmed_on == DAY


def test_what_is_wrong_is_tied_to_its_field_and_only_there(asked, console):  # noqa: F811 -- the fixture
    page = text(act(console, asked, "move", on="2026-12-19"))

    field = page[page.index('id="move_on"') - 100 :][:500]
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="move_on_error"' in field
    assert "Wochenende" in page[page.index('id="move_on_error"') :][:300]
    assert (page.count('aria-invalid="true"'), page.count('class="errorlist"')) == (1, 1)


def test_refused_act_shows_the_order_as_it_is_now(port, console, cast):  # noqa: F811 -- the fixture
    url = reverse("admin:numbers_portorder_look", args=[port.pk])
    seen = console.get(url).context["seen"]
    with tenant_transaction(port.tenant_id):
        porting.cancel(PortOrder.objects.locked(port.pk), by=cast.alice, at=NOW)

    answer = console.post(url, {"act": "sent", "seen": seen, "reference": "VH1"})

    assert "seit Sie ihn angesehen haben" in text(answer)
    assert "so stornieren Sie ihn dort" in text(answer)
    assert answer.context["order"].state == "cancelled"
    assert answer.context["seen"] > seen


def test_act_that_is_not_offered_any_more_says_why_whatever_else_it_lacks(port, console, cast):  # noqa: F811 -- the fixture
    url = reverse("admin:numbers_portorder_look", args=[port.pk])
    seen = console.get(url).context["seen"]
    with tenant_transaction(port.tenant_id):
        porting.cancel(PortOrder.objects.locked(port.pk), by=cast.alice, at=NOW)

    for fields in ({"act": "reject"}, {"act": "accept", "on": "someday"}, {"act": "sent", "reference": "VH1" * 20}):
        page = text(console.post(url, {"seen": seen} | fields))
        assert ("seit Sie ihn angesehen haben" in page, page.count('class="errorlist')) == (True, 1)


def test_order_is_never_older_than_the_version_sent_with_it(port, console, cast, monkeypatch):  # noqa: F811 -- the fixture
    """Something happens between the two reads of the page: then the page's version is the older one."""
    read = port_desk.version

    def version_and_more(pk):
        found = read(pk)
        with tenant_transaction(port.tenant_id):
            order = PortOrder.objects.locked(port.pk)
            if order.state == "submitted":
                porting.cancel(order, by=cast.alice, at=NOW)
        return found

    monkeypatch.setattr(port_desk, "version", version_and_more)
    page = console.get(reverse("admin:numbers_portorder_look", args=[port.pk]))

    assert page.context["seen"] < read(port.pk)
    assert page.context["order"].state == "cancelled"


def test_desk_narrows_to_what_was_cancelled_and_is_still_to_be_handed_over(port, console, cast):  # noqa: F811 -- the fixture
    url = reverse("admin:numbers_portorder_look", args=[port.pk])
    with tenant_transaction(port.tenant_id):
        port_desk.note_sent(PortOrder.objects.locked(port.pk), by=cast.olga, at=NOW)
        porting.cancel(PortOrder.objects.locked(port.pk), by=cast.alice, at=NOW)

    assert "?state=cancelled" in desk(console)
    assert url in desk(console, state="cancelled")
    act(console, port, "sent")
    assert url not in desk(console, state="cancelled")


@pytest.mark.parametrize("q", ["acme", "030 23125-801", "{order}", "VH0001", "kein Kunde", "99999999999999999999"])
def test_desk_finds_by_customer_number_reference_and_order(port, console, cast, q):  # noqa: F811 -- the fixture
    with tenant_transaction(port.tenant_id):
        port_desk.note_sent(PortOrder.objects.locked(port.pk), reference="DEU.X.VH0001", by=cast.olga, at=NOW)

    shown = desk(console, q=q.format(order=port.pk))

    assert (reverse("admin:numbers_portorder_look", args=[port.pk]) in shown) == (q not in ("kein Kunde", "9" * 20))


def test_desk_has_pages(port, console, cast, monkeypatch):  # noqa: F811 -- the fixture
    monkeypatch.setattr("numbers.admin.porting.SHOWN", 1)
    with tenant_transaction(port.tenant_id, user_id=cast.alice.pk):
        later = submitted(cast, "+493023125803")

    for page, order in ((1, port), (2, later)):
        shown = desk(console, page=page, q="acme")
        assert [f"/{pk}/look/" in shown for pk in (port.pk, later.pk)] == [order == port, order == later]
        assert f"?page={3 - page}&q=acme" in shown or f"?q=acme&page={3 - page}" in shown


def test_reject_says_code_and_words(port, console):  # noqa: F811 -- the fixture
    act(console, port, "reject", code="ADF", reason="Hausnummer 12b")

    assert (now(port).state, now(port).code, now(port).reason) == ("rejected", "ADF", "Hausnummer 12b")


def test_complete_brings_the_numbers(port, console, cast):  # noqa: F811 -- the fixture
    act(console, port, "accept", on=DAY.isoformat())

    with time_machine.travel(NOW + timedelta(days=22), tick=False):
        console.force_login(cast.olga)
        act(console, port, "complete")

    with tenant_transaction(port.tenant_id):
        held = PhoneNumber.objects.filter(e164__startswith="+4930231258").values_list("e164", "state")
        assert sorted(held) == [("+493023125801", "inactive"), ("+493023125802", "inactive")]


@pytest.mark.parametrize(("days", "flagged"), [(23, False), (24, True)])
def test_interruptions_of_more_than_a_working_day_are_flagged(port, console, cast, days, flagged):  # noqa: F811 -- the fixture
    act(console, port, "accept", on=DAY.isoformat())

    with time_machine.travel(NOW + timedelta(days=days), tick=False):
        console.force_login(cast.olga)
        assert ("Länger als einen Werktag unterbrochen" in desk(console)) == flagged


def test_asked_for_dates_are_answered(port, console, cast):  # noqa: F811 -- the fixture
    act(console, port, "accept", on=DAY.isoformat())
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        locked = PortOrder.objects.locked(port.pk)
        porting.ask_date(locked, DAY + timedelta(days=1), by=cast.alice, at=NOW)
    page = text(console.get(reverse("admin:numbers_portorder_look", args=[port.pk])))

    act(console, port, "accept_change")

    assert "Der Kunde fragt den 16.12.2026 an" in page
    assert now(port).confirmed_on == DAY + timedelta(days=1)


def test_signed_form_is_sent(port, console, cast):  # noqa: F811 -- the fixture
    with tenant_transaction(cast.acme.pk, user_id=cast.alice.pk):
        kept = documents.keep(pdf())
        who = {"code": code(port), "by": cast.alice, "at": NOW}
        porting.add_document(PortOrder.objects.locked(port.pk), name=kept, pages=1, size=500, **who)

    form = console.get(reverse("admin:numbers_portorder_document", args=[port.pk, 2]))

    assert form.headers["Content-Disposition"].startswith("attachment")
    assert form.content.startswith(b"%PDF-")
    assert console.get(reverse("admin:numbers_portorder_document", args=[port.pk, 1])).status_code == 404


def test_export_is_sent_as_json(port, console):  # noqa: F811 -- the fixture
    order = console.get(reverse("admin:numbers_portorder_export", args=[port.pk]))

    assert order.headers["Content-Type"] == "application/json"
    assert "23125801" in order.content.decode()


def test_an_order_that_is_not_there_is_404(console):  # noqa: F811 -- the fixture
    assert console.get(reverse("admin:numbers_portorder_look", args=[99])).status_code == 404


def announce(client, numbers, **fields):
    url = reverse("admin:numbers_portout_announce")
    return client.post(url, {"numbers": numbers, "leaves_on": "2026-12-15"} | fields, follow=True)


def test_announce_tells_the_tenant_and_can_be_taken_back(port, console, cast):  # noqa: F811 -- the fixture
    answer = announce(console, "030 23125-012")

    out = PortOut.objects.get()
    assert (out.leaves_on, out.tenant_id, out.state) == (DAY, cast.acme.pk, "announced")
    assert "angekündigt" in text(answer)
    assert OutboxMessage.objects.filter(template="numbers/port_out_announced").exists()
    listed = reverse("admin:numbers_portout_changelist")
    taken_back = text(console.post(listed, {"action": "withdraw", "_selected_action": [out.pk]}, follow=True))
    assert PortOut.objects.get().state == "withdrawn"
    assert "bleibt bei Acme GmbH" in taken_back
    again = text(console.post(listed, {"action": "withdraw", "_selected_action": [out.pk]}, follow=True))
    assert "bleibt bei Acme GmbH" not in again


def test_withdrawing_a_departure_that_was_announced_anew_meanwhile_leaves_the_new_one(port, console, cast):  # noqa: F811 -- the fixture
    announce(console, "030 23125-012")
    ticked = PortOut.objects.get()
    listed = reverse("admin:numbers_portout_changelist")
    console.post(listed, {"action": "withdraw", "_selected_action": [ticked.pk]})
    announce(console, "030 23125-012", leaves_on="2026-12-22")

    answer = text(console.post(listed, {"action": "withdraw", "_selected_action": [ticked.pk]}, follow=True))

    assert "ist nicht mehr angekündigt" in answer
    assert list(PortOut.objects.order_by("pk").values_list("state", flat=True)) == ["withdrawn", "announced"]


@pytest.mark.parametrize("numbers", ["030 23125-999", "gar keine", "030 23125012\n030 23125113"])
def test_announce_takes_numbers_of_one_customer_only(port, console, cast, numbers):  # noqa: F811 -- the fixture
    with tenant_transaction(cast.globex.pk):
        make.number("+493023125113")

    assert announce(console, numbers).status_code == 200
    assert not PortOut.objects.exists()


def test_providers_are_entered_with_their_code(console, cast):  # noqa: F811 -- the fixture
    url = reverse("admin:numbers_portprovider_add")

    console.post(url, {"name": "Ältere Telefon", "code": "D905"})
    refused = console.post(url, {"name": "Falsch", "code": "905"})

    assert PortProvider.objects.get(code="D905").sort_key == "altere telefon"
    assert refused.status_code == 200
    assert AuditEvent.objects.get(verb="provider.set").actor_id == cast.olga.pk
