"""A portal of its own for one chaos test: its servers, its processes, its world. Everything in it is real."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from portal import servers
from tests import servers as templates

_count = itertools.count(1)
ROOT = Path(__file__).resolve().parents[2]
CELERY = [sys.executable, "-W", "ignore", "-m", "celery", "-q", "-A", "portal"]

# A worker as in production, but slow and in small batches, so that a kill finds it in the middle of something.
SLOW_WORKER = """
import sys, time
import django
django.setup()
from django.db.backends.signals import connection_created
from numbers import effects
effects.BATCH = 5
def slowly(execute, *call):
    time.sleep(0.004)
    result = execute(*call)
    time.sleep(0.004)
    return result
connection_created.connect(lambda connection, **_: connection.execute_wrappers.append(slowly), weak=False)
from celery.__main__ import main
sys.argv[:] = ["celery", "-q", "-A", "portal", *sys.argv[1:]]
main()
"""
WORKER = ["worker", "--concurrency", "1", "--without-mingle", "--without-gossip", "-l", "WARNING"]


@dataclass
class Stack:
    """Servers and processes of one test."""

    servers: servers.Servers
    database: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def place(self) -> Path:
        return self.servers.data_dir

    def env(self, process: str, **more: str) -> dict[str, str]:
        role = {"web": "portal_app", "migrate": "portal_owner"}.get(process, "portal_ops")
        return os.environ | {
            "DATABASE_URL": self.servers.database_url(role, self.database),
            "REDIS_URL": self.servers.redis_url,
            "DATA_DIR": str(self.place),
            "PORTAL_PROCESS": process,
            "PORTAL_DEMO": "1",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            **more,
        }

    def start(self, argv: list[str], process: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a process in a group of its own, its output in the stack's log."""
        log = (self.place / "log" / f"{self.database}.log").open("ab")
        started = subprocess.Popen(
            argv, cwd=ROOT, env=self.env(process, **more), stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        self.processes.append(started)
        return started

    def worker(self, *, slow: bool = False, **more: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-W", "ignore", "-c", SLOW_WORKER] if slow else CELERY
        return self.start([*argv, *WORKER], "worker", **more)

    def beat(self, **more: str) -> subprocess.Popen[bytes]:
        schedule = str(self.place / f"beat-{len(self.processes)}")
        return self.start([*CELERY, "beat", "-s", schedule, "-l", "WARNING"], "beat", **more)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Look at the database past both walls."""
        with psycopg.connect(self.servers.database_url("postgres", self.database), autocommit=True) as inside:
            cursor = inside.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def redis(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(servers.socket_dir(self.place) / "redis.sock"))
            line.sendall(command + b"\r\n")
            return line.recv(100)

    def log(self) -> str:
        return (self.place / "log" / f"{self.database}.log").read_text(errors="replace")[-8000:]


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9 the process and all its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(ready: Callable[[], bool], *, seconds: float, what: str) -> float:
    """Wait until something holds and return how long it took; fail after so many seconds."""
    began = time.monotonic()
    while not ready():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - began


@contextmanager
def ground() -> Iterator[servers.Servers]:
    """Servers that survive a crash, with a migrated database: what every chaos test begins with."""
    with servers.scratch() as place, servers.running(place, durable=True) as own:
        templates.copy_schema(os.environ["PORTAL_TEST_ADMIN"], own.database_url("postgres"))
        yield own


@contextmanager
def running(own: servers.Servers) -> Iterator[Stack]:
    """A database of its own and an empty Redis; every process is gone in the end."""
    for child in (own.postgres, own.redis):
        child.start()  # if the test before left it stopped
    stack = Stack(own, f"chaos_{next(_count)}")
    with psycopg.connect(own.admin_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {stack.database} TEMPLATE portal OWNER portal_owner")
    stack.redis(b"FLUSHALL")
    try:
        yield stack
    finally:
        for process in stack.processes:
            kill(process)


WORLD = """
INSERT INTO portal_tenant (name, slug, customer_number, created_at)
    SELECT 'Firma ' || i, 'firma-' || i, 'K-' || i, now() FROM generate_series(1, 3) i;
INSERT INTO portal_user (password, email, name, language, theme, preferences, is_operator, is_active, joined_at)
    SELECT '!', 'admin' || i || '@firma.example', 'Admin ' || i, 'de', 'auto', '{}', false, true, now()
    FROM generate_series(1, 3) i;
INSERT INTO portal_membership (user_id, tenant_id, role, created_at)
    SELECT u.id, t.id, 'administrator', now()
    FROM portal_user u JOIN portal_tenant t ON right(u.name, 1) = right(t.name, 1);
"""
# Every second number is due, on one of three planned days; the others are scheduled for later. A third is forwarded.
NUMBERS = """
INSERT INTO numbers_phonenumber (tenant_id, e164, base_number, extension_digits, area_id, state, last_active_on,
                                 active_since, usage, label, note, price_class, allocated_at)
    SELECT (SELECT id FROM portal_tenant WHERE slug = 'firma-' || (1 + i % 3)),
           '+4999' || lpad(i::text, 6, '0'), '', '',
           (SELECT min(id) FROM numbers_localarea), 'deactivation_scheduled',
           CASE WHEN i % 2 = 1 THEN date '2099-12-31'
                ELSE (ARRAY['2025-01-31', '2026-08-31', '2026-10-31']::date[])[1 + i % 3] END,
           '2024-01-01', 'voice', '', '', 'standard', now()
    FROM generate_series(1, 2 * COUNT) i;
INSERT INTO billing_slot (tenant_id, label, price_class, from_on, until_on)
    SELECT tenant_id, e164, price_class, active_since, last_active_on + 1 FROM numbers_phonenumber;
INSERT INTO numbers_forwarding (tenant_id, number_id, "when", destination, changed_at)
    SELECT tenant_id, id, 'always', '+493023125999', now() FROM numbers_phonenumber WHERE id % 3 = 0;
"""


def populate(stack: Stack, due: int) -> None:
    """Three tenants with `due` overdue numbers and as many that are not due."""
    stack.query(WORLD)
    stack.query(NUMBERS.replace("COUNT", str(due)))
