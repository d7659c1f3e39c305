"""What became of each number of a bulk run, as pages and files show it (rule G3)."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers import notation
from numbers.models import BulkItem, BulkRun
from numbers.outcomes import SENTENCES, Reason, Result

_READ = (
    "number__e164",
    "number__area__area_code",
    "number__base_number",
    "number__extension_digits",
    "number__label",
    "to__name",
)

RESULTS = {
    Result.DONE: gettext_lazy("done"),
    Result.UNCHANGED: gettext_lazy("unchanged"),
    Result.REFUSED: gettext_lazy("refused"),
}


def title(run: BulkRun) -> str:
    """Return what a run does, as a heading."""
    return {
        BulkRun.Verb.ACTIVATE: _("Activate phone numbers"),
        BulkRun.Verb.DEACTIVATE: _("Deactivate phone numbers"),
        BulkRun.Verb.WITHDRAW: _("Withdraw deactivations"),
        BulkRun.Verb.ASSIGN: _("Assign phone numbers"),
    }[BulkRun.Verb(run.verb)]


def items(run: BulkRun, *, only: str = "") -> Any:
    """Return the handled numbers of a run as values, those with one result if `only` names it."""
    found = (
        BulkItem.objects.filter(run=run, outcome=only) if only else BulkItem.objects.filter(run=run).exclude(outcome="")
    )
    return found.order_by("number_id").values("number_id", "outcome", "reason", *_READ)


def lines(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of `items` with the number, the result and the reason written for people."""
    return [
        {
            "pk": row["number_id"],
            "e164": row["number__e164"],
            "number": notation.national(
                row["number__e164"],
                row["number__area__area_code"],
                base_number=row["number__base_number"],
                extension=row["number__extension_digits"],
            ),
            "label": row["number__label"],
            "to": row["to__name"] or "",
            "outcome": row["outcome"],
            "result": str(RESULTS[Result(row["outcome"])]),
            "sentence": str(SENTENCES[Reason(row["reason"])]) if row["reason"] else "",
        }
        for row in rows
    ]


def tabs(counts: Mapping[Result, int], *, only: str, path: str) -> list[dict[str, Any]]:
    """Return the tabs over the results: all, and each result that occurred."""
    found = [("", _("All"), sum(counts.values()))]
    found += [(str(result), str(label), counts[result]) for result, label in RESULTS.items() if counts[result]]
    return [
        {
            "id": f"tab-{name or 'all'}",
            "url": f"{path}?result={name}" if name else path,
            "label": label[:1].upper() + label[1:],
            "count": count,
            "current": name == only,
        }
        for name, label, count in found
    ]
