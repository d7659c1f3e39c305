"""The operator's console around letters: review, batches counted by people, what came back."""

import io
from datetime import date

import pypdfium2
import pytest
from django.urls import reverse

from numbers import letter_jobs, letters
from numbers.models import Address, AddressState, PinLetter, PrintBatch
from portal import tenancy
from portal.models import AuditEvent
from tests import make
from tests.conftest import NOW
from tests.portal.test_operator_console import console  # noqa: F401 -- the fixture

pytestmark = pytest.mark.usefixtures("console")


def asked(cast, **fields):
    with tenancy.tenant_transaction(cast.acme.pk):
        address = make.address("30", **fields)
        return letters.ask(Address.objects.locked([address.pk])[0], by=cast.alice, at=NOW)


def url(name, *args):
    return reverse(f"admin:numbers_{name}", args=args)


def text(answer):
    return answer.content.decode()


def gathered(client):
    client.post(url("printbatch_gather"))
    letter_jobs.make_batches()
    return PrintBatch.objects.get()


def test_letters_go_from_the_queue_to_the_post(cast, console):  # noqa: F811 -- the fixture
    asked(cast, company="=Acme GmbH")
    assert "wartenden Brief" in text(console.get(url("printbatch_changelist")))

    batch = gathered(console)
    work = url("printbatch_work", batch.pk)
    pdf = console.post(url("printbatch_pdf", batch.pk))
    csv = console.get(url("printbatch_csv", batch.pk))
    wrong = console.post(work, {"act": "printed", "counted": "2"})
    none = console.post(work, {"act": "printed", "counted": "x"})
    for act in ("printed", "posted"):
        assert console.post(work, {"act": act, "counted": "1"}).status_code == 302

    assert pdf["Content-Type"] == "application/pdf"
    assert len(pypdfium2.PdfDocument(io.BytesIO(pdf.content))) == 2
    assert "'=Acme GmbH" in csv.content.decode()
    assert "Bitte zählen Sie noch einmal" in text(wrong)
    assert "wie viele Sie gezählt haben" in text(none)
    assert Address.objects.get().state == AddressState.LETTER_SENT
    verbs = AuditEvent.objects.filter(verb__startswith="batch.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == [f"batch.{verb}" for verb in ("created", "made", "opened", "printed", "posted")]


def test_the_queue_shows_how_far_the_worker_is(cast, console):  # noqa: F811 -- the fixture
    asked(cast)
    console.post(url("printbatch_gather"))

    page = text(console.get(url("printbatch_changelist")))

    assert "0 von 1 Briefen erstellt" in page
    assert 'max="1"' in page
    assert 'http-equiv="refresh"' in page


def test_what_does_not_fit_is_worded_or_rejected(cast, console):  # noqa: F811 -- the fixture
    first, second = asked(cast, company="Rakete 🚀 GmbH"), asked(cast, company="x" * 110, street="Nebenweg")
    assert "2 Briefe warten auf Prüfung" in text(console.get(url("printbatch_changelist")))

    bad = console.post(url("pinletter_look", first.pk), {"decision": "word", "lines": "x" * 90})
    console.post(url("pinletter_look", first.pk), {"decision": "word", "lines": "Rakete GmbH\r\n\r\n10115 Berlin"})
    silent = console.post(url("pinletter_look", second.pk), {"decision": "decline", "reason": ""})
    console.post(url("pinletter_look", second.pk), {"decision": "decline", "reason": "Zu lang."})

    assert "passt nicht in das Fenster" in text(bad)
    assert "nennen Sie den Grund" in text(silent)
    states = dict(PinLetter.objects.values_list("pk", "state"))
    assert states == {first.pk: "queued", second.pk: "cancelled"}
    assert PinLetter.objects.get(pk=first.pk).lines == ["Rakete GmbH", "10115 Berlin"]


def test_a_letter_that_came_back_marks_its_address(cast, console):  # noqa: F811 -- the fixture
    with tenancy.tenant_transaction(cast.acme.pk):
        make.sent("30", by=cast.alice, posted_on=date(2026, 11, 20))
    letter = PinLetter.objects.get()
    assert "Kam zurück" in text(console.get(url("pinletter_changelist")))

    console.post(url("pinletter_look", letter.pk), {"decision": "came_back"})

    assert Address.objects.get().state == AddressState.RETURNED_MAIL


def test_lists_open_and_show_no_hash(cast, console):  # noqa: F811 -- the fixture
    with tenancy.tenant_transaction(cast.acme.pk):
        make.sent("30", by=cast.alice, posted_on=date(2026, 11, 20))

    page = text(console.get(url("pinletter_change", PinLetter.objects.get().pk)))

    assert console.get(url("pinletter_changelist"), {"q": "x"}).status_code == 200
    assert "argon2" not in page
    assert PinLetter.objects.get().pin_hash.startswith("$argon2id$")
