"""Messages of the postal service: signed ones are noted, all others change nothing and learn nothing."""

import hashlib
import hmac
import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from numbers.models import PinLetter, PostalOrder
from portal.tenancy import tenant_transaction
from tests import make
from tests.conftest import NOW
from tests.portal.test_operator_console import console  # noqa: F401 -- the fixture

SECRET = "shared-with-the-service"


@pytest.fixture
def order(cast, console, settings):  # noqa: F811 -- the fixture
    """A letter that the service has accepted as its 7."""
    settings.POSTAL_SECRET = SECRET
    with tenant_transaction(cast.acme.pk):
        address = make.address("30", state="letter_requested")
        letter = PinLetter.objects.create(
            address=address, state="batched", lines=["Acme GmbH"], requested_by=cast.alice, requested_at=NOW
        )
    return PostalOrder.objects.create(letter=letter, state="accepted", reference="7", created_at=NOW, due_at=NOW)


def send(order, *, secret=SECRET, signature=None, body=None, **fields):
    """Send a message as the service does: from nowhere, without a session."""
    said = json.dumps({"key": str(order.key), "id": 7, "status": "done"} | fields).encode() if body is None else body
    signature = signature or "sha256=" + hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()
    client = Client(enforce_csrf_checks=True)
    headers = {"X-Signature": signature}
    return client.post(reverse("hooks:postal"), said, content_type="application/json", headers=headers)


def state(order):
    return PostalOrder.objects.get(pk=order.pk).state


def test_a_signed_message_is_noted_once(order):
    assert [send(order).status_code, send(order).status_code] == [204, 204]
    assert state(order) == "posted"


def test_an_old_message_changes_nothing(order):
    send(order, status="returned")

    assert send(order, status="queue").status_code == 204
    assert state(order) == "returned"


@pytest.mark.parametrize(
    "options", [{"secret": "guessed"}, {"signature": "x"}, {"signature": "sha256="}, {"signature": "sha256=ü"}]
)
def test_a_wrong_signature_is_refused(order, options):
    answer = send(order, **options)

    assert answer.status_code == 403
    assert str(order.key) not in answer.content.decode()
    assert state(order) == "accepted"


def test_a_changed_message_is_refused(order):
    said = json.dumps({"key": str(order.key), "id": 7, "status": "queue"}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), said, hashlib.sha256).hexdigest()

    assert send(order, body=said.replace(b"queue", b"done "), signature=signature).status_code == 403
    assert state(order) == "accepted"


def test_without_a_secret_nothing_is_taken(order, settings):
    settings.POSTAL_SECRET = ""

    assert send(order, secret="").status_code == 403
    assert state(order) == "accepted"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nonsense", b'{"key": "x"}', b'{"key": null, "id": [1], "status": {}}', b"x" * 20_000]
)
def test_a_signed_message_that_makes_no_sense_is_refused(order, body):
    assert send(order, body=body).status_code in (400, 403)
    assert state(order) == "accepted"


@pytest.mark.parametrize("fields", [{"id": 8}, {"key": str(uuid4())}])
def test_a_message_about_another_letter_changes_nothing_and_tells_nothing(order, fields):
    answer = send(order, **fields)

    assert (answer.status_code, answer.content) == (204, b"")
    assert state(order) == "accepted"


def test_only_post_is_taken(order):
    assert Client().get(reverse("hooks:postal")).status_code == 405


def test_customers_have_no_such_address(db):
    assert Client().post("/hooks/postal/", b"{}", content_type="application/json").status_code == 404
