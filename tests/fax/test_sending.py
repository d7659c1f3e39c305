"""From the printed document to the end of the fax: the worker, the spool, retirement (rules F5 and F7)."""

import json
import shutil
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from fax import jobs, personal, sending, tasks
from fax.models import FaxAttempt, FaxCredential, FaxJob
from numbers.models import Assignment, PhoneNumber
from portal import outbox, tenancy
from portal.models import AuditEvent, OutboxMessage
from staff.models import StaffMember
from tests import calling
from tests.fax import papers
from tests.fax.printing import printed

TO = "+496990009123"


@pytest.fixture
def work(as_operator, django_capture_on_commit_callbacks):
    """Return a function that does what is due, as the worker does."""

    def _work(later: timedelta = timedelta()):
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic(), as_operator():
            if later:
                FaxJob.objects.exclude(due_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
            return sending.work()

    return _work


@pytest.fixture
def spool(settings, printers):
    return settings.FAX_SPOOL_DIR


def fax(printers):
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        return FaxJob.objects.select_related("number", "staff_member__user").latest("pk")


def trace(printers):
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        return [*AuditEvent.objects.filter(verb__startswith="fax.").order_by("pk").values_list("verb", flat=True)], [
            *OutboxMessage.objects.order_by("pk").values_list("template", flat=True)
        ]


def answered(spool, job, **said):
    (spool / f"{job.reference}.result.json").write_text(json.dumps(said))


AGAIN = timedelta(minutes=1)


def test_a_fax_is_rendered_spooled_and_sent(printers, spool, work):
    printed(printers.bob, papers.pdf(pages=3), to=TO)

    assert work() == 2  # pages, machine
    job = fax(printers)
    assert (job.state, job.pages, job.reference) == ("sending", 3, str(job.key))
    said = json.loads((spool / f"{job.key}.json").read_text())
    assert said == {"key": str(job.key), "from": "+493023125020", "to": TO, "pages": 3}
    assert (spool / f"{job.key}.tif").stat().st_size > 500
    assert (work(), work(AGAIN), fax(printers).state) == (0, 1, "sending")

    answered(spool, job, state="sent", detail="14400 bit/s")
    work(AGAIN)

    job = fax(printers)
    assert (job.state, job.due_at, bool(job.ended_at), list(spool.iterdir())) == ("sent", None, True, [])
    assert trace(printers) == (["fax.received", "fax.sent"], ["fax/sent"])
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        attempt = FaxAttempt.objects.get()
        assert (attempt.reason, attempt.detail, bool(attempt.ended_at)) == ("", "14400 bit/s", True)
        assert TO not in str([*AuditEvent.objects.values_list("before", "after")])  # where it went is traffic data


def test_a_fax_from_a_number_of_ones_own_is_sent(printers, spool, work):
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        PhoneNumber.objects.filter(pk=printers.bob.number_id).update(usage="fax_personal")
        calling.assign(printers.bob.number, printers.bob.staff_member, calling.days_ago(10))
    printed(printers.bob, papers.pdf(), to=TO)

    assert work() == 2

    assert fax(printers).reference
    printed(printers.bob, papers.pdf(), to=TO)
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        Assignment.objects.update(until_at=timezone.now() - timedelta(seconds=1))
    work()
    assert (fax(printers).state, fax(printers).reference) == ("failed", "")


def test_a_fax_that_failed_can_be_sent_again(printers, spool, work):
    printed(printers.bob, papers.pdf(), to=TO)
    work()
    answered(spool, fax(printers), state="failed", reason="busy")
    work(AGAIN)
    job = fax(printers)
    assert (job.state, job.reason) == ("failed", "busy")
    first = job.key

    with tenancy.tenant_transaction(printers.cast.acme.pk):
        jobs.retry(FaxJob.objects.locked([job.pk])[0], by=printers.cast.bob, at=timezone.now())
    work()

    job = fax(printers)
    assert (job.state, job.reason, job.attempts.model.__name__) == ("sending", "", "FaxAttempt")
    assert job.key != first
    assert trace(printers) == (["fax.received", "fax.failed", "fax.retried"], ["fax/failed"])


def test_a_fax_without_a_number_is_rendered_and_waits(printers, spool, work):
    printed(printers.bob, papers.jpeg())

    assert (work(), work(AGAIN)) == (1, 0)
    job = fax(printers)
    assert (job.state, job.pages, job.due_at, bool(job.preview)) == ("waiting", 1, None, True)


@pytest.mark.parametrize("waits", [True, False])
def test_a_document_that_cannot_be_read_fails_with_a_reason_and_the_queue_goes_on(printers, spool, work, waits):
    printed(printers.bob, b"%PDF-1.7 nothing of the kind", **({} if waits else {"to": TO}))
    printed(printers.bob, papers.pdf(), to=TO)

    assert work() == 3
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        assert [*FaxJob.objects.order_by("pk").values_list("state", "reason")] == [
            ("failed", "broken"),
            ("sending", ""),
        ]
        mail = OutboxMessage.objects.get(template="fax/failed")
        assert "beschädigt" in outbox.compose(mail).body


def test_a_machine_that_does_not_answer_is_asked_again_for_a_day(printers, spool, work):
    spool.write_text("no folder")
    printed(printers.bob, papers.pdf(), to=TO)
    work()
    job = fax(printers)
    assert (job.state, job.reference) == ("sending", "")
    spool.unlink()
    work(AGAIN)
    assert fax(printers).reference == str(job.key)

    with tenancy.tenant_transaction(printers.cast.acme.pk):
        FaxAttempt.objects.update(began_at=timezone.now() - sending.GIVE_UP - AGAIN)
    work(AGAIN)

    assert (fax(printers).state, fax(printers).reason) == ("failed", "unreachable")
    assert list(spool.iterdir()) == []  # nobody dials it any more


def test_a_fax_whose_fate_is_unknown_is_not_given_to_the_machine_twice(printers, spool, work):
    printed(printers.bob, papers.pdf(), to=TO)
    work()
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        FaxJob.objects.update(reference="")  # the worker died before it noted the answer
    (spool / f"{fax(printers).key}.tif").write_bytes(b"being sent")

    work(AGAIN)

    job = fax(printers)
    assert (job.reference, (spool / f"{job.key}.tif").read_bytes()) == (str(job.key), b"being sent")


def test_access_that_has_ended_sends_nothing_more(printers, spool, work):
    printed(printers.bob, papers.pdf(), to=TO)
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        number = printers.bob.number
        number.usage = "voice"
        number.save(update_fields=["usage"])

    work()

    assert (fax(printers).state, fax(printers).reason, spool.exists()) == ("failed", "no_access", False)


def test_what_was_printed_with_access_that_is_revoked_is_not_sent_again(printers, spool, work):
    printed(printers.bob, papers.pdf(), to=TO)
    printed(printers.bob, papers.pdf())
    work()
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        waits, failed = FaxJob.objects.order_by("-pk")
        answered(spool, failed, state="failed", reason="busy")
    work(AGAIN)
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        FaxCredential.objects.filter(pk=printers.bob.pk).update(revoked_at=timezone.now(), secret_hash="")
        failed, waits = FaxJob.objects.locked([failed.pk, waits.pk])
        assert not jobs.can_retry(failed, at=timezone.now())
        for act in (jobs.retry, lambda job, **by: jobs.address(job, TO, **by)):
            with pytest.raises(jobs.FaxRefused, match="nicht mehr"):
                act(failed if act is jobs.retry else waits, by=printers.cast.bob, at=timezone.now())
        FaxJob.objects.filter(pk=waits.pk).update(state="queued", destination=TO, due_at=timezone.now())
    work()

    assert (fax(printers).state, fax(printers).reason, list(spool.iterdir())) == ("failed", "no_access", [])


def test_an_answer_is_cleared_away_only_after_it_was_noted(printers, spool, work, monkeypatch):
    printed(printers.bob, papers.pdf(), to=TO)
    work()
    answered(spool, fax(printers), state="sent")

    def dies(*_said, **_too):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "sent", dies)
        work(AGAIN)
    assert (fax(printers).state, len(list(spool.iterdir()))) == ("sending", 3)

    work(AGAIN)

    assert (fax(printers).state, list(spool.iterdir())) == ("sent", [])


def test_a_fax_that_is_deleted_while_it_is_sent_is_taken_back(
    printers, spool, work, django_capture_on_commit_callbacks
):
    printed(printers.bob, papers.pdf(), to=TO)
    work()
    assert len(list(spool.iterdir())) == 2

    with django_capture_on_commit_callbacks(execute=True), tenancy.tenant_transaction(printers.cast.acme.pk):
        [member] = StaffMember.objects.locked([printers.bob.staff_member_id])
        personal.KINDS[1].erase(member, notice="", by=printers.cast.alice, at=timezone.now())

    assert list(spool.iterdir()) == []


def test_a_step_that_goes_wrong_holds_nothing_else_up_and_ends_after_a_day(printers, spool, work, monkeypatch, caplog):
    printed(printers.bob, papers.pdf("wrong"), to=TO, job_name="Geheim")
    printed(printers.bob, papers.pdf(), to=TO)
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        wrong = FaxJob.objects.earliest("pk")
    step = sending._render

    def sometimes(job):
        if job.pk == wrong.pk:
            raise UnicodeDecodeError("ascii", b"\xe4", 0, 1, "Geheim")
        step(job)

    monkeypatch.setattr(sending, "_render", sometimes)
    work()
    assert (fax(printers).state, "Geheim" in caplog.text) == ("sending", False)
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        assert FaxJob.objects.get(pk=wrong.pk).state == "queued"
        FaxJob.objects.filter(pk=wrong.pk).update(received_at=timezone.now() - sending.GIVE_UP - AGAIN)

    work(AGAIN)

    with tenancy.tenant_transaction(printers.cast.acme.pk):
        wrong = FaxJob.objects.get(pk=wrong.pk)
    assert (wrong.state, wrong.reason) == ("failed", "broken")


def test_what_was_cancelled_while_its_pages_were_made_stays_cancelled(printers, spool, work, monkeypatch):
    printed(printers.bob, papers.pdf(), to=TO)
    step = sending._render

    def cancelled_meanwhile(job):
        jobs.cancel(FaxJob.objects.locked([job.pk])[0], by=printers.cast.bob, at=timezone.now())
        step(job)

    monkeypatch.setattr(sending, "_render", cancelled_meanwhile)
    work()

    job = fax(printers)
    assert (job.state, job.fax, job.pages) == ("cancelled", "", None)


def retired(as_operator, later):
    with transaction.atomic(), as_operator():
        return sending.retire(at=timezone.now() + later)


def test_pages_and_title_go_a_week_after_the_end_and_the_row_after_half_a_year(
    printers, spool, work, as_operator, documents_dir, django_capture_on_commit_callbacks
):
    printed(printers.bob, papers.pdf(), to=TO, job_name="Geheim")
    work()
    answered(spool, fax(printers), state="sent")
    work(AGAIN)
    assert len(list(documents_dir.iterdir())) == 3
    assert retired(as_operator, timedelta(days=6)).done == 0

    with django_capture_on_commit_callbacks(execute=True):
        assert retired(as_operator, timedelta(days=8)).done == 1

    job = fax(printers)
    assert (job.title, job.document, job.fax, job.preview, job.destination) == ("", "", "", "", TO)
    assert list(documents_dir.iterdir()) == []
    assert retired(as_operator, timedelta(days=181)).done == 1
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        assert not FaxJob.objects.exists()


def test_nightly_job_announces_the_tenants_itself(db, as_operator):
    with as_operator(), tenancy.serving(None):
        assert tasks.retire_faxes() == 0


def test_what_is_sent_again_at_the_last_moment_keeps_its_pages(printers, spool, work, as_operator, monkeypatch):
    printed(printers.bob, papers.pdf(), to=TO, job_name="Angebot")
    work()
    answered(spool, fax(printers), state="failed", reason="busy")
    work(AGAIN)
    found = sending._ids

    def retried_meanwhile(rows):
        ids = found(rows)
        for job in FaxJob.objects.locked(ids):
            jobs.retry(job, by=printers.cast.bob, at=timezone.now())
        return ids

    monkeypatch.setattr(sending, "_ids", retried_meanwhile)
    retired(as_operator, timedelta(days=8))

    assert (fax(printers).title, bool(fax(printers).fax)) == ("Angebot", True)


def test_what_nobody_goes_on_with_ends(printers, work, as_operator):
    printed(printers.bob, papers.pdf())
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        bob = printers.bob
        jobs.open_job(bob.number, bob.staff_member, title="", destination="", at=timezone.now())
    assert retired(as_operator, timedelta(minutes=50)).done == 0

    assert retired(as_operator, timedelta(days=15)).done == 2
    assert (fax(printers).state, fax(printers).reason) == ("failed", "no_number")
    with tenancy.tenant_transaction(printers.cast.acme.pk):
        FaxJob.objects.update(fax="x")
        [job] = FaxJob.objects.locked([fax(printers).pk])
        assert not jobs.can_retry(job, at=timezone.now())
        with pytest.raises(jobs.FaxRefused, match="Nummer"):
            jobs.retry(job, by=printers.cast.bob, at=timezone.now())


def test_without_its_pages_nothing_is_sent_again(printers, spool, work, as_operator):
    printed(printers.bob, papers.pdf(), to=TO)
    work()
    answered(spool, fax(printers), state="failed", reason="what is this?")
    work(AGAIN)
    assert fax(printers).reason == "interrupted"
    retired(as_operator, timedelta(days=8))
    shutil.rmtree(spool)

    with tenancy.tenant_transaction(printers.cast.acme.pk), pytest.raises(jobs.FaxRefused, match="drucken"):
        jobs.retry(FaxJob.objects.locked([fax(printers).pk])[0], by=printers.cast.bob, at=timezone.now())
