"""Waking the worker: the database is the queue, Redis only rings the bell.

`later(...)` rings after the commit. A silent Redis costs one click at most 0.3 s: the attempt ends after 0.2 s and the
bell is left alone for 10 s. What nobody was woken for is found by the sweepers of the beat schedule.
"""

import time
from dataclasses import dataclass

import structlog
from django.db import connection, transaction

log = structlog.get_logger(__name__)

LEAVE_ALONE_SECONDS = 10.0


class _Breaker:
    """Remembers, per process, until when Redis is left alone."""

    silent_until = 0.0


def later(task: str) -> None:
    """Ring for a sweeping task (by name, without arguments) once this transaction has committed, once for all calls."""
    bell = _Bell(task)
    if all(waiting[1] != bell for waiting in connection.run_on_commit):
        transaction.on_commit(bell, robust=True)


def prepare() -> None:
    """Load what ringing needs, without connecting: else the first click of every process would wait for it."""
    from portal.celery import app  # noqa: PLC0415 -- Celery reads the settings, which must be complete first

    app.finalize()
    with app.connection_for_write() as redis:
        _ = app.amqp, app.producer_pool, redis.transport


@dataclass(frozen=True, slots=True)
class _Bell:
    """Equal to every other bell for the same task."""

    task: str

    def __call__(self) -> None:
        _ring(self.task)


def _ring(task: str) -> None:
    if time.monotonic() < _Breaker.silent_until:
        return
    from portal.celery import app  # noqa: PLC0415 -- Celery reads the settings, which must be complete first

    try:
        app.send_task(task, retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001 -- the sweeper does the work; a click must not fail for a bell
        _Breaker.silent_until = time.monotonic() + LEAVE_ALONE_SECONDS
        log.warning("worker not woken", task=task, reason=str(error))
