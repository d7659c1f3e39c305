import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from numbers import labels, lifecycle
from numbers.models import Forwarding, PhoneNumber
from portal import tenancy
from portal.access import tenant_token
from portal.models import AuditEvent
from tests import make
from tests.conftest import NOW


def page(pk):
    return reverse("numbers:number", args=[pk])


def edit(pk):
    return reverse("numbers:edit", args=[pk])


@pytest.fixture
def number(acme):
    return make.number(
        "+493023125012", base_number="+493023125", extension_digits="012", state="active", label="Empfang"
    )


def test_number_shows_state_dates_block_and_how_to_dial(acme, number, sign_in):
    text = sign_in(acme.alice).get(page(number.pk)).content.decode()

    assert "030\u00a023125\u2011012" in text
    assert 'href="tel:+493023125012"' in text
    assert 'data-copy="+493023125012"' in text
    assert "+49\u00a030\u00a023125\u2011012" in text
    assert "01.03.2026" in text
    for action in ("deactivate", "forwarding", "edit"):
        assert reverse(f"numbers:{action}", args=[number.pk]) in text
    assert f"{reverse('numbers:swap')}?old={number.pk}" in text


def test_own_numbers_are_written_with_their_extension_wherever_calls_go(acme, number, sign_in):
    other = make.number("+493023125013", base_number="+493023125", extension_digits="013", state="active")
    for row, destination in ((number, other.e164), (other, number.e164), (other, "+493023125900")):
        when = "always" if destination != number.e164 else "busy"
        Forwarding.objects.create(number=row, when=when, destination=destination, changed_at=NOW)
    client = sign_in(acme.alice)

    pages = [client.get(url).content.decode() for url in (page(number.pk), page(other.pk))]
    dialog = client.get(reverse("numbers:deactivate", args=[other.pk])).content.decode()

    assert pages[0].count("030\u00a023125\u2011013") == 2  # its calls go there and come from there
    assert "030\u00a023125900" in pages[1]
    assert "Weiterleitung bei Besetzt auf 030\u00a023125\u2011012" in dialog
    assert "Weiterleitung immer von 030\u00a023125\u2011012" in dialog
    assert "auf +49" not in dialog


@pytest.mark.parametrize(
    ("state", "offered", "hidden"),
    [
        ("inactive", ["activate"], ["deactivate", "withdraw"]),
        ("active", ["deactivate"], ["activate", "withdraw"]),
        ("deactivation_scheduled", ["withdraw"], ["activate", "deactivate"]),
        ("port_in_pending", [], ["activate", "deactivate", "withdraw"]),
        ("returned", [], ["activate", "deactivate", "withdraw"]),
    ],
)
def test_number_offers_what_its_state_allows(acme, sign_in, state, offered, hidden):
    last = date(2099, 12, 31) if state == "deactivation_scheduled" else None
    number = make.number(state=state, last_active_on=last)

    text = sign_in(acme.alice).get(page(number.pk)).content.decode()

    assert all(reverse(f"numbers:{action}", args=[number.pk]) in text for action in offered)
    assert not any(reverse(f"numbers:{action}", args=[number.pk]) in text for action in hidden)


def test_number_past_its_last_active_day_is_shown_inactive(acme, sign_in):
    number = make.number(state="deactivation_scheduled", last_active_on=date(2026, 10, 31))

    answer = sign_in(acme.alice).get(page(number.pk))

    assert answer.context["facts"].state == "inactive"
    assert not answer.context["facts"].working


def test_number_tells_everything_that_happened_with_actor(acme, sign_in):
    number = make.number(label="Alt")
    lock = PhoneNumber.objects.locked
    lifecycle.activate(lock([number.pk]), prices_seen={"standard": Decimal("2.90")}, by=acme.alice, at=NOW)
    labels.change(lock([number.pk])[0], label="Neu", note="", usage="conference", by=acme.erika, at=NOW)
    lifecycle.schedule_deactivation(lock([number.pk]), date_seen=date(2026, 12, 31), by=acme.erika, at=NOW)
    lifecycle.withdraw(lock([number.pk]), by=acme.alice, at=NOW)

    past = sign_in(acme.alice).get(page(number.pk)).context["past"]

    assert [line.actor for line in past] == ["Alice Adler", "Erika Ernst", "Erika Ernst", "Alice Adler"]
    withdrawn, scheduled, changed, activated = [line.sentence for line in past]
    assert withdrawn == "Vormerkung zum 31.12.2026 zurückgenommen, die Rufnummer bleibt aktiv"
    assert scheduled == "Zur Deaktivierung vorgemerkt, aktiv bis einschließlich 31.12.2026"
    assert changed == "Bezeichnung von „Alt“ in „Neu“ geändert; Verwendung von „Sprache“ in „Konferenz“ geändert"
    assert activated == "Aktiviert"


def test_number_pages_its_past(acme, number, sign_in):
    for step in range(45):
        labels.change(
            PhoneNumber.objects.locked([number.pk])[0],
            label=f"Nr. {step}",
            note="",
            usage="voice",
            by=acme.alice,
            at=datetime(2026, 11, 1, 9, 0, tzinfo=UTC),
        )
    client, seen, address = sign_in(acme.alice), [], page(number.pk)
    while address:
        answer = client.get(address)
        seen += [re.findall(r"Nr\. \d+", line.sentence)[-1] for line in answer.context["past"]]
        more = answer.context["more"]
        address = f"{page(number.pk)}?before={more}" if more else ""

    assert seen == [f"Nr. {step}" for step in reversed(range(45))]


def test_edit_saves_and_leaves_a_trace(acme, number, sign_in):
    data = {"_tenant": tenant_token(acme.acme.pk), "label": "Zentrale", "usage": "fax_shared", "note": "Im Briefkopf"}

    answer = sign_in(acme.alice).post(edit(number.pk), data)

    assert answer.url == page(number.pk)
    number.refresh_from_db()
    assert (number.label, number.usage, number.note) == ("Zentrale", "fax_shared", "Im Briefkopf")
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor) == ("number.changed", acme.alice)


def test_edit_refuses_a_label_too_long_beside_the_field(acme, number, sign_in):
    data = {"_tenant": tenant_token(acme.acme.pk), "label": "x" * 61, "usage": "voice", "note": ""}

    answer = sign_in(acme.alice).post(edit(number.pk), data)

    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"label"}
    number.refresh_from_db()
    assert number.label == "Empfang"


def test_edit_opens_as_a_dialog(acme, number, sign_in):
    answer = sign_in(acme.alice).get(
        edit(number.pk),
        headers={"hx-request": "true", "hx-request-type": "partial", "x-tenant": tenant_token(acme.acme.pk)},
    )

    text = answer.content.decode()
    assert text.strip().startswith("<form")
    assert "<html" not in text


@pytest.mark.parametrize("address", [page, edit])
@pytest.mark.parametrize("who", ["bob", "dora"])
def test_number_is_for_administrators(acme, number, sign_in, who, address):
    client = sign_in(getattr(acme, who))

    assert client.get(address(number.pk)).status_code == 403
    assert client.post(address(number.pk), {"_tenant": tenant_token(acme.acme.pk)}).status_code in (403, 405)
    assert not AuditEvent.objects.exists()


def test_number_of_another_tenant_is_unknown(acme, sign_in):
    with tenancy.tenant_transaction(acme.globex.pk):
        foreign = make.number(label="Geheim")
    client = sign_in(acme.alice)
    data = {"_tenant": tenant_token(acme.acme.pk), "label": "Meins", "usage": "voice"}

    assert [client.get(address(foreign.pk)).status_code for address in (page, edit)] == [404, 404]
    assert client.post(edit(foreign.pk), data).status_code == 404
    with tenancy.tenant_transaction(acme.globex.pk):
        foreign.refresh_from_db()
    assert foreign.label == "Geheim"


def test_number_asks_as_much_of_the_database_for_any_past(acme, number, sign_in, django_assert_num_queries):
    client = sign_in(acme.alice)
    client.get(page(number.pk))
    for count in (1, 3, 25):
        for step in range(count):
            locked = PhoneNumber.objects.locked([number.pk])[0]
            labels.change(locked, label=f"{count}/{step}", note="", usage="voice", by=acme.alice, at=NOW)
        with django_assert_num_queries(13):
            client.get(page(number.pk))
