"""The supervisor: servers, migrations, demo data, then web, operator console, worker and beat in the foreground.

    python -m portal.serve          start everything; Ctrl-C stops it in order
    python -m portal.serve reset    delete the data folder

Environment: PORT, OPERATOR_PORT, BIND, DATA_DIR, and DATABASE_URL (an administrator's login) and REDIS_URL for real
servers. docs/adr/0001-own-supervisor.md says why this is no Procfile.
"""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from portal import servers
from portal.child import Child, ServerError
from portal.database_roles import APP, OPS, OWNER, ROLES, bootstrap
from portal.demo.accounts import ACCOUNTS, DEMO_PASSWORD
from portal.journal import Journal

ROOT = Path(__file__).resolve().parent.parent
ROLE_OF = {"web": APP, "operator": OPS, "worker": OPS, "beat": OPS, "migrate": OWNER}
# Commands that must succeed before anything is served, each with the process it runs as.
STEPS = (
    ("migrate", ("prepare",)),
    ("worker", ("load_demo",)),
)
# glibc keeps what it was given: a worker that hashes PINs and typesets letters would grow to 220 MB and stay there.
# With one arena and large blocks given back at once it stays below 190.
MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "1000000"}
HEALTH = "/healthz"  # any answer will do
PAUSE = 1.0  # seconds between a death and the next start
QUICK = 10.0  # a life shorter than this many seconds counts as quick
QUICK_DEATHS = 3


class Stopped(BaseException):
    """Somebody asked us to stop: Ctrl-C, SIGTERM or a closed terminal."""


@dataclass(frozen=True)
class Options:
    """What the environment says."""

    data_dir: Path
    bind: str
    port: int
    operator_port: int
    database_url: str
    redis_url: str

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Options":
        """Read the variables. Raises ServerError for a port that is no number."""
        try:
            port, operator_port = int(env.get("PORT") or 8000), int(env.get("OPERATOR_PORT") or 8001)
        except ValueError:
            raise ServerError("PORT and OPERATOR_PORT must be numbers.") from None
        data_dir = Path(env.get("DATA_DIR") or ROOT / ".data").resolve()
        bind = env.get("BIND") or "127.0.0.1"
        return cls(data_dir, bind, port, operator_port, env.get("DATABASE_URL", ""), env.get("REDIS_URL", ""))


@dataclass
class Watched:
    """A child with the times of its last deaths."""

    child: Child
    started: float = 0.0
    due: float | None = None
    deaths: deque[bool] = field(default_factory=lambda: deque(maxlen=QUICK_DEATHS))


def check_ports(options: Options) -> None:
    """Raise ServerError when one of the two ports is taken."""
    for variable, port in (("PORT", options.port), ("OPERATOR_PORT", options.operator_port)):
        # After kill -9 of a supervisor its gunicorn needs a moment to let go of the port.
        deadline = time.monotonic() + 3
        while refusal := _port_refused(options.bind, port):
            if time.monotonic() > deadline:
                raise ServerError(f"Port {port} on {options.bind}: {refusal}; set {variable} to another port.")
            time.sleep(0.1)
    if options.port == options.operator_port:
        raise ServerError(f"PORT and OPERATOR_PORT are both {options.port}; set one of them to another port.")


def _port_refused(bind: str, port: int) -> str:
    with socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            return error.strerror or str(error)
        except OverflowError:
            return "no such port"
    return ""


def kept_secrets(data_dir: Path) -> dict[str, str]:
    """The secret key and the roles' passwords: made once, kept in the data folder for its owner alone."""
    path = data_dir / "secrets"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    if missing := [name for name in ("secret_key", *ROLES) if name not in kept]:
        kept |= {name: secrets.token_urlsafe(48) for name in missing}
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(kept, file)
        unfinished.replace(path)
    return kept


def role_url(admin_url: str, role: str, password: str, database: str) -> str:
    """The address of `database` on the server of `admin_url` for `role`."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{host}", path=f"/{database}"))


class Supervisor:
    """Starts everything, keeps it running, and stops it in order."""

    def __init__(self, options: Options, journal: Journal) -> None:
        self.options = options
        self.journal = journal
        self.secrets = kept_secrets(options.data_dir)
        self.watched: list[Watched] = []
        name = urlsplit(options.database_url).path.strip("/")
        self.database = name if name not in ("", "postgres") else servers.DATABASE

    def run(self) -> int:
        """Serve until somebody stops us (0) or a program dies too often (1)."""
        began = time.monotonic()
        options = self.options
        embedded = [*([] if options.database_url else ["PostgreSQL"]), *([] if options.redis_url else ["Redis"])]
        self.journal.say(f"starting {' and '.join(embedded) or 'with the given servers'}, data in {options.data_dir}")
        with ExitStack() as stack:
            own = stack.enter_context(
                servers.running(
                    options.data_dir,
                    postgres=not options.database_url,
                    redis=not options.redis_url,
                    output=self.journal.writer,
                    lock=False,
                )
            )
            if options.database_url:
                bootstrap(options.database_url, self.database, {role: self.secrets[role] for role in ROLES})
            self.journal.say(f"servers ready after {time.monotonic() - began:.1f} s")
            for process, arguments in STEPS:
                self._step(process, arguments)
            programs = self.programs()
            # Entered last, left first: the programs stop before the servers they use.
            stack.callback(self._stop, programs)
            for child in programs:
                child.start()
            used = [own.postgres] * (not options.database_url) + [own.redis] * (not options.redis_url)
            now = time.monotonic()
            self.watched = [Watched(child, started=now) for child in (*used, *programs)]
            self._await_answers()
            self._announce(time.monotonic() - began)
            return self._watch()

    def environment(self, process: str) -> dict[str, str]:
        """What a child of the kind `process` finds in its environment: its own role and nothing of the others'."""
        options = self.options
        role = ROLE_OF[process]
        url = servers.database_url(options.data_dir, role)
        if options.database_url:
            url = role_url(options.database_url, role, self.secrets[role], self.database)
        return {
            **os.environ,
            **MEMORY,
            "PORTAL_PROCESS": process,
            "DATABASE_URL": url,
            "REDIS_URL": options.redis_url or servers.redis_url(options.data_dir),
            "DATA_DIR": str(options.data_dir),
            "PORTAL_DEMO": "1",
            "PORTAL_SECRET_KEY": self.secrets["secret_key"],
            "PORT": str(options.port),
            "OPERATOR_PORT": str(options.operator_port),
            "PYTHONUNBUFFERED": "1",
        }

    def programs(self) -> list[Child]:
        """The four programs, in the order in which they start and stop."""
        gunicorn = [sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--no-control-socket", "--preload"]
        gunicorn += ["--graceful-timeout", "10"]
        # Root in the demo is on purpose: that warning would only hide others.
        celery = [sys.executable, "-W", "ignore:You're running the worker", "-m", "celery", "-q", "-A", "portal"]
        worker = [*celery, "worker", "--concurrency", "2", "--prefetch-multiplier", "1", "-l", "INFO"]
        worker += ["--without-mingle", "--without-gossip"]  # there is one worker, nothing to look for
        host = f"[{self.options.bind}]" if ":" in self.options.bind else self.options.bind
        commands = {
            "web": [*gunicorn, "--bind", f"{host}:{self.options.port}", "--workers", "2"],
            "operator": [*gunicorn, "--bind", f"{host}:{self.options.operator_port}", "--workers", "1"],
            "beat": [*celery, "beat", "-s", str(self.options.data_dir / "beat-schedule")],
            "worker": worker,
        }
        return [self._program(name, argv) for name, argv in commands.items()]

    def _program(self, name: str, argv: list[str]) -> Child:
        return Child(
            name,
            argv,
            env=self.environment(name),
            cwd=ROOT,
            # gunicorn takes its workers along on SIGQUIT; Celery would wait for Redis on it, its pool ends by itself.
            death_signal=signal.SIGQUIT if "gunicorn" in argv else signal.SIGKILL,
            output=lambda: self.journal.writer(name),
            patience=20.0,
        )

    def _step(self, process: str, arguments: tuple[str, ...]) -> None:
        began = time.monotonic()
        child = Child(arguments[0], [sys.executable, "manage.py", *arguments], env=self.environment(process), cwd=ROOT)
        with child.spawn(stdout=subprocess.PIPE) as running:
            try:
                said, _ = running.communicate()
            except BaseException:
                child.stop()
                raise
        if running.returncode:
            self.journal.say(said.decode(errors="replace"), arguments[0][:8])
            raise ServerError(f"manage.py {' '.join(arguments)} failed, its output is above.")
        self.journal.say(f"{arguments[0]} took {time.monotonic() - began:.1f} s")

    def _await_answers(self) -> None:
        """Wait until both sites answer; a port alone is open before gunicorn has loaded anything."""
        deadline = time.monotonic() + 120
        for port in (self.options.port, self.options.operator_port):
            while not self._answers(port):
                if dead := [watched.child.name for watched in self.watched if not watched.child.alive]:
                    raise ServerError(f"{dead[0]} stopped at its start, its output is above.")
                if time.monotonic() > deadline:
                    raise ServerError(f"Nothing answers on port {port} after 120 s; the output above may say why.")
                time.sleep(0.1)

    def _answers(self, port: int) -> bool:
        connection = http.client.HTTPConnection(self.options.bind, port, timeout=10)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", HEALTH)
            connection.getresponse()
            return True
        return False

    def _watch(self) -> int:
        while True:
            now = time.monotonic()
            for watched in self.watched:
                if watched.due is None and not watched.child.alive:
                    if self._died_too_often(watched, now):
                        return 1
                elif watched.due is not None and now >= watched.due:
                    watched.started, watched.due = now, None
                    with suppress(ServerError):
                        watched.child.start()
            time.sleep(0.2)

    def _died_too_often(self, watched: Watched, now: float) -> bool:
        watched.deaths.append(now - watched.started < QUICK)
        status = watched.child.process.returncode if watched.child.process else None
        if len(watched.deaths) == QUICK_DEATHS and all(watched.deaths):
            self.journal.say(f"{watched.child.name} died {QUICK_DEATHS} times in a row (status {status}); giving up")
            return True
        self.journal.say(f"{watched.child.name} died (status {status}); starting it again in {PAUSE:.0f} s")
        watched.child.stop()  # what it left behind
        watched.due = now + PAUSE
        return False

    def _stop(self, programs: Iterable[Child]) -> None:
        self.journal.say("stopping")
        children = list(programs)
        # Nothing new comes in first; the worker then finishes what it holds.
        for group in (children[:-1], children[-1:]):
            for child in group:
                child.signal_stop()
            for child in group:
                child.stop()

    def _announce(self, seconds: float) -> None:
        home = f"http://localhost:{self.options.port}"
        lines = [
            f"Portal            {home}/",
            f"Operator console  http://localhost:{self.options.operator_port}/",
            f"Mail of the demo  {home}/demo/mail/",
            "",
            *(f"{account.email:<24}{account.says}" for account in ACCOUNTS),
            f"Password of all:        {DEMO_PASSWORD}",
            "",
            f"Started in {seconds:.1f} s. Ctrl-C stops everything; the data stays.",
        ]
        width = max(map(len, lines))
        bar = "─" * (width + 2)
        self.journal.say("\n".join([f"┌{bar}┐", *(f"│ {line:<{width}} │" for line in lines), f"└{bar}┘"]))


def reset(data_dir: Path) -> None:
    """Delete the data folder. Raises ServerError when it is in use or does not look like one of ours."""
    if not data_dir.exists():
        return
    if not (data_dir / "lock").is_file() or (data_dir / "manage.py").exists() or (data_dir / ".git").exists():
        raise ServerError(f"{data_dir} does not look like a data folder of the portal; nothing was deleted.")
    with servers.locked(data_dir):
        try:
            servers.remove(data_dir)
        except PermissionError as error:
            raise ServerError(f"{error.filename} belongs to another user; reset as that user or as root.") from None


def serve(options: Options) -> int:
    """Run the supervisor until it is stopped, and return its exit status."""
    with servers.locked(options.data_dir):
        check_ports(options)
        journal = Journal(options.data_dir / "log" / "portal.log")
        try:
            return Supervisor(options, journal).run()
        except (ServerError, psycopg.Error) as error:
            journal.say(str(error))
            return 1
        except Stopped:
            return 0
        finally:
            journal.say("stopped")


def _stop_on_signal(_number: int, _frame: FrameType | None) -> NoReturn:
    # One request is enough: a second must not interrupt the orderly stop that the first began.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def main(arguments: list[str]) -> int:
    """Start, or `reset`."""
    try:
        options = Options.from_environment(os.environ)
        if arguments == ["reset"]:
            reset(options.data_dir)
            return 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop_on_signal)
        return serve(options)
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Stopped:
        return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
