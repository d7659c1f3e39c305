"""What a person holds, known here only as a count: the floors above register theirs in `AppConfig.ready()` (rule A4).

Nobody is locked or leaves while something is still theirs: whoever acts decides first what becomes of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Tie(Protocol):
    """Something that people hold."""

    def held(self, member_ids: Sequence[int], *, at: datetime) -> dict[int, int]:
        """Return how many things each of these staff members holds, now or from a date ahead; none may be left out."""


_ties: list[Tie] = []


def register(tie: Tie) -> None:
    """Add a tie; called once for each when the apps are ready."""
    if tie not in _ties:
        _ties.append(tie)


def held(member_ids: Sequence[int], *, at: datetime) -> dict[int, int]:
    """Return how many things each of these staff members holds; 0 for who holds none."""
    counts = dict.fromkeys(member_ids, 0)
    for tie in _ties:
        for member_id, count in tie.held(member_ids, at=at).items():
            counts[member_id] += count
    return counts
