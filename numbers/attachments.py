"""Settings that hang on a number, known here only by what they can do.

What will stop (L6), what a swap erases (S3) and what a deactivation ends (L5) all walk this one list. Every floor
registers its own in `AppConfig.ready()`; a test demands that every model with a foreign key to a number is attached or
exempt with a reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from numbers.models import PhoneNumber
from portal import berlin


@dataclass(frozen=True, slots=True)
class Hanging:
    """One setting of a number: a sentence for people, and a snapshot for the trace."""

    number_id: int
    sentence: str
    snapshot: dict[str, Any]


type Snapshots = dict[int, list[dict[str, Any]]]


class Attachment(Protocol):
    """A kind of setting that hangs on numbers.

    `models` are the model labels it keeps. `ends_with_deactivation` is False for what only a swap erases (the label).
    """

    name: str
    models: tuple[str, ...]
    ends_with_deactivation: bool

    def describe(self, numbers: Sequence[PhoneNumber], *, at: datetime) -> list[Hanging]:
        """Return what hangs on these numbers at an instant; as few queries for many of them as for one."""
        ...

    def detach(self, numbers: Sequence[PhoneNumber], *, by: Any, at: datetime) -> Snapshots:
        """End what hangs on these (locked) numbers, set-based; return the snapshots of what was ended, by number id."""
        ...


class Right(Protocol):
    """What single people may do by means of numbers; it ends once they no longer have one, or its usage changes."""

    def describe(self, numbers: Sequence[PhoneNumber], *, at: datetime) -> list[Hanging]:
        """Return who may do what with these numbers, in one query."""
        ...

    def end(self, held: Iterable[tuple[int, int | None]], *, by: Any, at: datetime) -> None:
        """End it for each (number, staff member) by their ids, or (None) for everybody, and leave the events."""
        ...


_attached: list[Attachment] = []
_rights: list[Right] = []


def register(attachment: Attachment) -> None:
    """Add a kind of setting to the list (once)."""
    if attachment.name not in {known.name for known in _attached}:
        _attached.append(attachment)


def register_right(right: Right) -> None:
    """Add a kind of right to the list (once)."""
    if right not in _rights:
        _rights.append(right)


def rights(numbers: Sequence[PhoneNumber], *, at: datetime) -> list[Hanging]:
    """Return what ends when these numbers change hands or usage, beside their own forwardings."""
    return [hanging for right in _rights for hanging in right.describe(_working(numbers, at), at=at)]


def end_rights(held: Iterable[tuple[int, int | None]], *, by: Any, at: datetime) -> None:
    """End what these staff members (None: everybody) may do by means of these numbers, given as pairs of ids."""
    pairs = list(held)
    for right in _rights if pairs else []:
        right.end(pairs, by=by, at=at)


def registered() -> Sequence[Attachment]:
    return tuple(_attached)


def describe(numbers: Sequence[PhoneNumber], *, by_swap: bool, at: datetime) -> list[Hanging]:
    """Return everything that a swap would erase, or (not by_swap) that a deactivation would end.

    On a number past its last active day nothing hangs any more that ends with it, job or no job (rule C3).
    """
    found, working = [], _working(numbers, at)
    for attachment in _attached:
        if attachment.ends_with_deactivation:
            found += attachment.describe(working, at=at)
        elif by_swap:
            found += attachment.describe(numbers, at=at)
    return found


def ends_at(last_active_on: date | None, *, at: datetime) -> datetime:
    """Return when what hangs on a number ends: as planned if its last active day has passed, else now (rule C3)."""
    return min(berlin.inactive_from(last_active_on), at) if last_active_on else at


def _working(numbers: Sequence[PhoneNumber], at: datetime) -> list[PhoneNumber]:
    return [number for number in numbers if not number.is_due(at)]


def detach(numbers: Sequence[PhoneNumber], *, by_swap: bool, by: Any, at: datetime) -> dict[int, dict[str, Any]]:
    """End it, and return the snapshot of each number that had something, for its event in the trace."""
    snapshots: dict[int, dict[str, Any]] = {}
    for attachment in _attached:
        if by_swap or attachment.ends_with_deactivation:
            for number_id, ended in attachment.detach(numbers, by=by, at=at).items():
                snapshots.setdefault(number_id, {})[attachment.name] = ended
    return snapshots
