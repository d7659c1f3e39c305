from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from numbers import effects, forwarding, labels, swap
from numbers.models import PhoneNumber
from portal import audit, tenancy
from tests import make
from tests.conftest import NOW

URL = reverse("numbers:history")


@pytest.fixture
def number(acme):
    return make.number("+496990009012", area_code="69", state="active", label="Empfang")


def lock(number):
    return PhoneNumber.objects.locked([number.pk])[0]


def relabel(number, label, *, by, at=NOW):
    labels.change(lock(number), label=label, note="", usage="voice", by=by, at=at)


def sentences(answer):
    return [line.sentence for line in answer.context["page"].lines]


def test_history_says_every_verb_in_words(acme, number, sign_in):
    other = make.number("+494066969010", area_code="40")
    rule = {"by": acme.alice, "at": NOW}
    forwarding.set_rule(lock(number), when="no_answer", destination="sip:a@b.example", after_seconds=20, **rule)
    forwarding.remove_rule(lock(number), when="no_answer", **rule)
    rows = {row.pk: row for row in PhoneNumber.objects.locked([number.pk, other.pk])}
    swap.swap(rows[number.pk], rows[other.pk], by=acme.alice, at=NOW)
    due = make.number(state="deactivation_scheduled", last_active_on=datetime(2026, 10, 31, tzinfo=UTC).date())
    effects.settle([lock(due)], at=NOW)
    audit.record(
        "number.added", [audit.Entry("number", due.pk, due.e164)], by=acme.olga, at=NOW, tenant_id=acme.acme.pk
    )

    answer = sign_in(acme.alice).get(URL)

    assert sentences(answer) == [
        "In den Bestand aufgenommen",
        "Deaktiviert, inaktiv ab 01.11.2026",
        "An die Stelle von 069\u00a090009012 getreten, jetzt aktiv",
        "Gegen 040\u00a066969010 ausgetauscht, alle Einstellungen gelöscht, jetzt inaktiv",
        "Weiterleitung bei Nichtannahme nach 20 s auf a@b.example entfernt",
        "Weiterleitung bei Nichtannahme nach 20 s auf a@b.example eingerichtet",
    ]
    assert [line.actor for line in answer.context["page"].lines][:2] == [
        "Olga Otto",
        "automatisch zum vorgemerkten Termin",
    ]


def test_history_is_narrowed_by_verb_person_number_and_day(acme, number, sign_in):
    other = make.number("+494066969010", area_code="40", label="Lager")
    relabel(number, "A", by=acme.alice, at=NOW - timedelta(days=10))
    relabel(other, "B", by=acme.erika)
    forwarding.set_rule(
        lock(number), when="always", destination="+494066969011", after_seconds=None, by=acme.alice, at=NOW
    )
    client = sign_in(acme.alice)

    def found(**wanted):
        return [(line.number, line.icon) for line in client.get(URL, wanted).context["page"].lines]

    a, b, forwarded = (
        ("069\u00a090009012", "pencil"),
        ("040\u00a066969010", "pencil"),
        ("069\u00a090009012", "phone-forwarded"),
    )
    assert found() == [forwarded, b, a]
    assert found(verb="number.changed") == [b, a]
    assert found(person=acme.erika.pk) == [b]
    assert found(person="automatic") == []
    assert found(number="069 / 90009-012") == [forwarded, a]
    assert found(since="2026-11-20") == [forwarded, b]
    assert found(until="2026-11-13") == [a]
    assert found(verb="number.changed", number="hamburg") == [b]
    assert found(person=str(acme.carl.pk), since="nonsense") == [
        forwarded,
        b,
        a,
    ]  # what cannot be chosen narrows nothing


def test_history_pages_forwards_and_back_without_gap(acme, number, sign_in):
    for step in range(120):
        relabel(number, f"Nr. {step}", by=acme.alice)
    client, address, seen, back = sign_in(acme.alice), URL, [], None
    while address:
        page = client.get(address).context["page"]
        seen += [line.sentence for line in page.lines]
        back = page
        address = f"{URL}?before={page.older}" if page.older else ""

    assert len(seen) == len(set(seen)) == 120
    previous = client.get(f"{URL}?after={back.newer}").context["page"]
    assert [line.sentence for line in previous.lines] == seen[50:100]


def test_history_never_shows_another_tenant(acme, number, sign_in):
    with tenancy.tenant_transaction(acme.globex.pk):
        foreign = make.number()
        audit.record(
            "number.activated",
            [audit.Entry("number", foreign.pk, foreign.e164)],
            by=acme.carl,
            at=NOW,
            tenant_id=acme.globex.pk,
        )
    relabel(number, "Neu", by=acme.alice)

    answer = sign_in(acme.alice).get(URL, {"person": acme.carl.pk})

    assert len(answer.context["page"].lines) == 1
    assert "Carl" not in answer.content.decode()


def test_history_shows_an_event_nobody_taught_it(acme, number, sign_in):
    audit.record(
        "number.renamed", [audit.Entry("number", number.pk, number.e164)], by=acme.alice, at=NOW, tenant_id=acme.acme.pk
    )

    assert sentences(sign_in(acme.alice).get(URL)) == ["Ereignis"]


def test_history_answers_htmx_with_the_list_alone(acme, number, sign_in):
    from portal.access import tenant_token

    headers = {"hx-request": "true", "hx-request-type": "partial", "x-tenant": tenant_token(acme.acme.pk)}

    assert sign_in(acme.alice).get(URL, headers=headers).content.decode().strip().startswith("<section")


@pytest.mark.parametrize("who", ["bob", "dora"])
def test_history_is_for_administrators(acme, sign_in, who):
    assert sign_in(getattr(acme, who)).get(URL).status_code == 403


def test_history_asks_as_much_of_the_database_for_any_past(acme, number, sign_in, django_assert_num_queries):
    client = sign_in(acme.alice)
    client.get(URL)
    for count in (1, 3, 60):
        for step in range(count):
            relabel(number, f"{count}/{step}", by=acme.alice)
        with django_assert_num_queries(7):
            client.get(URL)
