"""The benchmark's servers: a cluster of its own, the portal, the floor and the admin, two workers each."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal import servers
from portal.serve import MEMORY

ROOT = Path(__file__).resolve().parent.parent
WEB, FLOOR, ADMIN = 8901, 8902, 8903


def environment(data_dir: Path, role: str, process: str) -> dict[str, str]:
    return {
        **os.environ,
        **MEMORY,
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": servers.database_url(data_dir, role),
        "REDIS_URL": servers.redis_url(data_dir),
        "PORTAL_PROCESS": process,
        "PORTAL_DEMO": "1",
        "PORTAL_LOG_LEVEL": "WARNING",
    }


def manage(data_dir: Path, *arguments: str) -> None:
    """Run a management command as the owner of the tables."""
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        check=True,
        env=environment(data_dir, "portal_owner", "migrate"),
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def web_servers(data_dir: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the three gunicorns until the block ends."""
    running = [
        _gunicorn(WEB, environment(data_dir, "portal_app", "web") | {"DJANGO_SETTINGS_MODULE": "portal.settings"}),
        _gunicorn(
            FLOOR, environment(data_dir, "portal_app", "web") | {"DJANGO_SETTINGS_MODULE": "bench.floor.settings"}
        ),
        _gunicorn(
            ADMIN,
            environment(data_dir, "portal_ops", "worker")
            | {"DJANGO_SETTINGS_MODULE": "bench.floor.settings", "FLOOR": "admin"},
        ),
    ]
    try:
        for port in (WEB, FLOOR, ADMIN):
            _wait(port)
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)


def _gunicorn(port: int, env: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--preload", "--log-level", "warning"]
    return subprocess.Popen(command, cwd=ROOT, env=env)


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/favicon.ico")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"No server on port {port}.")
