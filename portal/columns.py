"""How the columns of a list sort it: by their heads, or by a select where there are none (rule G4)."""

from collections.abc import Container, Mapping
from typing import Any

_ICONS = {"ascending": "arrow-up", "descending": "arrow-down", "none": "chevrons-up-down"}


def heads(
    labels: Mapping[str, Any], *, sort: str, sorts: Container[str], amounts: Container[str] = ()
) -> list[dict[str, Any]]:
    """Return the heads for `ui/column_head.html`: a click sorts by one (`to`), a second one the other way round.

    `sort` is what the list is sorted by now, with a minus for descending; only columns in `sorts` can be sorted by.
    Those in `amounts` stand at the end of their column.
    """
    return [
        {"name": name, "label": label, "end": name in amounts} | (_sorting(name, sort) if name in sorts else {})
        for name, label in labels.items()
    ]


def term(data: Mapping[str, str]) -> str:
    """Return what a query string searches for (`q`), on one line and no longer than anybody means."""
    return " ".join(data.get("q", "").replace("\x00", "").split())[:100]


def choices(labels: Mapping[str, str], *, sort: str) -> list[tuple[str, str]]:
    """Return the orders that a select offers; the present one keeps its direction."""
    return [(sort if name == sort.removeprefix("-") else name, label) for name, label in labels.items()]


def _sorting(name: str, sort: str) -> dict[str, Any]:
    direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "none")
    to = f"-{name}" if direction == "ascending" else name
    return {"sorted": direction, "icon": _ICONS[direction], "to": to}
