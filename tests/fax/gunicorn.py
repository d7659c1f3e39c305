"""A web process as it is in production: gunicorn, whose bodies may come in chunks, before this test's database."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(data: Path, *, process: str = "web") -> Iterator[tuple[int, Path]]:
    """Serve the portal, or the operator's console, until the block ends; yield the port and the log."""
    port, log = free_port(), data / "web.log"
    admin = os.environ["PORTAL_TEST_ADMIN"]
    role = "portal_app" if process == "web" else "portal_ops"
    url, _name = admin.replace("postgres@", f"{role}@").rsplit("/", 1)
    _database, _question, options = _name.partition("?")
    env = os.environ | {
        "DATABASE_URL": f"{url}/{settings.DATABASES['default']['NAME']}{_question}{options}",
        "REDIS_URL": settings.REDIS_URL,
        "DATA_DIR": str(data),
        "PORTAL_PROCESS": process,
        "PORTAL_DEMO": "1",
        "PORTAL_URL": f"http://localhost:{port}",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    argv = [sys.executable, "-W", "ignore", "-m", "gunicorn", "portal.wsgi:application", "--no-control-socket"]
    argv += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--access-logfile", "-"]
    with log.open("wb") as said:
        server = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=said, stderr=said, start_new_session=True)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
        yield port, log
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(10)
