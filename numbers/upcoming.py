"""What happens next: scheduled deactivations, grouped by their last active day."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Window
from django.db.models.expressions import F

from numbers import messages
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


def _day(last: date, total: int, at: datetime) -> Day:
    return Day(last, berlin.inactive_from(last).date(), (last - berlin.day(at)).days, total)
