"""What is said to a sending machine and what it says."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fax.models import FaxReason


class Fate(StrEnum):
    """What a machine says of a fax."""

    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class GatewayError(Exception):
    """The machine did not do it, or nobody knows whether it did: look the fax up before it is given to it again."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A fax to be sent: its key, its TIFF, how many pages that has, and both numbers (E.164)."""

    key: str
    pages: Path
    count: int
    sender: str
    destination: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a fax stands; with a reason if it failed, and what the machine says in its own words."""

    fate: Fate
    reason: FaxReason | None = None
    detail: str = ""
