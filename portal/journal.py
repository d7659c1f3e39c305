"""One readable log for many programs: time, aligned name, line; on the terminal and in a file."""

import logging
import logging.handlers
import os
import sys
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path

WIDTH = 9
COLOURS = {"portal": 1, "postgres": 34, "redis": 31, "web": 32, "operator": 35, "worker": 36, "beat": 33}


class Journal:
    """Takes lines of ours and the output of programs."""

    def __init__(self, path: Path) -> None:
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()
        self._pipes: dict[str, int] = {}
        self._file = logging.handlers.RotatingFileHandler(path, maxBytes=10_000_000, backupCount=2, encoding="utf-8")

    def say(self, text: str, name: str = "portal") -> None:
        """Write `text`, each line under `name`."""
        now = datetime.now().astimezone()
        with self._lock:
            for line in text.splitlines():
                plain = f"{now:%H:%M:%S} {name:<{WIDTH}}| {line}"
                head = f"{now:%H:%M:%S} \033[{COLOURS.get(name, 0)}m{name:<{WIDTH}}|\033[0m" if self._colour else ""
                self._file.emit(logging.makeLogRecord({"msg": f"{now:%Y-%m-%d} {plain}"}))
                with suppress(OSError):  # the terminal may be gone, the programs' output must still be taken
                    sys.stdout.write(f"{head} {line}\n" if head else f"{plain}\n")
                    sys.stdout.flush()

    def writer(self, name: str) -> int:
        """The file descriptor whose lines appear under `name`; the same one for every start of a program."""
        if name not in self._pipes:
            reading, self._pipes[name] = os.pipe()
            threading.Thread(target=self._copy, args=(reading, name), daemon=True).start()
        return self._pipes[name]

    def _copy(self, reading: int, name: str) -> None:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self.say(line.rstrip("\n") or " ", name)
