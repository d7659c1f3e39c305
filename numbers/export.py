"""The inventory as CSV (rule N4): what the overview shows, as spreadsheets keep it and as our import takes it back."""

from collections.abc import Iterator
from datetime import datetime
from itertools import batched
from typing import Any

from django.utils.translation import gettext as _

from billing.models import PriceClass
from numbers import bulk_results, holders
from numbers.holders import NOBODY, Holding
from numbers.models import BulkRun, NumberState, Usage
from numbers.overview import Part, Wanted
from portal import berlin, cells
from portal.tenancy import tenant_transaction

CHUNK = 1_000
_READ = (
    *("pk", "e164", "area__area_code", "area__name", "state", "last_active_on", "active_since"),
    *("usage", "label", "note", "base_number", "extension_digits", "price_class"),
)


def csv(wanted: Wanted, *, tenant_id: int, user_id: int, at: datetime) -> Iterator[str]:
    """Yield the numbers that match as CSV lines, in the present language, reading while they are sent.

    A transaction of its own, for the answer outlives that of the request; memory stays flat however many there are.
    """
    yield cells.BOM + cells.table([_titles()])
    with tenant_transaction(tenant_id, user_id=user_id):
        found = Part(wanted, at=at).rows().values_list(*_READ).iterator(chunk_size=CHUNK)
        write = _Writer(at)
        for some in batched(found, CHUNK):
            held = holders.of_numbers([row[0] for row in some], at=at)
            yield cells.table(write(row, held.get(row[0], NOBODY)) for row in some)


def results_csv(run_id: int, *, tenant_id: int, user_id: int) -> Iterator[str]:
    """Yield what became of each number of a bulk run as CSV lines, in the present language."""
    with tenant_transaction(tenant_id, user_id=user_id):
        run = BulkRun.objects.get(pk=run_id)
        to = [_("Assigned to")] if run.verb == "assign" else []
        yield cells.BOM + cells.table([[_("Phone number"), _("Label"), *to, _("Result"), _("Reason")]])
        found = bulk_results.items(run).iterator(chunk_size=CHUNK)
        for some in batched(found, CHUNK):
            yield cells.table(
                [
                    cells.number(line["e164"]),
                    *map(cells.neutral, (line["label"], line["to"]) if to else (line["label"],)),
                    line["result"],
                    line["sentence"],
                ]
                for line in bulk_results.lines(some)
            )


def _titles() -> list[str]:
    return [
        *(_("Phone number"), _("Area code"), _("Local area"), _("State"), _("Active since"), _("Last active day")),
        *(_("Usage"), _("Label"), _("Note"), _("Base number"), _("Price class")),
        _("Assigned to"),
    ]


class _Writer:
    """Turns a row of values into cells; words are translated once."""

    def __init__(self, at: datetime) -> None:
        self.today = berlin.day(at)
        self.states = {str(state): str(state.label) for state in NumberState}
        self.usages = {str(usage): str(usage.label) for usage in Usage}
        self.price_classes = {str(price): str(price.label) for price in PriceClass}

    def __call__(self, row: tuple[Any, ...], holding: Holding) -> list[str | None]:
        _pk, e164, code, area, state, last_active_on, since, usage, label, note, base, extension, price_class = row
        if last_active_on and last_active_on < self.today:
            state, since, last_active_on = NumberState.INACTIVE, None, None
        return [
            cells.number(e164),
            f'="0{code}"',
            area,
            self.states[state],
            since and since.isoformat(),
            last_active_on and last_active_on.isoformat(),
            self.usages[usage],
            cells.neutral(label),
            cells.neutral(note),
            cells.number(base) if extension else "",
            self.price_classes[price_class],
            cells.neutral(", ".join(holder.name for holder in holding.present)),
        ]
