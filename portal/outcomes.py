"""What became of one thing in an operation; each floor adds its own reasons and their sentences (rule G3)."""

from enum import StrEnum


class Result(StrEnum):
    """Done, nothing to do, or refused for a reason that has a name."""

    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
