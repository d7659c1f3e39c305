"""Who dials: sending machines behind `FaxGateway`; bytes and time-outs, no database.

Every fax goes with a key of ours, by which it is found again when the answer to `submit` was lost.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog
from django.conf import settings

from fax.hylafax import HylaFax
from fax.machine import Fate, GatewayError, Letter, Report
from fax.models import FaxReason

log = structlog.get_logger(__name__)


class FaxGateway(Protocol):
    """What a sending machine has to offer."""

    def submit(self, letter: Letter) -> str:
        """Give a fax to the machine; return what the machine calls it. Raises GatewayError, also when it was taken."""

    def find(self, key: str) -> str:
        """Return what the machine calls the fax with this key, empty if it has none. Raises GatewayError."""

    def poll(self, reference: str) -> Report:
        """Return how a fax stands; changes nothing. Raises GatewayError."""

    def forget(self, reference: str) -> None:
        """Clear away a fax whose end is noted. Raises GatewayError."""

    def withdraw(self, key: str) -> None:
        """Take the fax with this key back, if the machine has it and it can be done. Raises GatewayError."""


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder: `KEY.tif` with the pages and `KEY.json` with the numbers, complete once the latter is there.

    Whoever dials writes `KEY.result.json`: `{"state": "sent"}`, or `{"state": "failed", "reason": "busy"}` with a word
    of `FaxReason`, and perhaps a `detail`. All three are cleared away once that is noted.
    """

    folder: Path

    def submit(self, letter: Letter) -> str:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(letter.pages, self.folder / f"{letter.key}.tif")
            said = {"key": letter.key, "from": letter.sender, "to": letter.destination, "pages": letter.count}
            partly = self.folder / f"{letter.key}.partly"
            partly.write_text(json.dumps(said))
            partly.replace(self.folder / f"{letter.key}.json")
        except OSError as error:
            raise GatewayError(f"{type(error).__name__}: {error}") from error
        return letter.key

    def find(self, key: str) -> str:
        return key if (self.folder / f"{key}.json").exists() else ""

    def poll(self, reference: str) -> Report:
        try:
            said = json.loads((self.folder / f"{reference}.result.json").read_text())
        except FileNotFoundError:
            return Report(Fate.SENDING)
        except (OSError, ValueError) as error:
            raise GatewayError(f"an answer that cannot be read: {error}") from error
        return _said(said)

    def forget(self, reference: str) -> None:
        try:
            for suffix in (".json", ".tif", ".result.json"):  # without the first it is no fax
                (self.folder / f"{reference}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            raise GatewayError(f"{type(error).__name__}: {error}") from error

    withdraw = forget  # its key is what it is called here


def _said(said: object) -> Report:
    if not isinstance(said, dict) or said.get("state") not in ("sent", "failed"):
        raise GatewayError("an answer that says neither sent nor failed")
    detail = str(said.get("detail", ""))
    if said["state"] == "sent":
        return Report(Fate.SENT, detail=detail)
    reason = said.get("reason")
    return Report(Fate.FAILED, FaxReason(reason) if reason in FaxReason.values else FaxReason.INTERRUPTED, detail)


def withdraw(key: str) -> None:
    """Take a fax back from the machine that is switched on, as far as it can be done."""
    try:
        switched_on().withdraw(key)
    except GatewayError as error:
        log.warning("fax not taken back", key=key, reason=str(error))


def switched_on() -> FaxGateway:
    """Return the sending machine that is switched on."""
    if settings.FAX_GATEWAY == "hylafax":
        host, _colon, port = settings.FAX_SERVER.partition(":")
        return HylaFax(host, int(port or 4559), settings.FAX_USER, settings.FAX_PASSWORD)
    return Spool(Path(os.fspath(settings.FAX_SPOOL_DIR)))
