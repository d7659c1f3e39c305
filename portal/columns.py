"""Heads of the columns of a list that sort it (rule G4)."""

from collections.abc import Container
from typing import Any

_ICONS = {"ascending": "arrow-up", "descending": "arrow-down", "none": "chevrons-up-down"}


def head(name: str, label: Any, *, sort: str, sorts: Container[str]) -> dict[str, Any]:
    """Return a column's head for `ui/list_head.html`: a click sorts by it (`to`), a second one the other way round.

    `sort` is what the list is sorted by now, with a minus for descending; only columns in `sorts` can be sorted by.
    """
    if name not in sorts:
        return {"name": name, "label": label}
    direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "none")
    to = f"-{name}" if direction == "ascending" else name
    return {"name": name, "label": label, "sorted": direction, "icon": _ICONS[direction], "to": to}
