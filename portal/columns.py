"""How the columns of a list sort it: by their heads, or by a select where there are none (rule G4)."""

from collections.abc import Container, Mapping
from typing import Any

_ICONS = {"ascending": "arrow-up", "descending": "arrow-down", "none": "chevrons-up-down"}


def heads(labels: Mapping[str, Any], *, sort: str, sorts: Container[str]) -> list[dict[str, Any]]:
    """Return the heads for `ui/column_head.html`: a click sorts by one (`to`), a second one the other way round.

    `sort` is what the list is sorted by now, with a minus for descending; only columns in `sorts` can be sorted by.
    """
    return [
        _head(name, label, sort) if name in sorts else {"name": name, "label": label} for name, label in labels.items()
    ]


def choices(labels: Mapping[str, str], *, sort: str) -> list[tuple[str, str]]:
    """Return the orders that a select offers; the present one keeps its direction."""
    return [(sort if name == sort.removeprefix("-") else name, label) for name, label in labels.items()]


def _head(name: str, label: Any, sort: str) -> dict[str, Any]:
    direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "none")
    to = f"-{name}" if direction == "ascending" else name
    return {"name": name, "label": label, "sorted": direction, "icon": _ICONS[direction], "to": to}
