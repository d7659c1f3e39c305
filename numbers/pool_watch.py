"""How far the operator's pool is used in each area, and the warning before it runs out (once per crossing)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q

from numbers.models import PoolArea, PoolNumber
from portal import audit, outbox

JOB = "watch_pool"


@dataclass(frozen=True, slots=True)
class Utilisation:
    """How many numbers of an area there are in the pool, and where they stand."""

    size: int
    given: int
    reserved: int
    resting: int

    @property
    def free(self) -> int:
        return self.size - self.given - self.reserved - self.resting

    @property
    def percent(self) -> int:
        """Return how much is given, of a hundred, rounded down."""
        return self.given * 100 // self.size if self.size else 0


def utilisation(area_ids: Iterable[int], *, at: datetime) -> dict[int, Utilisation]:
    """Return how far these areas of the pool are used at an instant. Needs the operator's role."""
    rows = (
        PoolNumber.objects.filter(area__in=list(area_ids))
        .values_list("area")
        .annotate(
            size=Count("pk"),
            given=Count("pk", filter=Q(free_from=None)),
            reserved=Count("pk", filter=Q(free_from__gt=at, reservation__isnull=False)),
            resting=Count("pk", filter=Q(free_from__gt=at, reservation=None)),
        )
    )
    return {area: Utilisation(*counts) for area, *counts in rows}


def watch(*, at: datetime) -> int:
    """Mail the operator about each area that reached its threshold since the last time; return how many.

    An area that fell below is warned about again when it crosses anew. Needs the operator's role.
    """
    areas = list(PoolArea.objects.select_for_update(skip_locked=True, of=("self",)).select_related("area"))
    used = utilisation([area.pk for area in areas], at=at)
    above = [area for area in areas if area.pk in used and used[area.pk].percent >= area.warn_from]
    crossed = [area for area in above if area.warned_at is None]
    fallen = [area.pk for area in areas if area.warned_at and area not in above]
    PoolArea.objects.filter(pk__in=fallen).update(warned_at=None)
    PoolArea.objects.filter(pk__in=[area.pk for area in crossed]).update(warned_at=at)
    outbox.later([_mail(area, used[area.pk]) for area in crossed], at=at)
    entries = [audit.Entry("pool", a.pk, str(a.area), {}, {"percent": used[a.pk].percent}) for a in crossed]
    audit.record("pool.warned", entries, by=JOB, at=at)
    return len(crossed)


def _mail(area: PoolArea, used: Utilisation) -> outbox.Mail:
    context = {"area": str(area.area), "percent": used.percent, "size": used.size, "given": used.given}
    return outbox.Mail(settings.OPERATOR_EMAIL, "de", "numbers/pool_warning", context | {"warn_from": area.warn_from})
