from datetime import UTC, date, datetime

import pytest
import time_machine
from django.urls import reverse

from numbers import assignment
from numbers.models import PhoneNumber
from portal import berlin, tenancy
from tests import make
from tests.conftest import NOW

URL = reverse("numbers:upcoming")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def scheduled(count, last):
    return [make.number(state="deactivation_scheduled", last_active_on=last) for _ in range(count)]


def test_upcoming_groups_by_day_with_both_dates(acme, sign_in):
    later, sooner = scheduled(2, date(2026, 12, 31)), scheduled(1, date(2026, 11, 30))
    scheduled(1, date(2026, 10, 31))
    make.number(state="active")

    days = sign_in(acme.alice).get(URL).context["days"]

    assert [(day.last_active_on, day.inactive_from, day.days_left, day.total) for day in days] == [
        (date(2026, 11, 30), date(2026, 12, 1), 7, 1),
        (date(2026, 12, 31), date(2027, 1, 1), 38, 2),
    ]
    assert [pk for pk, _, _ in days[0].numbers] == [sooner[0].pk]
    assert {pk for pk, _, _ in days[1].numbers} == {number.pk for number in later}


def test_upcoming_withdraws_one_or_all(acme, sign_in):
    numbers = scheduled(2, date(2026, 12, 31))

    text = sign_in(acme.alice).get(URL).content.decode()

    assert all(reverse("numbers:withdraw", args=[number.pk]) in text for number in numbers)
    assert "Alle zurücknehmen" in text


def test_upcoming_is_paged_and_counts_the_whole_day(acme, sign_in):
    scheduled(60, date(2026, 12, 31))
    client = sign_in(acme.alice)

    first, second = client.get(URL), client.get(URL, {"page": 2})

    assert [len(answer.context["days"][0].numbers) for answer in (first, second)] == [50, 10]
    assert [answer.context["days"][0].total for answer in (first, second)] == [60, 60]


def test_upcoming_without_any_says_so(acme, sign_in):
    assert "Nichts ist vorgemerkt" in sign_in(acme.alice).get(URL).content.decode()


@pytest.mark.parametrize("who", ["bob", "dora"])
def test_upcoming_is_for_administrators(acme, sign_in, who):
    assert sign_in(getattr(acme, who)).get(URL).status_code == 403


def test_upcoming_shows_nothing_of_another_tenant(acme, sign_in):
    with tenancy.tenant_transaction(acme.globex.pk):
        scheduled(2, date(2026, 12, 31))

    assert sign_in(acme.alice).get(URL).context["days"] == []


def test_upcoming_asks_as_much_of_the_database_for_any_number(acme, sign_in, django_assert_num_queries):
    client = sign_in(acme.alice)
    client.get(URL)
    for count in (1, 3, 30):
        scheduled(count, date(2026, 12, 31))
        with django_assert_num_queries(9):
            client.get(URL)


def test_upcoming_shows_hand_overs_to_change_and_withdraw(acme, sign_in):
    number = make.number("+493023125012", state="active", label="Empfang")
    berta = make.member("Berta Baum")
    [locked] = PhoneNumber.objects.locked([number.pk])
    assignment.assign([locked], staff_member=berta, from_at=berlin.begin(date(2026, 12, 15)), by=acme.alice, at=NOW)
    client = sign_in(acme.alice)

    page = client.get(URL)

    text = page.content.decode()
    assert [(one.name, one.begins_on) for one in page.context["handovers"]] == [("Berta Baum", date(2026, 12, 15))]
    assert "an Berta Baum ab 15.12.2026" in text
    assert "Nichts ist vorgemerkt" not in text
    assert reverse("numbers:assign", args=[number.pk]) in text
    assert reverse("numbers:handover_withdraw", args=[number.pk]) in text


def test_upcoming_leaves_out_a_hand_over_that_has_begun(acme, sign_in):
    number = make.number("+493023125012", state="active")
    [locked] = PhoneNumber.objects.locked([number.pk])
    berta = make.member("Berta Baum")
    assignment.assign([locked], staff_member=berta, from_at=berlin.begin(date(2026, 12, 15)), by=acme.alice, at=NOW)

    with time_machine.travel(datetime(2026, 12, 15, 9, 0, tzinfo=UTC), tick=False):
        page = sign_in(acme.alice).get(URL)

    assert page.context["handovers"] == []
