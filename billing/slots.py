"""Slots: opened by an activation, moved by a swap, ended by a deactivation (rule B1). Days are Berlin days.

| move    | slot                                             |
|---------|--------------------------------------------------|
| open    | from that day on, still                          |
| end     | the last paid day is fixed; it may lie ahead     |
| reopen  | the end is taken back                            |
| cut     | ends earlier than was fixed, or at all           |
| move    | goes on under another label: cost-neutral        |
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.db import connection

from billing.models import Slot, SlotMove
from portal import submissions, tenancy


class SlotMissing(LookupError):
    """A label that should have an open slot has none: number and slot disagree."""


def open_slots(places: Iterable[tuple[str, str]], *, tenant_id: int, on: date) -> None:
    """Open one slot per (label, price class) from this day on. A label with an open slot is an IntegrityError."""
    Slot.objects.bulk_create(
        Slot(tenant_id=tenant_id, label=label, price_class=price_class, from_on=on) for label, price_class in places
    )


def end(labels: Sequence[str], *, last_on: date) -> None:
    """Let the open slots of these labels end after their last paid day; raise SlotMissing if one has none."""
    _set_end(labels, was=None, to=last_on + timedelta(days=1))


def reopen(labels: Sequence[str], *, last_on: date) -> None:
    """Take back an end that was fixed for this last paid day; raise SlotMissing if a label has no such slot."""
    _set_end(labels, was=last_on + timedelta(days=1), to=None)


def cut(labels: Sequence[str], *, last_on: date) -> None:
    """Let the slots of these labels end after this last paid day, though a later end may be fixed; a slot that began
    after it is never paid. Raise SlotMissing if a label has none that goes on then."""
    until = last_on + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_slot SET until_on = greatest(from_on, %s)"
            " WHERE tenant_id = %s AND label = ANY(%s) AND (until_on IS NULL OR until_on > %s)",
            [until, tenancy.current(), list(labels), until],
        )
        if cursor.rowcount != len(labels):
            raise SlotMissing(f"{len(labels)} slots expected, {cursor.rowcount} found")


def move(label: str, *, to: str, on: date) -> None:
    """Let the open slot of `label` go on under the label `to` (rule S1); raise SlotMissing if there is none."""
    slot = Slot.objects.filter(label=label, until_on=None).first()
    if slot is None:
        raise SlotMissing(label)
    slot.label = to
    slot.save(update_fields=["label"])
    SlotMove.objects.create(tenant_id=slot.tenant_id, slot=slot, on=on, from_label=label, to_label=to)


# By hand: a click waits for it, and the ORM takes longer to say it than PostgreSQL to do it.
_SET_END = """
UPDATE billing_slot SET until_on = %(to)s
WHERE tenant_id = %(tenant)s AND label = ANY(%(labels)s) AND until_on IS NOT DISTINCT FROM %(was)s
"""


def _set_end(labels: Sequence[str], *, was: date | None, to: date | None) -> None:
    given = {"to": to, "tenant": tenancy.current(), "labels": list(labels), "was": was}
    ended = submissions.Along(
        _SET_END,
        given,
        count=len(labels),
        otherwise=lambda found: SlotMissing(f"{len(labels)} slots expected, {found} found"),
    )
    submissions.at_last(ended)
