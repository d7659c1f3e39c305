import pytest
from django.urls import reverse

from numbers import forwarding
from numbers.models import Forwarding, PhoneNumber
from portal import tenancy
from portal.access import tenant_token
from portal.models import AuditEvent
from tests import make
from tests.conftest import NOW


def page(pk):
    return reverse("numbers:forwarding", args=[pk])


def remove(pk, when="always"):
    return reverse("numbers:forwarding_remove", args=[pk, when])


@pytest.fixture
def number(acme):
    return make.number("+496990009012", area_code="69", state="active")


@pytest.fixture
def send(acme, sign_in):
    """Send the form as Alice."""

    def _send(pk, who=None, **fields):
        data = {"_tenant": tenant_token(acme.acme.pk), "when": "always", "destination": "040 66969-010"} | fields
        return sign_in(who or acme.alice).post(page(pk), data)

    return _send


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({}, ("always", "+494066969010", None)),
        ({"when": "busy", "destination": "empfang@telefon.example"}, ("busy", "sip:empfang@telefon.example", None)),
        ({"when": "no_answer", "after_seconds": "20"}, ("no_answer", "+494066969010", 20)),
        ({"when": "always", "after_seconds": "20"}, ("always", "+494066969010", None)),
    ],
)
def test_forwarding_sets_a_rule_and_leaves_a_trace(acme, number, send, fields, rule):
    answer = send(number.pk, **fields)

    assert answer.url == page(number.pk)
    assert Forwarding.objects.values_list("when", "destination", "after_seconds").get() == rule
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor, event.after["destination"]) == ("number.forwarded", acme.alice, rule[1])


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"destination": ""}, "destination", "Bitte geben Sie an, wohin die Anrufe gehen sollen."),
        ({"destination": "069 90009012"}, "destination", "nicht auf sich selbst"),
        ({"destination": "0900 1234567"}, "destination", "Mehrwertdienste"),
        ({"destination": "112"}, "destination", "Notrufnummern"),
        ({"destination": "a b@c"}, "destination", "keine SIP-Adresse"),
        ({"destination": "hallo"}, "destination", "keine Rufnummer"),
        ({"when": "no_answer"}, "after_seconds", "5 bis 120"),
        ({"when": "no_answer", "after_seconds": "4"}, "after_seconds", "5"),
        ({"when": "no_answer", "after_seconds": "121"}, "after_seconds", "120"),
        ({"when": "sometimes"}, "when", "sometimes"),
    ],
)
def test_forwarding_refuses_beside_the_field_with_the_reason(acme, number, send, fields, field, reason):
    answer = send(number.pk, **fields)

    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert errors.keys() == {field}
    assert reason in errors[field][0]
    assert not Forwarding.objects.exists()
    assert not AuditEvent.objects.exists()


def test_forwarding_refuses_a_loop(acme, number, send):
    other = make.number("+496990009013", area_code="69", state="active")
    send(number.pk, destination="069 90009013")

    answer = send(other.pk, destination="069 90009012")

    assert answer.status_code == 422
    assert "Schleife" in answer.context["form"].errors["destination"][0]


def test_forwarding_of_an_inactive_number_is_refused_with_the_way_out(acme, send, sign_in):
    inactive = make.number()

    answer = send(inactive.pk)

    assert answer.status_code == 422
    assert reverse("numbers:activate", args=[inactive.pk]) in answer.content.decode()
    assert not Forwarding.objects.exists()
    assert (
        reverse("numbers:activate", args=[inactive.pk]) in sign_in(acme.alice).get(page(inactive.pk)).content.decode()
    )


def set_up(cast, number):
    forwarding.set_rule(
        PhoneNumber.objects.locked([number.pk])[0],
        when="always",
        destination="+494066969010",
        after_seconds=None,
        by=cast.alice,
        at=NOW,
    )


def test_forwarding_is_removed_once(acme, number, sign_in):
    set_up(acme, number)
    client, data = sign_in(acme.alice), {"_tenant": tenant_token(acme.acme.pk)}

    first = client.post(remove(number.pk), data, follow=True)
    second = client.post(remove(number.pk), data, follow=True)

    assert [str(m) for m in first.context["messages"]] == ["Die Weiterleitung wurde entfernt."]
    assert [str(m) for m in second.context["messages"]] == ["Diese Weiterleitung gab es schon nicht mehr."]
    assert not Forwarding.objects.exists()
    assert AuditEvent.objects.filter(verb="number.forwarding_removed").count() == 1


def test_forwarding_is_removed_by_post_only_and_in_known_cases(acme, number, sign_in):
    client, data = sign_in(acme.alice), {"_tenant": tenant_token(acme.acme.pk)}

    assert client.get(remove(number.pk)).status_code == 405
    assert client.post(remove(number.pk, "never"), data).status_code == 404


@pytest.mark.parametrize("who", ["bob", "dora"])
def test_forwarding_is_for_administrators(acme, number, send, sign_in, who):
    set_up(acme, number)
    person = getattr(acme, who)

    assert sign_in(person).get(page(number.pk)).status_code == 403
    assert send(number.pk, who=person).status_code == 403
    assert sign_in(person).post(remove(number.pk), {"_tenant": tenant_token(acme.acme.pk)}).status_code == 403
    assert Forwarding.objects.count() == 1


def test_forwarding_of_another_tenant_is_unknown(acme, send, sign_in):
    with tenancy.tenant_transaction(acme.globex.pk):
        foreign = make.number(state="active")
        set_up(acme, foreign)
    client = sign_in(acme.alice)

    assert client.get(page(foreign.pk)).status_code == 404
    assert send(foreign.pk).status_code == 404
    assert client.post(remove(foreign.pk), {"_tenant": tenant_token(acme.acme.pk)}).status_code == 404
    with tenancy.tenant_transaction(acme.globex.pk):
        assert Forwarding.objects.count() == 1


def test_forwarding_page_changes_the_rule_asked_for(acme, number, sign_in):
    set_up(acme, number)
    client = sign_in(acme.alice)

    assert client.get(page(number.pk)).context["form"].initial["when"] == "busy"
    assert client.get(page(number.pk), {"when": "always"}).context["form"].initial["destination"] == "+494066969010"
