"""What stands around the rows of the overview: drawn once for each view of the inventory and language."""

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from numbers import overview, rows
from numbers.models import Usage
from numbers.overview import Wanted
from portal import pieces
from portal.columns import choices, heads


def address(query: str) -> str:
    """Return the address of the overview with this query."""
    return f"{reverse('numbers:overview')}?{query}" if query else reverse("numbers:overview")


def toolbar(wanted: Wanted, areas: tuple[tuple[str, str], ...], person: str) -> SafeString:
    """Draw search and filters; `person` is the name of the staff member whose numbers are wanted, if any. What somebody
    searches for is their own: neither words nor names are kept."""
    return _toolbar(wanted, areas, person) if wanted.q or person else _usual_toolbar(wanted, areas)


@pieces.kept
def _usual_toolbar(wanted: Wanted, areas: tuple[tuple[str, str], ...]) -> SafeString:
    return _toolbar(wanted, areas, "")


def _toolbar(wanted: Wanted, areas: tuple[tuple[str, str], ...], person: str) -> SafeString:
    query = wanted.query()
    offered = [("no", _("Not assigned")), ("yes", _("Assigned"))]
    return pieces.drawn(
        "numbers/overview/toolbar.html",
        wanted=wanted,
        address=address(""),
        cleared=address(wanted.query(q="", area="", usage="", assigned="")),
        export=f"{reverse('numbers:export')}?{query}" if query else reverse("numbers:export"),
        areas=areas,
        usages=Usage.choices,
        assigned=[*offered, (wanted.assigned, person)] if person else offered,
        sorts=_sorts(wanted),
    )


@pieces.kept
def head(wanted: Wanted, columns: tuple[str, ...]) -> SafeString:
    """Draw the head of the table."""
    labels = {"number": _("Phone number"), "area": rows.COLUMNS["area"], "state": _("State"), **rows.COLUMNS}
    shown = {name: label for name, label in labels.items() if name in ("number", "state", *columns)}
    found = heads(shown, sort=wanted.sort, sorts=overview.SORTS)
    linked = [one | {"url": address(wanted.query(sort=one["to"])) if "to" in one else ""} for one in found]
    return pieces.drawn("numbers/overview/head.html", heads=linked)


@pieces.kept
def bulk_bar(query: str, count: str) -> SafeString:
    """Draw the bar for selected rows, which offers all that match too if `count` says how many that are."""
    everything = _("all %(count)s that match") % {"count": count} if count else ""
    return pieces.drawn("numbers/overview/bulk_bar.html", part=query, everything=everything)


@pieces.kept
def column_choice(chosen: tuple[str, ...]) -> SafeString:
    """Draw the boxes to tick the columns with."""
    return pieces.drawn("numbers/overview/column_choice.html", columns=rows.COLUMNS.items(), chosen=chosen)


def _sorts(wanted: Wanted) -> list[tuple[str, str]]:
    labels = {
        "number": _("Sort: number"),
        "area": _("Sort: local area"),
        "state": _("Sort: state"),
        "label": _("Sort: label"),
        "last_active": _("Sort: last active day"),
    }
    return choices(labels, sort=wanted.sort)
