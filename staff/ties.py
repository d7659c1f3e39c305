"""What a person holds, known here only as a count: the floors above register theirs in `AppConfig.ready()` (rule A4).

Nobody is locked or leaves while something is still theirs: whoever acts decides first what becomes of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from portal.models import User


class Tie(Protocol):
    """Something that people hold."""

    def held(self, member_ids: Sequence[int], *, at: datetime) -> dict[int, int]:
        """Return how many things each of these staff members holds, now or from a date ahead; none may be left out."""


class Access(Protocol):
    """What people may do without holding it; it ends by itself when they are locked or leave."""

    def sentences(self, member_id: int, *, at: datetime) -> list[str]:
        """Return what this person may do at an instant, for the dialog that ends it."""
        ...

    def end(self, member_id: int, *, by: User | str, at: datetime) -> None:
        """End it and leave the events."""
        ...


_ties: list[Tie] = []
_accesses: list[Access] = []


def register(tie: Tie) -> None:
    """Add a tie; called once for each when the apps are ready."""
    if tie not in _ties:
        _ties.append(tie)


def register_access(access: Access) -> None:
    """Add what ends by itself; called once for each when the apps are ready."""
    if access not in _accesses:
        _accesses.append(access)


def accesses(member_id: int, *, at: datetime) -> list[str]:
    """Return sentences on what ends when this person is locked or leaves."""
    return [sentence for access in _accesses for sentence in access.sentences(member_id, at=at)]


def end_accesses(member_id: int, *, by: User | str, at: datetime) -> None:
    """End what this person may do without holding it."""
    for access in _accesses:
        access.end(member_id, by=by, at=at)


def held(member_ids: Sequence[int], *, at: datetime) -> dict[int, int]:
    """Return how many things each of these staff members holds; 0 for who holds none."""
    counts = dict.fromkeys(member_ids, 0)
    for tie in _ties:
        for member_id, count in tie.held(member_ids, at=at).items():
            counts[member_id] += count
    return counts
