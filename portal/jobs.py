"""Jobs that sweep the database in batches, each a transaction of its own, with a record for the operator.

A run that dies loses the batch it held and nothing else; the next run takes up what is left. Two runs of one job at a
time take turns, batch by batch.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from portal.logs import request_id
from portal.models import JobRun
from portal.tenancy import every_tenant

log = structlog.get_logger(__name__)

LONGEST = timedelta(minutes=10)  # no run lasts longer: Celery ends a task after five minutes
KEEP_IDLE_RUNS, KEEP_RUNS = timedelta(days=7), timedelta(days=400)

type Progress = Callable[[int, int], None]


def sweep[Place](
    job: str,
    *,
    as_of: date,
    count: Callable[[], int],
    batch: Callable[[Place], tuple[int, Place | None]],
    begin: Place,
    progress: Progress = lambda done, planned: None,
) -> JobRun:
    """Call `batch` with the place where the last one ended until nothing is left, and keep a record of the run.

    After the pass comes a second one for rows that others had locked. `count` says how much there is at the start;
    `progress` is told done and planned after each batch. Works on every tenant and therefore as the operator's role.
    What a batch raises is noted in the record and raised again.
    """
    with every_tenant():
        with transaction.atomic():
            _note_the_dead(job)
            run = JobRun.objects.create(job=job, as_of=as_of, started_at=timezone.now(), planned=count())
        token = request_id.set(f"job-{run.pk}")
        try:
            for _pass in range(2):
                place: Place | None = begin
                while place is not None:
                    place = _step(run, batch, place)
                    if place is not None:
                        progress(run.done, run.planned)
        except Exception as error:
            _finish(run, f"{type(error).__name__}: {error}")
            raise
        finally:
            request_id.reset(token)
        _finish(run, "")
    log.info("job done", job=job, run=run.pk, planned=run.planned, done=run.done)
    return run


def forget(*, at: datetime) -> None:
    """Delete records of runs that did nothing after a week, and all others after 400 days."""
    runs = JobRun.objects.filter(started_at__lt=at - KEEP_RUNS)
    idle = JobRun.objects.filter(started_at__lt=at - KEEP_IDLE_RUNS, done=0, error="")
    (runs | idle).delete()


def _step[Place](run: JobRun, batch: Callable[[Place], tuple[int, Place | None]], place: Place) -> Place | None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"job {run.job}"])
        done, following = batch(place)
        if done:
            JobRun.objects.filter(pk=run.pk).update(done=F("done") + done)
    run.done += done
    return following


def _note_the_dead(job: str) -> None:
    dead = JobRun.objects.filter(job=job, finished_at=None, error="", started_at__lt=timezone.now() - LONGEST)
    dead.update(error="The process ended before the run did; a later run did the rest.")


def _finish(run: JobRun, error: str) -> None:
    run.finished_at, run.error = timezone.now(), error[:2000]
    try:
        run.save(update_fields=["finished_at", "error"])
    except DatabaseError as reason:  # the error may have been that the database is gone
        log.warning("job run not noted", run=run.pk, reason=str(reason))
