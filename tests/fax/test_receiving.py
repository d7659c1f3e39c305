"""The printer: whom it lets in, what it takes, what it says (rules F5 and F6)."""

import base64
import io
import zlib

import pytest
from django.test import Client, RequestFactory
from gunicorn.http.errors import InvalidChunkSize

from fax import body, jobs, revoking
from fax.ipp import Attribute, Operation, Status, Tag
from fax.models import FaxJob
from fax.views.printer import printer
from portal import tenancy
from portal.models import AuditEvent, OutboxMessage
from tests import make
from tests.conftest import NOW
from tests.fax import papers, printing
from tests.fax.printing import ask, printed

TO = "+496990009123"


def kept(cast):
    with tenancy.tenant_transaction(cast.acme.pk):
        return list(FaxJob.objects.select_related("number", "staff_member").order_by("pk"))


def test_print_job_with_a_number_is_queued_and_completed_for_the_computer(printers, documents_dir):
    answer = printed(printers.bob, papers.pdf(), to="069 90009-123", job_name="Angebot Müller")

    assert (answer.status, answer.job["job-state"], answer.job["job-state-reasons"]) == (0, [9], ["queued-in-device"])
    (job,) = kept(printers.cast)
    assert (job.title, job.destination, job.state) == ("Angebot Müller", TO, "queued")
    assert (job.number, job.staff_member.name) == (printers.bob.number, "Bob Brandt")
    assert [path.name for path in documents_dir.iterdir()] == [job.document]
    assert (documents_dir / job.document).read_bytes() == papers.pdf()
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        event = AuditEvent.objects.get(verb="fax.received")
    assert (event.actor_name, event.object_label, event.after) == ("Bob Brandt", "+493023125020", {"state": "queued"})


def test_print_job_without_a_number_waits_and_mails_a_link(printers):
    answer = printed(printers.bob, papers.jpeg())

    (job,) = kept(printers.cast)
    assert (answer.status, job.state, job.destination, job.document[-3:]) == (Status.OK, "waiting", "", "jpg")
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        mail = OutboxMessage.objects.get()
    assert (mail.template, mail.recipient, mail.context["fax"]) == ("fax/needs_number", "bob@acme.example", job.pk)


def test_create_job_and_send_document(printers):
    opened = ask(Operation.CREATE_JOB, printers.bob, to=TO)
    number = opened.job["job-id"][0]
    assert (opened.status, opened.job["job-state"], kept(printers.cast)[0].state) == (0, [3], "incoming")
    listed = ask(Operation.GET_JOBS, printers.bob)
    assert listed.job["job-id"] == [number]

    sent = ask(Operation.SEND_DOCUMENT, printers.bob, job_id=number, document=papers.pdf())

    assert (sent.status, sent.job["job-state"], kept(printers.cast)[0].state) == (0, [9], "queued")
    again = ask(Operation.SEND_DOCUMENT, printers.bob, job_id=number, document=papers.pdf())
    assert again.status == ask(Operation.CANCEL_JOB, printers.bob, job_id=number).status == Status.NOT_POSSIBLE


def test_cancel_job_ends_what_is_coming_in(printers):
    number = ask(Operation.CREATE_JOB, printers.bob).job["job-id"][0]

    assert ask(Operation.CANCEL_JOB, printers.bob, job_id=number).status == Status.OK
    assert kept(printers.cast)[0].state == "cancelled"


@pytest.mark.parametrize("to", ["110", "112", "+49110", "0900 1", "0180 5", "+41900123456", "11833"])
def test_nobody_may_send_to_emergency_service_and_premium_numbers(printers, to):
    for operation in (Operation.VALIDATE_JOB, Operation.CREATE_JOB, Operation.PRINT_JOB):
        answer = ask(operation, printers.bob, to=to, document=papers.pdf())
        assert answer.status == Status.VALUES_NOT_SUPPORTED
        assert "Ziel" in answer.text
    assert kept(printers.cast) == []


def test_a_number_that_cannot_be_dialled_as_it_stands_is_asked_for_in_the_portal(printers):
    answer = printed(printers.bob, papers.pdf(), to="4055551212")

    assert (answer.status, kept(printers.cast)[0].state) == (Status.OK_IGNORED, "waiting")


def test_the_printer_describes_itself_to_anybody_and_names_no_tenant(printers):
    said = [ask(Operation.GET_PRINTER_ATTRIBUTES, None, number=n) for n in ("493023125020", "493023125999")]

    assert [answer.status for answer in said] == [0, 0]
    texts = [answer.text.replace("493023125020", "X").replace("493023125999", "X") for answer in said]
    assert "application/pdf" in texts[0]
    for secret in ("Acme", "Bob", "fax-", "Globex"):
        assert secret not in texts[0]
    assert {len(text) for text in texts} == {len(texts[0])}


@pytest.mark.parametrize("operation", [Operation.PRINT_JOB, Operation.VALIDATE_JOB, Operation.GET_JOBS])
def test_nobody_gets_in_without_valid_credentials(printers, operation):
    tries = [
        ask(operation, None, document=papers.pdf()),
        ask(operation, printers.bob, secret="wrong", document=papers.pdf()),
        ask(operation, printers.bob, number="493023125021", document=papers.pdf()),  # Globex's number
        ask(operation, printers.carl, number="493023125020", document=papers.pdf()),
        ask(operation, printers.bob, number="493023125999", document=papers.pdf()),  # nobody's
    ]
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        revoking.end([printers.bob], at=NOW)
    tries.append(ask(operation, printers.bob, document=papers.pdf()))

    assert {(answer.http, answer.text) for answer in tries} == {(401, "")}
    assert kept(printers.cast) == []


def test_guessing_is_slowed_down_for_one_credential_alone(printers):
    answers = [ask(Operation.GET_JOBS, printers.bob, secret=f"wrong {n}").http for n in range(22)]

    assert answers == [401] * 20 + [429] * 2
    assert ask(Operation.GET_JOBS, printers.bob).http == 200  # whoever knows it is not locked out
    assert ask(Operation.GET_JOBS, printers.bob, secret="wrong").http == 429
    assert ask(Operation.GET_JOBS, printers.erika).http == 200


def test_credentials_that_are_no_ascii_are_wrong_ones(printers):
    content = printing.message(Operation.GET_JOBS, "493023125020")
    headers = {"Authorization": "Basic Zürich"}

    said = Client().post("/ipp/fax/493023125020", content, content_type="application/ipp", headers=headers)

    assert said.status_code == 401


def test_what_asks_for_no_attribute_by_its_name_is_answered(printers):
    nested = [Attribute("a", Tag.KEYWORD, ["b"])]

    for operation in (Operation.GET_JOBS, Operation.GET_PRINTER_ATTRIBUTES):
        assert ask(operation, printers.bob, requested_attributes=nested).status == Status.OK


class _Lost(io.BytesIO):
    """A body in chunks whose sender is gone."""

    def read(self, *size):
        if block := super().read(*size):
            return block
        raise InvalidChunkSize(b"")


def test_an_upload_that_broke_off_is_no_document(printers, documents_dir):
    whole = printing.message(Operation.PRINT_JOB, "493023125020", to=TO, document=papers.pdf())
    shown = base64.b64encode(f"{printers.bob.username}:{printing.SECRET}".encode()).decode()
    headers = {"HTTP_AUTHORIZATION": f"Basic {shown}", "content_type": "application/ipp"}
    short = {"wsgi.input": io.BytesIO(whole[:-100])}
    lost = {"wsgi.input": _Lost(whole[:-100]), "HTTP_TRANSFER_ENCODING": "chunked"}

    def statuses():
        yield Client().post("/ipp/fax/493023125020", whole, **headers, **short).status_code
        request = RequestFactory().post("/", whole, **headers, **lost)
        del request.META["CONTENT_LENGTH"]
        yield printer(request, "493023125020").status_code

    assert list(statuses()) == [400, 400]
    assert (kept(printers.cast), documents_dir.exists()) == ([], False)


def test_who_has_no_account_names_the_number_while_printing(printers):
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        alone = make.fax_credential(printers.bob.number, make.member("Noah Neumann"), printing.SECRET)

    for operation in (Operation.VALIDATE_JOB, Operation.CREATE_JOB, Operation.PRINT_JOB):
        answer = ask(operation, alone, document=papers.pdf())
        assert (answer.status, "beim Drucken" in answer.text) == (Status.VALUES_NOT_SUPPORTED, True)
    assert kept(printers.cast) == []
    assert printed(alone, papers.pdf(), to=TO).status == Status.OK
    opened = ask(Operation.CREATE_JOB, alone, to=TO).job["job-id"][0]
    assert ask(Operation.SEND_DOCUMENT, alone, job_id=opened, document=papers.pdf()).status == Status.OK


def test_a_credential_sees_its_own_jobs_alone(printers):
    mine = printed(printers.bob, papers.pdf(), job_name="Geheim").job["job-id"][0]

    for other in (printers.erika, printers.carl):
        listed = ask(Operation.GET_JOBS, other, which_jobs="completed")
        assert (listed.status, listed.job) == (0, {})
        for operation in (Operation.GET_JOB_ATTRIBUTES, Operation.CANCEL_JOB, Operation.SEND_DOCUMENT):
            answer = ask(operation, other, job_id=mine, document=papers.pdf())
            assert answer.status == Status.NOT_FOUND
            assert "Geheim" not in answer.text
    own = ask(Operation.GET_JOBS, printers.bob, which_jobs="completed", requested_attributes="all")
    assert (own.job["job-id"], own.job["job-name"]) == ([mine], ["Geheim"])


def test_a_packed_document_is_unpacked_and_a_bomb_is_counted(printers, documents_dir):
    assert printed(printers.bob, printing.packed(papers.pdf()), compression="gzip", to=TO).status == Status.OK
    (job,) = kept(printers.cast)
    assert (documents_dir / job.document).read_bytes() == papers.pdf()
    squeezed = zlib.compressobj(9, wbits=31)
    bomb = squeezed.compress(b"%PDF-1.7" + bytes(body.MOST_BYTES)) + squeezed.flush()
    assert len(bomb) < 100_000

    assert printed(printers.bob, bomb, compression="gzip").status == Status.TOO_LARGE
    assert printed(printers.bob, printing.packed(papers.pdf())[:-50], compression="gzip").status in (0x0410,)
    assert printed(printers.bob, b"%PDF- not packed", compression="gzip").status == Status.COMPRESSION_ERROR
    assert (len(kept(printers.cast)), len(list(documents_dir.iterdir()))) == (1, 1)


@pytest.mark.parametrize(
    ("said", "document", "status"),
    [
        ({}, b"%!PS-Adobe-3.0", Status.FORMAT_NOT_SUPPORTED),
        ({}, b"MZ\x90\x00", Status.FORMAT_NOT_SUPPORTED),
        ({}, b"", Status.BAD_REQUEST),
        ({"document_format": "application/postscript"}, b"%PDF-1.7", Status.FORMAT_NOT_SUPPORTED),
        ({"compression": "deflate"}, b"%PDF-1.7", Status.COMPRESSION_NOT_SUPPORTED),
        ({}, b"%PDF-1.7" + bytes(body.MOST_BYTES + 100_000), Status.TOO_LARGE),
    ],
    ids=["postscript", "program", "nothing", "said to be postscript", "packed otherwise", "too large"],
)
def test_what_is_no_document_is_refused_and_not_kept(printers, documents_dir, said, document, status):
    assert printed(printers.bob, document, **said).status == status
    assert (kept(printers.cast), documents_dir.exists() and list(documents_dir.iterdir())) == ([], False)


def test_names_of_documents_and_people_are_in_no_log(printers, caplog):
    caplog.set_level("DEBUG")
    printed(printers.bob, papers.pdf(), job_name="Kündigung Meier", requesting_user_name="b.brandt")
    ask(Operation.PRINT_JOB, printers.bob, secret="wrong", job_name="Kündigung Meier", document=papers.pdf())

    for secret in ("Kündigung", "b.brandt", printing.SECRET):
        assert secret not in caplog.text


def test_a_credential_prints_so_many_an_hour(printers, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_AN_HOUR", 2)
    answers = [printed(printers.bob, papers.pdf(), to=TO).status for _ in range(3)]

    assert answers == [0, 0, Status.BUSY]
    assert printed(printers.erika, papers.pdf(), to=TO).status == Status.OK


@pytest.mark.parametrize(
    ("content", "http"), [(b"", 400), (b"GET / HTTP/1.1", 400), (b"\x02\x00\x00\x0b\x00\x00\x00\x01\x03", 200)]
)
def test_what_is_no_request_is_refused_calmly(db, content, http):
    response = Client().post("/ipp/fax/493023125020", content, content_type="application/ipp")

    assert (response.status_code, Client().get("/ipp/fax/493023125020").status_code) == (http, 405)
