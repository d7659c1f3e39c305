from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from numbers import forwarding, labels
from numbers.models import PhoneNumber
from portal import tenancy
from tests import make
from tests.conftest import NOW

URL = reverse("numbers:dashboard")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def test_dashboard_counts_by_date_not_by_job(acme, sign_in):
    make.numbers(2, state="active")
    make.number(state="deactivation_scheduled", last_active_on=date(2026, 12, 31))
    make.number(state="deactivation_scheduled", last_active_on=date(2026, 10, 31))
    make.number()

    answer = sign_in(acme.alice).get(URL)

    assert answer.context["counts"] == {"active": "2", "scheduled": "1", "inactive": "2"}
    assert answer.context["net"] == "8,70\u00a0€"
    text = answer.content.decode()
    assert all(f"{reverse('numbers:overview')}?state={state}" in text for state in ("active", "scheduled", "inactive"))


def test_dashboard_shows_upcoming_deactivations_with_mark_date_and_way_back(acme, sign_in):
    number = make.number(state="deactivation_scheduled", last_active_on=date(2026, 12, 31))

    text = sign_in(acme.alice).get(URL).content.decode()

    assert "Achtung:" in text
    assert "aktiv bis einschließlich 31.12.2026" in text
    assert reverse("numbers:withdraw", args=[number.pk]) in text


def test_dashboard_names_active_numbers_without_destination(acme, sign_in):
    reached, silent = make.number(state="active"), make.number(state="active")
    make.number()
    lock = PhoneNumber.objects.locked
    rule = {"destination": "+494066969010", "after_seconds": None, "by": acme.alice, "at": NOW}
    forwarding.set_rule(lock([reached.pk])[0], when="always", **rule)
    forwarding.set_rule(lock([silent.pk])[0], when="busy", **rule)

    card = sign_in(acme.alice).get(URL).context["without"]

    assert ([item.pk for item in card.items], card.total) == ([silent.pk], 1)


def test_a_forwarding_that_has_ended_is_no_destination_whatever_the_job_has_done(acme, sign_in):
    number = make.number(state="active")
    rule = {"when": "always", "destination": "+494066969010", "after_seconds": None}
    [locked] = PhoneNumber.objects.locked([number.pk])
    forwarding.set_rule(locked, **rule, until_at=NOW - timedelta(days=1), by=acme.alice, at=NOW - timedelta(days=9))

    page = sign_in(acme.alice)

    assert [item.pk for item in page.get(URL).context["without"].items] == [number.pk]
    assert "Weiterleitung immer" not in page.get(reverse("numbers:deactivate", args=[number.pk])).content.decode()


def test_dashboard_of_an_empty_tenant_says_what_to_do(acme, sign_in):
    text = sign_in(acme.alice).get(URL).content.decode()

    assert "Acme GmbH hat noch keine Rufnummern" in text
    main = text[text.index("<main") :]
    assert [name for name in ("addresses", "order_new", "port_new") if reverse(f"numbers:{name}") in main] == [
        "addresses",
        "order_new",
        "port_new",
    ]


def test_dashboard_without_active_numbers_leads_to_the_first_activation(acme, sign_in):
    make.number()

    assert "Um eine Rufnummer nutzen zu können" in sign_in(acme.alice).get(URL).content.decode()


@pytest.mark.parametrize("who", ["bob", "dora"])
def test_dashboard_is_for_administrators(acme, sign_in, who):
    assert sign_in(getattr(acme, who)).get(URL).status_code == 403


def test_dashboard_shows_nothing_of_another_tenant(acme, sign_in):
    with tenancy.tenant_transaction(acme.globex.pk):
        make.numbers(3, state="active", label="Geheim")

    answer = sign_in(acme.alice).get(URL)

    assert answer.context["empty"]
    assert "Geheim" not in answer.content.decode()


def test_dashboard_asks_at_most_twelve_statements_for_any_number_of_numbers(acme, sign_in, django_assert_num_queries):
    client = sign_in(acme.alice)
    client.get(URL)
    for count in (1, 3, 40):
        for _ in range(count):
            make.number(state="active")
            scheduled = make.number(state="deactivation_scheduled", last_active_on=date(2026, 12, 31))
            labels.change(
                PhoneNumber.objects.locked([scheduled.pk])[0], label="x", note="", usage="voice", by=acme.alice, at=NOW
            )
        with django_assert_num_queries(13):  # eleven, and SAVEPOINT and RELEASE for BEGIN and COMMIT
            client.get(URL)
