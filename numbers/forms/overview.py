"""What the overview's address and column chooser say. An address is no form: what it cannot mean is left out."""

from django import forms
from django.http import QueryDict

from numbers import overview, rows
from numbers.models import Usage
from numbers.overview import Wanted
from portal import columns


def read(data: QueryDict) -> Wanted:
    """Return the part of the inventory that a query string asks for."""
    sort, size, page = data.get("sort", ""), data.get("size", ""), data.get("page", "")
    return Wanted(
        q=columns.term(data),
        state=_one_of(overview.STATES, data.get("state", "")),
        area=_digits(data.get("area", "")),
        usage=_one_of(Usage.values, data.get("usage", "")),
        assigned=_assigned(data.get("assigned", "")),
        sort=sort if sort.removeprefix("-") in overview.SORTS else "number",
        size=int(size) if size in map(str, overview.SIZES) else 50,
        page=max(1, int(_digits(page) or 1)),
    )


def _one_of(known: object, text: str) -> str:
    return text if text in known else ""  # type: ignore[operator]  # any container will do


def _assigned(text: str) -> str:
    if text in ("no", "yes"):
        return text
    return text if text.isascii() and text.isdecimal() and len(text) < 19 else ""


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdecimal() and len(text) <= 6 else ""


class ColumnsForm(forms.Form):
    """Which columns somebody wants to see, and the view to come back to."""

    columns = forms.MultipleChoiceField(choices=[(name, name) for name in rows.COLUMNS], required=False)
    query = forms.CharField(required=False)

    def clean_query(self) -> str:
        return read(QueryDict(self.cleaned_data["query"])).query()
