"""A line of the report, and how it is told from figures and a goal."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One line of the report."""

    what: str
    measured: str
    goal: str
    met: bool


def at_most(what: str, value: float, base: float, limit: float, unit: str = "ms") -> Result:
    ratio = value / base
    return Result(what, f"{value:.1f} / {base:.1f} {unit} = {ratio:.2f}", f"≤ {limit}", ratio <= limit)


def at_least(what: str, value: float, base: float, limit: float, unit: str) -> Result:
    ratio = value / base
    return Result(what, f"{value:.1f} / {base:.1f} {unit} = {ratio:.2f}", f"≥ {limit}", ratio >= limit)
