"""The journal: one's own faxes, and for administrators how many there are (rule F5)."""

import io
from uuid import uuid4

import pytest
from django.urls import reverse

from fax.models import FaxJob
from portal import documents, tenancy
from portal.access import tenant_token
from portal.models import AuditEvent
from tests import make
from tests.conftest import NOW

LIST = reverse("fax:faxes")


@pytest.fixture
def bobs(acme, printers, documents_dir):
    """A fax of Bob's in each state; the failed one still has its pages."""

    def fax(state, **fields):
        ended = {"ended_at": NOW} if state in ("sent", "failed", "cancelled") else {}
        fields = {"title": f"Angebot {state}", "received_at": NOW} | ended | fields
        return FaxJob.objects.create(
            number=printers.bob.number, staff_member=printers.bob.staff_member, state=state, **fields
        )

    to = {"destination": "+496990009123"}
    preview = documents.put(io.BytesIO(b"a picture"), "png")
    return {
        "waiting": fax("waiting", preview=preview, document="x", pages=2),
        "queued": fax("queued", **to),
        "sending": fax("sending", **to),
        "sent": fax("sent", **to),
        "failed": fax("failed", reason="busy", fax="x", **to),
        "cancelled": fax("cancelled"),
    }


def post(client, cast, name, fax, **fields):
    fields |= {"_tenant": tenant_token(cast.acme.pk), "operation_id": str(uuid4())}
    return client.post(reverse(f"fax:{name}", args=[fax.pk]), fields, follow=True)


def state(fax):
    return FaxJob.objects.get(pk=fax.pk).state


def test_a_person_sees_their_own_faxes_and_their_first_page(acme, bobs, sign_in):
    client = sign_in(acme.bob)

    text = client.get(LIST).content.decode()
    narrowed = client.get(f"{LIST}?state=underway").content.decode()
    page = client.get(reverse("fax:fax", args=[bobs["waiting"].pk])).content.decode()
    picture = client.get(reverse("fax:fax_preview", args=[bobs["waiting"].pk]))

    for fax in bobs.values():
        assert fax.title in text
    assert ("069\u00a090009123" in text, "Alle Faxe" in text, "Wartet auf Nummer" in text) == (True, False, True)
    assert ("Angebot queued" in narrowed, "Angebot sent" in narrowed) == (True, False)
    assert "Wohin geht es?" in page
    assert (picture.content, picture["Content-Type"], picture["Cache-Control"]) == (
        b"a picture",
        "image/png",
        "no-store",
    )


def test_an_administrator_sees_counts_and_nothing_else_of_a_colleague(acme, bobs, sign_in):
    client = sign_in(acme.alice)
    make.member("Alice Adler", user=acme.alice)

    text = client.get(LIST).content.decode()

    assert "Alle Faxe Ihres Unternehmens" in text
    assert "Bob Brandt" in text
    for secret in ("Angebot", "90009"):
        assert secret not in text
    for name in ("fax", "fax_preview", "fax_delete"):
        assert client.get(reverse(f"fax:{name}", args=[bobs["sent"].pk])).status_code == 404
    for name in ("fax_address", "fax_cancel", "fax_retry", "fax_delete"):
        before = {key: state(fax) for key, fax in bobs.items()}
        for fax in bobs.values():
            assert post(client, acme, name, fax, destination="030 23125020").status_code == 404
        assert {key: state(fax) for key, fax in bobs.items()} == before


def test_entering_the_number_queues_the_fax(acme, bobs, sign_in):
    client = sign_in(acme.bob)

    refused = {
        to: post(client, acme, "fax_address", bobs["waiting"], destination=to).content.decode()
        for to in ("112", "0900 1", "12345", "")
    }
    assert [to for to, text in refused.items() if 'aria-invalid="true"' not in text] == []
    assert state(bobs["waiting"]) == "waiting"

    done = post(client, acme, "fax_address", bobs["waiting"], destination="069 / 90009-123")

    job = FaxJob.objects.get(pk=bobs["waiting"].pk)
    assert (job.state, job.destination, bool(job.due_at)) == ("queued", "+496990009123", True)
    assert "ist in der Warteschlange" in done.content.decode()
    event = AuditEvent.objects.get(verb="fax.addressed")
    assert (event.actor, event.before, event.after) == (acme.bob, {"state": "waiting"}, {"state": "queued", "pages": 2})


@pytest.mark.parametrize(
    ("name", "allowed", "verb", "after"),
    [
        ("fax_cancel", {"waiting", "queued"}, "fax.cancelled", "cancelled"),
        ("fax_retry", {"failed"}, "fax.retried", "queued"),
        ("fax_delete", {"sent", "failed", "cancelled"}, "fax.deleted", None),
    ],
)
def test_each_act_is_for_some_states_and_changes_nothing_else(acme, bobs, sign_in, name, allowed, verb, after):
    client = sign_in(acme.bob)
    for key, fax in bobs.items():
        before = FaxJob.objects.filter(pk=fax.pk).values().get()
        page = post(client, acme, name, fax)

        left = FaxJob.objects.filter(pk=fax.pk).first()
        assert page.status_code == 200
        if key in allowed:
            assert (left.state if left else None) == after
        else:
            assert FaxJob.objects.filter(pk=fax.pk).values().get() == before
            assert "nichts geändert" in (text := page.content.decode()) or "unterwegs" in text or "gesendet" in text
    assert AuditEvent.objects.filter(verb=verb).count() == len(allowed)


@pytest.mark.parametrize("who", ["bob", "alice"])
def test_the_list_costs_the_same_for_one_fax_and_many(acme, bobs, sign_in, who, django_assert_num_queries):
    client = sign_in(getattr(acme, who))
    client.get(LIST)
    with django_assert_num_queries(7 if who == "bob" else 8):
        client.get(LIST)
    keep = bobs["sent"].pk
    FaxJob.objects.exclude(pk=keep).delete()
    with django_assert_num_queries(7 if who == "bob" else 8):
        client.get(LIST)


def test_of_another_tenant_nothing_is_seen(acme, bobs, sign_in):
    client = sign_in(acme.carl)
    with tenancy.tenant_transaction(acme.globex.pk, user_id=acme.carl.pk):
        assert "Bob" not in client.get(LIST).content.decode()
        assert client.get(reverse("fax:fax", args=[bobs["sent"].pk])).status_code == 404
