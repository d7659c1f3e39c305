"""A program in the foreground that dies with us: what the supervisor and the embedded servers are made of."""

import ctypes
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

PATIENCE = 60.0  # seconds until a program must answer; a recovery after a crash takes some
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class ServerError(RuntimeError):
    """One sentence for the person at the keyboard: what is wrong and what to do."""


@dataclass(frozen=True)
class Account:
    """The user a server runs as."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        """Its login name, else its number."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    @property
    def switch(self) -> bool:
        """Say whether a child must change its user to become this one."""
        return self.uid != os.geteuid()


class Child:
    """A program in the foreground that dies with us, even when we are killed with -9.

    Start it from the main thread only: the kernel ties the child's life to the thread that started it.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        cwd: os.PathLike[str] | str = "/",
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        before: Callable[[], None] | None = None,
        ready: Callable[["Child"], bool] | None = None,
        output: Callable[[], int] | None = None,
        patience: float = 30.0,
    ) -> None:
        self.name = name
        self.argv = [os.fspath(part) for part in argv]
        self.process: subprocess.Popen[bytes] | None = None
        self._env, self._cwd, self._account, self._output = env, cwd, account, output
        self._before, self._ready = before, ready
        self._stop_signal, self._death_signal, self._patience = stop_signal, death_signal, patience

    @property
    def alive(self) -> bool:
        """Say whether the program runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the last start; 0 when there was none."""
        return self.process.pid if self.process else 0

    def start(self) -> None:
        """Start the program and wait until it answers. Raises ServerError when it dies or stays silent."""
        if self.alive:
            return
        if self._before:
            self._before()
        self.spawn()
        deadline = time.monotonic() + PATIENCE
        while self._ready is not None and not self._ready(self):
            if not self.alive:
                raise ServerError(f"{self.name} stopped at once; its log says why.")
            if time.monotonic() > deadline:
                self.stop(immediate=True)
                raise ServerError(f"{self.name} did not answer within {PATIENCE:.0f} s; its log says why.")
            time.sleep(0.02)

    def spawn(self, *, stdout: int | None = None) -> subprocess.Popen[bytes]:
        """Start the program without waiting for an answer. Its output goes to `stdout`, else to its log."""
        parent, death_signal = os.getpid(), int(self._death_signal)

        def tie_to_parent() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, death_signal)
            # The parent may have died before the call above took effect: then nobody would ever end us.
            if os.getppid() != parent:
                os._exit(1)

        account = self._account if self._account and self._account.switch else None
        self.process = subprocess.Popen(  # noqa: S603 -- our own argv, no shell
            self.argv,
            env=self._env,
            cwd=self._cwd,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=0o077 if account else -1,
            stdin=subprocess.DEVNULL,
            stdout=stdout if stdout is not None else (self._output() if self._output else None),
            stderr=subprocess.STDOUT,
            process_group=0,  # Ctrl-C reaches us alone, and we stop the children in order
            preexec_fn=tie_to_parent,  # two system calls, nothing that a lock could block
        )
        return self.process

    def signal_stop(self) -> None:
        """Ask the program to stop, without waiting."""
        if self.process is not None and self.alive:
            self.process.send_signal(self._stop_signal)

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the program and wait; `immediate` skips the orderly end (a crash, for PostgreSQL)."""
        if self.process is None:
            return
        if immediate and self.alive:
            self.process.send_signal(self._death_signal)
        else:
            self.signal_stop()
        try:
            self.process.wait(self._patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what it left behind

    def restart(self, *, immediate: bool = False) -> None:
        """Stop, start and wait until it answers again."""
        self.stop(immediate=immediate)
        self.start()
