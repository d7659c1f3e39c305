"""A HylaFAX server as sending machine. Its client's protocol is that of FTP with verbs for jobs, on port 4559."""

import ftplib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fax.machine import Fate, GatewayError, Letter, Report
from fax.models import FaxReason

SECONDS = 20.0
DIALS, TRIES = 6, 3  # calls altogether, and connections that broke off, before the server gives up
LASTS = "000300"  # three hours, as days, hours and minutes
# What the server writes about a job that failed (pattern, reason), the first that fits.
_WORDS = (
    (re.compile("busy", re.IGNORECASE), FaxReason.BUSY),
    (re.compile("no answer|ring detected without", re.IGNORECASE), FaxReason.NO_ANSWER),
    (re.compile("no carrier|no response|not.*fax|data modem", re.IGNORECASE), FaxReason.NO_FAX),
    (re.compile("no local dialtone|blacklist|invalid dial|refused|rejected", re.IGNORECASE), FaxReason.REJECTED),
)


@dataclass(frozen=True, slots=True)
class HylaFax:
    """The server at a host; it tries again by itself for three hours."""

    host: str
    port: int
    user: str
    password: str = ""
    seconds: float = SECONDS

    def submit(self, letter: Letter) -> str:
        with self._line() as line:
            kept = self._store(line, letter)
            job = re.search(r"jobid: (\d+)", line.sendcmd("JNEW"))
            if job is None:
                raise GatewayError("the server opened no job")
            said = {
                "FROMUSER": letter.sender,
                "DIALSTRING": letter.destination,
                "EXTERNAL": letter.destination,
                "TSI": letter.sender,
                "JOBINFO": letter.key,
                "NOTIFY": "none",
            }
            for name, value in said.items():
                line.sendcmd(f'JPARM {name} "{value}"')
            for name, number in {"LASTTIME": LASTS, "MAXDIALS": DIALS, "MAXTRIES": TRIES, "VRES": 196}.items():
                line.sendcmd(f"JPARM {name} {number}")
            line.sendcmd(f"JPARM DOCUMENT {kept}")
            line.sendcmd("JSUBM")
            return job[1]

    def find(self, key: str) -> str:
        return next((number for number, tag, _state, _status in self._jobs() if tag == key), "")

    def poll(self, reference: str) -> Report:
        for number, _tag, state, status in self._jobs():
            if number == reference:
                return _report(state, status)
        raise GatewayError("the server knows no such job")

    def forget(self, reference: str) -> None:
        """Leave it to the server, which clears away what is done by itself."""

    def withdraw(self, key: str) -> None:
        if reference := self.find(key):
            with self._line() as line:
                line.sendcmd(f"JKILL {reference}")

    def _store(self, line: ftplib.FTP, letter: Letter) -> str:
        """Store the pages on the server until the job has them; return what it calls them."""
        answers: list[str] = []
        line.voidcmd("TYPE I")
        line.voidcmd("FORM TIFF")
        with letter.pages.open("rb") as pages, line.transfercmd("STOT") as data:
            while block := pages.read(65_536):
                data.sendall(block)
        answers.append(line.voidresp())
        named = re.search(r"FILE: (/?\S+?)\)", "\n".join((line.lastresp, *answers)))
        if named is None:
            raise GatewayError("the server kept no document")
        return named[1]

    def _jobs(self) -> list[list[str]]:
        """Return number, key, state and status of every job, the finished ones too."""
        found: list[str] = []
        with self._line() as line:
            line.sendcmd('JOBFMT "%j|%J|%a|%s"')
            for queue in ("sendq", "doneq"):
                line.retrlines(f"LIST {queue}", found.append)
        return [[part.strip() for part in row.split("|", 3)] for row in found if row.count("|") >= 3]

    @contextmanager
    def _line(self) -> Iterator[ftplib.FTP]:
        line = ftplib.FTP(timeout=self.seconds, encoding="latin-1")  # noqa: S321 -- the protocol is its own; the server is the operator's
        try:
            line.connect(self.host, self.port)
            line.login(self.user, self.password)
            yield line
            line.quit()
        except (OSError, EOFError, ftplib.Error) as error:
            raise GatewayError(f"{type(error).__name__}: {error}") from error
        finally:
            line.close()


def _report(state: str, status: str) -> Report:
    """Read the letter for a job's state: done, failed, or anything that still goes on."""
    if state == "D":
        return Report(Fate.SENT, detail=status)
    if state != "F":
        return Report(Fate.SENDING, detail=status)
    reason = next((reason for word, reason in _WORDS if word.search(status)), FaxReason.INTERRUPTED)
    return Report(Fate.FAILED, reason, status)
