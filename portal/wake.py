"""Waking the worker: the database is the queue, Redis only rings the bell.

`later(...)` rings after the commit, in a thread of its own: no click waits for Redis, whether it answers or not, and
clicks that follow each other closely ring once. An attempt ends after 0.2 s, and then the bell is left alone for 10 s.
What nobody was woken for, because Redis was gone or the process ended, is found by the sweepers of the beat schedule.
"""

import atexit
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue

import structlog
from django.db import connection, transaction

log = structlog.get_logger(__name__)

LEAVE_ALONE_SECONDS = 10.0
RESPITE_SECONDS = 0.05  # the answer to the click goes out first, and what the next clicks ring is rung together
LAST_WORDS_SECONDS = 0.5  # what a process that ends grants its bells


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
        _Ringer.of_this_process().bells.put(self.task)


class _Ringer:
    """The thread that rings, one per process: a fork takes no threads along, so each makes its own."""

    present: "_Ringer | None" = None

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.bells: Queue[str] = Queue()
        threading.Thread(target=self._work, name="ringer", daemon=True).start()

    @classmethod
    def of_this_process(cls) -> "_Ringer":
        if cls.present is None or cls.present.pid != os.getpid():
            cls.present = cls()
        return cls.present

    def _work(self) -> None:
        while True:
            rung = [self.bells.get()]
            time.sleep(RESPITE_SECONDS)
            with suppress(Empty):
                while True:
                    rung.append(self.bells.get_nowait())
            for task in dict.fromkeys(rung):
                _ring(task)
            for _each in rung:
                self.bells.task_done()


def finish(seconds: float = LAST_WORDS_SECONDS) -> bool:
    """Wait until every bell of this process was rung, at most so long; return whether they were."""
    ringer = _Ringer.present
    until = time.monotonic() + seconds
    while ringer and ringer.pid == os.getpid() and ringer.bells.unfinished_tasks:
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


atexit.register(finish)


def _ring(task: str) -> None:
    if time.monotonic() < _Breaker.silent_until:
        return
    from portal.celery import app  # noqa: PLC0415 -- Celery reads the settings, which must be complete first

    try:
        app.send_task(task, retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001 -- the sweeper does the work; a click must not fail for a bell
        _Breaker.silent_until = time.monotonic() + LEAVE_ALONE_SECONDS
        log.warning("worker not woken", task=task, reason=str(error))
