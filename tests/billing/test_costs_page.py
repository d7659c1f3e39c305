import csv
import io
from datetime import date

import pytest
import time_machine
from django.urls import reverse

from billing.models import Slot
from portal import cells, tenancy
from tests.conftest import NOW

URL, CSV = reverse("billing:costs"), reverse("billing:costs_csv")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def slots(count, **fields):
    for number in range(count):
        Slot.objects.create(
            **{"label": f"+4969900090{number:02}", "price_class": "standard", "from_on": date(2026, 3, 1)} | fields
        )


def test_costs_show_lines_sum_and_forecast(acme, sign_in):
    slots(2)
    slots(1, label="+494066969010", from_on=date(2026, 11, 14), price_class="premium")
    slots(1, label="+494066969011", until_on=date(2026, 12, 1))

    answer = sign_in(acme.dora).get(URL)

    context = answer.context
    assert context["bill"] == {
        "slots": 4,
        "net": "11,48\u00a0€",
        "vat": [("19\u00a0%", "2,18\u00a0€")],
        "gross": "13,66\u00a0€",
    }
    assert context["forecast"]["next"] == "10,70\u00a0€"
    assert context["forecast"]["year"] == "128,40\u00a0€"
    assert [(line["number"], line["basis"], line["net"]) for line in context["lines"]][:2] == [
        ("040\u00a066969010", "ab 14.11.2026, tagesgenau", "2,78\u00a0€"),
        ("040\u00a066969011", "ganzer Monat", "2,90\u00a0€"),
    ]


def test_costs_of_another_month_are_chosen_by_the_address(acme, sign_in):
    slots(1, from_on=date(2026, 10, 31))

    october = sign_in(acme.dora).get(URL, {"month": "2026-10"}).context

    assert (october["title"], october["bill"]["net"]) == ("Oktober 2026", "0,09\u00a0€")
    assert october["months"][-1] == ("2026-10", "Oktober 2026")


@pytest.mark.parametrize("month", ["", "x", "2026-13", "99999-01"])
def test_costs_of_an_unreadable_month_are_the_present_ones(acme, sign_in, month):
    assert sign_in(acme.dora).get(URL, {"month": month}).context["title"] == "November 2026"


def test_costs_are_for_administrators_and_billing_contacts(acme, sign_in):
    answers = {who: sign_in(getattr(acme, who)).get(url).status_code for who in ("alice", "dora") for url in (URL, CSV)}

    assert answers == {"alice": 200, "dora": 200}
    assert [sign_in(acme.bob).get(url).status_code for url in (URL, CSV)] == [403, 403]


def test_costs_link_to_numbers_for_administrators_only(acme, sign_in):
    slots(1)
    link = f"{reverse('numbers:overview')}?q="

    assert link in sign_in(acme.alice).get(URL).content.decode()
    assert link not in sign_in(acme.dora).get(URL).content.decode()


def test_costs_never_count_another_tenant(acme, sign_in):
    with tenancy.tenant_transaction(acme.globex.pk):
        slots(3)
    slots(1, label="+494066969010")

    answer = sign_in(acme.alice).get(URL)

    assert answer.context["bill"]["slots"] == 1
    assert "069" not in "".join(line["number"] for line in answer.context["lines"])


def test_costs_of_a_tenant_without_numbers_say_so(acme, sign_in):
    assert "In diesem Monat wird nichts berechnet" in sign_in(acme.dora).get(URL).content.decode()


def test_costs_csv_keeps_numbers_and_amounts(acme, sign_in):
    slots(2, until_on=date(2026, 12, 1))

    answer = sign_in(acme.dora).get(CSV, {"month": "2026-11"})

    text = answer.content.decode("utf-8")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="kosten-2026-11.csv"'
    assert text.startswith("\ufeffRufnummer;")
    [first, _] = list(csv.reader(io.StringIO(text[1:]), delimiter=";"))[1:]
    assert first == [cells.number("+496990009000"), "Standard", "2026-11-01", "2026-11-30", "2,90", "2,90", "19\u00a0%"]


def test_costs_in_english(acme, sign_in):
    slots(1)
    acme.dora.language = "en"
    acme.dora.save()

    answer = sign_in(acme.dora).get(URL, headers={"accept-language": "en"})

    assert (answer.context["title"], answer.context["bill"]["net"]) == ("November 2026", "€2.90")


def test_costs_ask_as_much_of_the_database_for_any_number_of_slots(acme, sign_in, django_assert_num_queries):
    client = sign_in(acme.dora)
    client.get(URL)

    for more in (1, 2, 60):
        for number in range(more):
            slots(1, label=f"+49699{more}{number:05}")
        with django_assert_num_queries(10):
            client.get(URL)
