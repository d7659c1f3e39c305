"""What happens next: scheduled deactivations, grouped by their last active day, and dated hand-overs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Window
from django.db.models.expressions import F

from numbers import holders, messages
from numbers.models import PhoneNumber
from portal import berlin

SIZE = 50


@dataclass(slots=True)
class Day:
    """A last active day: its numbers on this page as (id, number, what it is), and how many there are in all."""

    last_active_on: date
    inactive_from: date
    days_left: int
    total: int
    numbers: list[tuple[int, str, str]] = field(default_factory=list)


def scheduled(at: datetime) -> Any:
    """Return the numbers that will become inactive, the next ones first."""
    of_day = Window(Count("pk"), partition_by=F("last_active_on"))
    found = PhoneNumber.objects.scheduled(at).select_related("area")
    return found.annotate(of_day=of_day).order_by("last_active_on", "e164")


def days(numbers: Iterable[Any], *, at: datetime) -> list[Day]:
    """Return these numbers (of `scheduled`) grouped by day."""
    found: dict[date, Day] = {}
    for number in numbers:
        last = number.last_active_on
        day = found.setdefault(last, _day(last, number.of_day, at))
        text = " · ".join(part for part in (number.area.name, number.label) if part)
        day.numbers.append((number.pk, messages.display(number), text))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Handover:
    """A number that somebody will have from a later day on; `text` says where and what it is."""

    number_id: int
    number: str
    text: str
    name: str
    begins_on: date


def handovers(at: datetime) -> tuple[list[Handover], int]:
    """Return the next hand-overs, the first SIZE of them, and how many there are in all (rule A9)."""
    found = holders.ahead(at).order_by("from_at", "number__e164", "staff_member__sort_key")
    rows = list(found.select_related("number__area", "staff_member").annotate(of_all=Window(Count("pk")))[:SIZE])
    shown = [_handover(row) for row in rows]
    return shown, rows[0].of_all if rows else 0


def _handover(row: Any) -> Handover:
    number = row.number
    text = " · ".join(part for part in (number.area.name, number.label) if part)
    return Handover(number.pk, messages.display(number), text, row.staff_member.name, berlin.day(row.from_at))


def _day(last: date, total: int, at: datetime) -> Day:
    return Day(last, berlin.inactive_from(last).date(), (last - berlin.day(at)).days, total)
