"""What the address of the list says. An address is no form: what it cannot mean is left out."""

from django.http import QueryDict

from staff import directory
from staff.directory import Wanted


def read(data: QueryDict) -> Wanted:
    """Return the part of the list that a query string asks for."""
    sort, size, page = data.get("sort", ""), data.get("size", ""), data.get("page", "")
    return Wanted(
        q=_text(data, "q"),
        state=_one_of(directory.STATES, data.get("state", "")),
        access=_one_of(directory.ACCESS, data.get("access", "")),
        department=_text(data, "department")[:60],
        sort=sort if sort.removeprefix("-") in directory.SORTS else "name",
        size=int(size) if size in map(str, directory.SIZES) else 50,
        page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) <= 6 and int(page) else 1,
    )


def _text(data: QueryDict, name: str) -> str:
    return " ".join(data.get(name, "").replace("\x00", "").split())[:100]


def _one_of(known: tuple[str, ...], text: str) -> str:
    return text if text in known else ""
