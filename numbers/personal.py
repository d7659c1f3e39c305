"""What is known about a person, kind by kind: for their export and for their erasure (rule T6).

Each floor registers its kinds in `AppConfig.ready()`; a test demands that every model with a foreign key to a staff
member belongs to one. Kinds are erased in the order of their registration, the person's own row last of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils.functional import Promise

from portal.models import User
from staff.models import LockedMember, StaffMember

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about data of one kind: whether it went, why (a code of `erasure.REASONS`), and how much."""

    is_erased: bool
    reason: str
    count: int


class Kind(Protocol):
    """One kind of what is known about a person; `columns` are the keys of its rows, in the order of a file."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> Promise: ...

    @property
    def models(self) -> tuple[str, ...]: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def rows(self, member: StaffMember, *, own: bool, at: datetime) -> list[Row] | None:
        """Return what is known at an instant, for the person (`own`) or for an administrator; None where that reader
        may not know."""
        ...

    def erase(self, member: LockedMember, *, notice: str, by: User, at: datetime) -> list[Decided]:
        """Erase what no law keeps; return what was decided. Empty where another kind decides on the same rows."""
        ...


_kinds: list[Kind] = []
_last: list[Kind] = []


def register(kind: Kind, *, last: bool = False) -> None:
    """Add a kind; called once for each when the apps are ready. `last` is for the one that takes the name away."""
    known = _last if last else _kinds
    if kind not in known:
        known.append(kind)


def kinds() -> Sequence[Kind]:
    """Return all kinds, in the order in which they are erased."""
    return (*_kinds, *_last)
