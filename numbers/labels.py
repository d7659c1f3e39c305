"""Label, note and usage of a number, and the text it is found by."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from numbers import assignment, attachments, outcomes
from numbers.attachments import Hanging, Snapshots
from numbers.models import LockedNumber, NumberSearch, PhoneNumber, Usage
from numbers.outcomes import Outcome, Reason
from portal import audit
from portal.models import User
from portal.sorting import fold


def change(number: LockedNumber, *, label: str, note: str, usage: Usage, by: User, at: datetime) -> Outcome:
    """Set label, note and usage of a number; unchanged if they are so already. Any state, if still in the inventory.

    Refused when several people have a shared fax that is to become somebody's own, or a hand-over is planned (A1).
    """
    if number.state in ("returned", "ported_out"):
        return outcomes.refused(number.pk, Reason.GONE)
    before = {"label": number.label, "note": number.note, "usage": number.usage}
    after = {"label": label, "note": note, "usage": usage}
    changed = [name for name in before if before[name] != after[name]]
    if not changed:
        return Outcome(number.pk, outcomes.Result.UNCHANGED)
    if "usage" in changed:
        if refusal := assignment.usage_refusal(number, usage, at=at):
            return refusal
        assignment.share(number, shared=usage == Usage.FAX_SHARED)
        attachments.end_rights([(number.pk, None)], by=by, at=at)
    number.label, number.note, number.usage = label, note, usage
    number.save(update_fields=["label", "note", "usage"])
    if "label" in changed:
        index([number])
    entry = audit.Entry(
        "number", number.pk, number.e164, {n: before[n] for n in changed}, {n: after[n] for n in changed}
    )
    audit.record("number.changed", [entry], by=by, at=at, tenant_id=number.tenant_id)
    return outcomes.done(number.pk)


def index(numbers: Iterable[PhoneNumber]) -> None:
    """Write the text by which these numbers are found (their `area` must be loaded)."""
    NumberSearch.objects.bulk_create(
        [NumberSearch(tenant_id=n.tenant_id, number_id=n.pk, text=_text(n)) for n in numbers],
        update_conflicts=True,
        unique_fields=["number"],
        update_fields=["text"],
    )


def _text(number: PhoneNumber) -> str:
    return f"{number.e164[1:]} 0{number.e164[3:]} {fold(number.area.name)} {fold(number.label)}"


class _Labels:
    name = "label"
    models: tuple[str, ...] = ("numbers.PhoneNumber", "numbers.NumberSearch")
    ends_with_deactivation = False

    def describe(self, numbers: Sequence[PhoneNumber], *, at: datetime) -> list[Hanging]:
        return [Hanging(n.pk, self._sentence(n), self._snapshot(n)) for n in numbers if self._set(n)]

    def detach(self, numbers: Sequence[PhoneNumber], *, by: User | str, at: datetime) -> Snapshots:
        ended = {n.pk: [self._snapshot(n)] for n in numbers if self._set(n)}
        PhoneNumber.objects.filter(pk__in=[n.pk for n in numbers]).update(label="", note="", usage=Usage.VOICE)
        for number in numbers:
            number.label, number.note, number.usage = "", "", Usage.VOICE
        index(numbers)
        return ended

    def _set(self, number: PhoneNumber) -> bool:
        return bool(number.label or number.note or number.usage != Usage.VOICE)

    def _snapshot(self, number: PhoneNumber) -> dict[str, str]:
        return {"label": number.label, "note": number.note, "usage": number.usage}

    def _sentence(self, number: PhoneNumber) -> str:
        parts = []
        if number.label:
            parts.append(_("label “%(label)s”") % {"label": number.label})
        if number.note:
            parts.append(_("note"))
        if number.usage != Usage.VOICE:
            parts.append(_("usage %(usage)s") % {"usage": Usage(number.usage).label})
        return ", ".join(parts)


ATTACHMENT = _Labels()
