"""The supervisor: its parts, and the whole of it over a stub of the portal that starts within a second."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from portal import serve, servers
from portal.child import ServerError

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("servers", "child", "cluster", "database_roles", "journal", "serve")
STUB_WSGI = """
import os
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    names = ("PORTAL_PROCESS", "DATABASE_URL", "PORTAL_DEMO", "DATA_DIR")
    return ["\\n".join(os.environ[name] for name in names).encode()]
"""
STUB_CELERY = """
import os
from celery import Celery
from portal import servers
app = Celery("portal", broker=servers.broker_url(os.environ["REDIS_URL"]))
"""
STUB_MANAGE = """
import os, sys
sys.exit(os.environ.get("BROKEN_STEP") in sys.argv and print("no such thing") is None)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def options(place, **more):
    return serve.Options.from_environment({"DATA_DIR": str(place)} | more)


def test_options_have_defaults_and_take_the_environment(tmp_path):
    assert options(tmp_path) == serve.Options(tmp_path, "127.0.0.1", 8000, 8001, "", "")
    assert options(tmp_path, PORT="1", OPERATOR_PORT="2", BIND="::", REDIS_URL="redis://r") == serve.Options(
        tmp_path, "::", 1, 2, "", "redis://r"
    )


def test_options_refuse_a_port_that_is_no_number(tmp_path):
    with pytest.raises(ServerError, match="must be numbers"):
        options(tmp_path, PORT="http")


def test_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ServerError, match=f"Port {port} on 127.0.0.1: Address already in use; set OPERATOR_PORT"):
            serve.check_ports(options(tmp_path, PORT=str(free_port()), OPERATOR_PORT=str(port)))


def test_one_port_for_two_is_refused(tmp_path):
    port = str(free_port())

    with pytest.raises(ServerError, match="are both"):
        serve.check_ports(options(tmp_path, PORT=port, OPERATOR_PORT=port))


def test_secrets_are_made_once_and_closed(tmp_path):
    first = serve.kept_secrets(tmp_path)

    assert serve.kept_secrets(tmp_path) == first
    assert sorted(first) == ["portal_app", "portal_ops", "portal_owner", "secret_key"]
    assert len(set(first.values())) == 4
    assert min(map(len, first.values())) >= 50
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o600


def test_secrets_of_an_older_version_are_completed(tmp_path):
    (tmp_path / "secrets").write_text(json.dumps({"secret_key": "kept"}))

    assert serve.kept_secrets(tmp_path)["secret_key"] == "kept"
    assert "portal_app" in serve.kept_secrets(tmp_path)


def test_role_url_replaces_the_login_and_keeps_the_rest():
    found = serve.role_url("postgresql://admin:p%40ss@db.example:6432/x?sslmode=require", "portal_app", "a/b", "portal")

    assert found == "postgresql://portal_app:a%2Fb@db.example:6432/portal?sslmode=require"


@pytest.mark.parametrize(
    ("process", "role"),
    [
        ("web", "portal_app"),
        ("operator", "portal_ops"),
        ("worker", "portal_ops"),
        ("beat", "portal_ops"),
        ("migrate", "portal_owner"),
    ],
)
def test_each_process_gets_its_own_role_only(tmp_path, process, role):
    given = options(tmp_path, DATABASE_URL="postgresql://admin:secret@db.example/portal", REDIS_URL="redis://r")
    supervisor = serve.Supervisor(given, journal=None)

    found = supervisor.environment(process)

    assert found["DATABASE_URL"] == f"postgresql://{role}:{supervisor.secrets[role]}@db.example/portal"
    assert found["PORTAL_PROCESS"] == process
    assert found["REDIS_URL"] == "redis://r"


def test_reset_refuses_what_is_not_ours(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")

    with pytest.raises(ServerError, match="does not look like"):
        serve.reset(tmp_path)

    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_reset_refuses_a_folder_in_use_and_deletes_a_free_one(tmp_path):
    place = tmp_path / "data"
    with servers.locked(place), pytest.raises(ServerError, match="already served"):
        serve.reset(place)
    assert place.exists()

    serve.reset(place)
    serve.reset(place)

    assert not place.exists()


class Stub:
    """The real supervisor over a portal of three small files."""

    def __init__(self, folder):
        self.folder, self.place, self.port, self.operator_port = folder, folder / "data", free_port(), free_port()
        (folder / "portal").mkdir()
        (folder / "numbers").mkdir()
        (folder / "portal" / "__init__.py").touch()
        for name in COPIED:
            shutil.copy(ROOT / "portal" / f"{name}.py", folder / "portal")
        (folder / "portal" / "demo").mkdir()
        for name in ("__init__", "accounts"):
            shutil.copy(ROOT / "portal" / "demo" / f"{name}.py", folder / "portal" / "demo")
        (folder / "portal" / "wsgi.py").write_text(STUB_WSGI)
        (folder / "portal" / "celery.py").write_text(STUB_CELERY)
        (folder / "manage.py").write_text(STUB_MANAGE)
        self.started = []

    def start(self, **env):
        settings = {"PORT": str(self.port), "OPERATOR_PORT": str(self.operator_port), "DATA_DIR": str(self.place)}
        base = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        log = (self.folder / f"log{len(self.started)}").open("wb")
        command = [sys.executable, "-m", "portal.serve"]
        with log:
            process = subprocess.Popen(command, cwd=self.folder, env=base | settings | env, stdout=log, stderr=log)
        self.started.append(process)
        return process

    def log(self):
        return (self.folder / f"log{len(self.started) - 1}").read_text()

    def answer(self, port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as response:
                return response.read().decode().splitlines()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def children(self):
        """Process ids by command line of everything that names our data folder, our ports or our sockets."""
        marks = (str(self.place), servers.socket_dir(self.place).name, f":{self.port} ", f":{self.operator_port} ")
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode() + " "
                    line += "DATA" if f"DATA_DIR={self.place}\0".encode() in (entry / "environ").read_bytes() else ""
                except OSError:
                    continue
                if "portal.serve" not in line and (line.endswith("DATA") or any(mark in line for mark in marks)):
                    found[int(entry.name)] = line
        return found


def wait_until(true, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def stub():
    with servers.scratch() as folder:
        made = Stub(folder)
        yield made
        for process in made.started:
            process.kill()
            process.wait()
        wait_until(lambda: not made.children())
        servers.remove(made.place)


@pytest.mark.timeout(120)
def test_supervisor_serves_survives_and_stops(stub):
    first = stub.start()
    wait_until(lambda: "Started in" in stub.log())
    assert serve.DEMO_PASSWORD in stub.log()
    assert stub.answer(stub.port)[:3] == ["web", servers.database_url(stub.place, "portal_app"), "1"]
    assert stub.answer(stub.operator_port)[:2] == ["operator", servers.database_url(stub.place, "portal_ops")]

    second = stub.start()
    assert second.wait(10) == 1
    assert "already served by process" in stub.log()
    assert stub.log().count("\n") == 1

    first.kill()
    third = stub.start()  # at once: ports and servers of the first are still being let go
    wait_until(lambda: "Started in" in stub.log())

    web = min(pid for pid, line in stub.children().items() if f"127.0.0.1:{stub.port} " in line)
    os.kill(web, signal.SIGKILL)
    wait_until(lambda: "web died (status -9)" in stub.log())
    wait_until(lambda: stub.answer(stub.port) is not None and web not in stub.children())

    third.terminate()
    assert third.wait(30) == 0
    assert stub.children() == {}
    order = [stub.log().rindex(text) for text in ("Shutting down: Master", "ready to exit", "fast shutdown", "stopped")]
    assert order == sorted(order)


@pytest.mark.timeout(120)
def test_failed_step_shows_its_output_and_stops_everything(stub):
    process = stub.start(BROKEN_STEP="prepare")

    assert process.wait(30) == 1
    assert "no such thing" in stub.log()
    assert "manage.py prepare failed" in stub.log()
    assert "Started in" not in stub.log()
    assert stub.children() == {}
