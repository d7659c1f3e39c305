"""What was printed becomes the pages of a fax, in a process of its own with limits on memory and time (`render`)."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fax.models import FaxReason

PROGRAM = Path(__file__).with_name("render.py")  # never imported: its libraries stay out of this process
SECONDS = 120.0  # by the clock; its own limit is the processor's time
_TOO_LONG = (signal.SIGXCPU, signal.SIGKILL)
_NO_MEMORY = (signal.SIGABRT, signal.SIGTRAP, signal.SIGILL)  # how its libraries end when there is none


class NotRendered(Exception):
    """It becomes no fax; `reason` says why."""

    def __init__(self, reason: FaxReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Pages:
    """A fax as TIFF, the picture of its first page as PNG, and how many pages it has."""

    fax: Path
    preview: Path
    count: int


@contextmanager
def rendered(document: Path, kind: str) -> Iterator[Pages]:
    """Make the pages of a document (`pdf` or `jpg`); they are there within the block. Raises NotRendered."""
    with tempfile.TemporaryDirectory(prefix="fax-") as folder:
        program = [sys.executable, "-I", str(PROGRAM), str(document), kind, folder]
        try:
            ended = subprocess.run(  # noqa: S603 -- our own program; the document's name is random
                program,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"MALLOC_ARENA_MAX": "1"},
                cwd=folder,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotRendered(FaxReason.TOO_SLOW) from error
        if ended.returncode:
            raise NotRendered(_why(-ended.returncode))
        said = json.loads(ended.stdout)
        if "reason" in said:
            raise NotRendered(FaxReason(said["reason"]))
        yield Pages(Path(folder, "fax.tif"), Path(folder, "page1.png"), said["pages"])


def _why(ended_by: int) -> FaxReason:
    if ended_by in _TOO_LONG:
        return FaxReason.TOO_SLOW
    return FaxReason.TOO_LARGE if ended_by in _NO_MEMORY else FaxReason.BROKEN
