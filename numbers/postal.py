"""Postal services behind `submit`, `find`, `status` and `cancel` (rule V5): bytes and time-outs, no database.

A service prints and posts what it accepted. Each letter goes with a key of ours, by which it is found again when the
answer to `submit` was lost. The one service there is speaks the third version of LetterXpress' interface: JSON with the
credentials in the body of every request, whatever its method; the key travels as the file's name.
"""

import base64
import hashlib
import http.client
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

SECONDS = 30.0  # what a service has for one answer
MOST_BYTES = 4 * 1024 * 1024  # of an answer


class Fate(StrEnum):
    """What a service says of a letter."""

    WAITING = "waiting"
    POSTED = "posted"
    RETURNED = "returned"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """A letter that a service accepted, under its own reference."""

    reference: str
    fate: Fate


class PostalError(Exception):
    """The service did not do it, or nobody knows whether it did: look the letter up before it is sent again."""


class PostalService(Protocol):
    """What a postal service has to offer."""

    def submit(self, pdf: bytes, *, key: UUID) -> Job:
        """Give a letter to the service. Raises PostalError, also when the letter was accepted and the answer lost."""

    def find(self, key: UUID) -> list[Job]:
        """Return what the service has under this key; more than one is one too many. Raises PostalError."""

    def status(self, reference: str) -> Job:
        """Return how a letter stands. Raises PostalError."""

    def cancel(self, reference: str) -> bool:
        """Call a letter off; return False when it is too late. Raises PostalError."""


FATES = {"queue": Fate.WAITING, "hold": Fate.WAITING, "draft": Fate.WAITING, "canceled": Fate.CANCELLED}
FATES |= {"done": Fate.POSTED, "success": Fate.POSTED, "sent": Fate.POSTED, "returned": Fate.RETURNED}
_LISTS = ("queue", "hold", "done", "draft")


@dataclass(frozen=True, slots=True)
class LetterXpress:
    """The service of this name, or one that speaks like it. In `test` mode it prints nothing."""

    url: str
    user: str
    key: str
    mode: str = "test"
    seconds: float = SECONDS

    def submit(self, pdf: bytes, *, key: UUID) -> Job:
        text = base64.b64encode(pdf).decode()
        letter = {
            "base64_file": text,
            "base64_file_checksum": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
            "filename_original": f"{key}.pdf",
            "specification": {"color": "1", "mode": "simplex", "shipping": "national"},
        }
        return self._job(self._ask("POST", "printjobs", letter=letter))

    def find(self, key: UUID) -> list[Job]:
        found: list[Job] = []
        for name in _LISTS:
            listed = self._ask("GET", f"printjobs?filter={name}")
            rows = listed.get("printjobs", []) if isinstance(listed, dict) else listed
            found += [self._job(row) for row in rows if row.get("filename_original") == f"{key}.pdf"]
        return list({job.reference: job for job in found}.values())  # it may have moved from list to list meanwhile

    def status(self, reference: str) -> Job:
        return self._job(self._ask("GET", f"printjobs/{int(reference)}"))

    def cancel(self, reference: str) -> bool:
        try:
            self._ask("DELETE", f"printjobs/{int(reference)}")
        except _Refused:
            return False
        return True

    def _ask(self, method: str, path: str, **said: Any) -> Any:
        """Return the `data` of an answer."""
        body = json.dumps({"auth": {"username": self.user, "apikey": self.key, "mode": self.mode}} | said)
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        line = kind(parts.hostname or "", parts.port, timeout=self.seconds)
        try:
            line.request(method, f"{parts.path}/{path}", body, {"Content-Type": "application/json"})
            answer = line.getresponse()
            content = answer.read(MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise PostalError(f"{type(error).__name__}: {error}") from error
        finally:
            line.close()
        if answer.status in (404, 409):
            raise _Refused(f"{method} {parts.path}/{path}: {answer.status}")
        if answer.status != http.client.OK:
            raise PostalError(f"{method} {parts.path}/{path}: {answer.status}")
        try:
            return json.loads(content)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise PostalError(f"{method} {parts.path}/{path}: an answer that cannot be read") from error

    def _job(self, row: Any) -> Job:
        try:
            return Job(str(int(row["id"])), FATES[row["status"]])
        except (KeyError, TypeError, ValueError) as error:
            raise PostalError("an answer that cannot be read") from error


class _Refused(PostalError):
    """The service knows the request and will not do it."""


def switched_on() -> PostalService | None:
    """Return the postal service that is switched on, or None: then letters wait in the print queue."""
    if settings.POSTAL_SERVICE != "letterxpress":
        return None
    return LetterXpress(settings.POSTAL_URL, settings.POSTAL_USER, settings.POSTAL_KEY, settings.POSTAL_MODE)
