"""The operator's console around letters given to a postal service."""

import pytest
from django.urls import reverse

from numbers.models import PinLetter, PostalOrder
from portal.models import AuditEvent
from portal.tenancy import tenant_transaction
from tests import letter_service, make
from tests.conftest import NOW
from tests.portal.test_operator_console import console  # noqa: F401 -- the fixture

LIST = "admin:numbers_postalorder_changelist"


@pytest.fixture
def order(cast, console, settings):  # noqa: F811 -- the fixture
    with tenant_transaction(cast.acme.pk):
        address = make.address("30", state="letter_requested")
        letter = PinLetter.objects.create(
            address=address, state="batched", lines=["Acme GmbH"], requested_by=cast.alice, requested_at=NOW
        )
    return PostalOrder.objects.create(
        letter=letter, state="dead", attempts=27, error="no route", created_at=NOW, due_at=NOW
    )


@pytest.fixture
def desk(settings):
    with letter_service.open_service() as service:
        settings.POSTAL_SERVICE, settings.POSTAL_URL, settings.POSTAL_MODE = "letterxpress", service.url, "live"
        settings.POSTAL_USER, settings.POSTAL_KEY = "operator", "secret"
        yield service


def act(client, name, order):
    return client.post(reverse(LIST), {"action": name, "_selected_action": [order.pk]}, follow=True)


def state(order):
    return PostalOrder.objects.get(pk=order.pk).state


def test_the_list_shows_what_was_given_up_and_why(order, console):  # noqa: F811 -- the fixture
    text = console.get(reverse(LIST), {"q": "Acme", "state__exact": "dead"}).content.decode()

    assert "no route" in text
    assert str(order.key) in text


def test_send_again_gives_a_new_start(order, console, cast):  # noqa: F811 -- the fixture
    act(console, "send_again", order)

    assert state(order) == "pending"
    assert AuditEvent.objects.get(verb="letter.delivery").actor_id == cast.olga.pk


def test_call_off_asks_the_service(order, console, desk):  # noqa: F811 -- the fixture
    desk.jobs[1000] = {"id": 1000, "status": "queue", "filename_original": f"{order.key}.pdf"}

    answer = act(console, "call_off", order)

    assert "abbestellt" in answer.content.decode()
    assert (state(order), desk.jobs[1000]["status"]) == ("cancelled", "canceled")


def test_call_off_of_a_printed_letter_is_too_late(order, console, desk):  # noqa: F811 -- the fixture
    desk.jobs[1000] = {"id": 1000, "status": "done", "filename_original": f"{order.key}.pdf"}

    assert "nicht mehr" in act(console, "call_off", order).content.decode()
    assert state(order) == "dead"


def test_call_off_says_when_the_service_does_not_answer(order, console, desk):  # noqa: F811 -- the fixture
    desk.mood = lambda method: "500"

    assert "500" in act(console, "call_off", order).content.decode()
    assert state(order) == "dead"


def test_call_off_without_a_service_says_so(order, console):  # noqa: F811 -- the fixture
    assert "kein Postdienst" in act(console, "call_off", order).content.decode()
