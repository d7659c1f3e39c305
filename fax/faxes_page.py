"""What the journal shows: a person's own faxes, and to administrators how many of whom stand where."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fax.models import FaxJob, FaxReason, FaxState
from numbers import destinations
from numbers.messages import display

# What people choose above the list, and the states behind it.
TABS: dict[str, tuple[FaxState, ...]] = {
    "waiting": (FaxState.WAITING,),
    "underway": (FaxState.QUEUED, FaxState.SENDING),
    "sent": (FaxState.SENT,),
    "failed": (FaxState.FAILED,),
    "cancelled": (FaxState.CANCELLED,),
}
# icon, tone of a badge
LOOKS = {
    FaxState.WAITING: ("pencil", "warn"),
    FaxState.QUEUED: ("hourglass", "off"),
    FaxState.SENDING: ("phone-call", "off"),
    FaxState.SENT: ("circle-check", "ok"),
    FaxState.FAILED: ("circle-x", "danger"),
    FaxState.CANCELLED: ("circle-slash", "off"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A fax in the list."""

    pk: int
    title: str
    destination: str
    number: str
    printed_at: datetime
    pages: int | None
    state: str
    icon: str
    tone: str
    reason: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Share:
    """How many faxes of one person from one number stand where; nothing of what is in them."""

    person: str
    number: str
    counts: Sequence[tuple[str, int]]


def rows(jobs: Iterable[FaxJob]) -> list[Row]:
    """Return the faxes as the list shows them (`number__area` loaded)."""
    return [row(job) for job in jobs]


def row(job: FaxJob) -> Row:
    """Return one fax as it is shown."""
    state = FaxState(job.state)
    icon, tone = LOOKS[state]
    return Row(
        job.pk,
        job.title or _("Document without a name"),
        destinations.written(job.destination) if job.destination else "",
        display(job.number),
        job.received_at,
        job.pages,
        str(state.label),
        icon,
        tone,
        str(FaxReason(job.reason).label) if job.reason else "",
        job.state == FaxState.WAITING,
    )


def tabs(own: Any, chosen: str) -> list[dict[str, Any]]:
    """Return the choices above the list, each with how many faxes it has."""
    counted, names = dict(own.order_by().values_list("state").annotate(count=Count("pk"))), _names()
    every = {"key": "", "name": _("All"), "count": sum(counted.values()), "current": not chosen}
    return [every] + [
        {
            "key": key,
            "name": names[key],
            "count": sum(counted.get(state, 0) for state in states),
            "current": key == chosen,
        }
        for key, states in TABS.items()
    ]


def _names() -> dict[str, str]:
    return {
        "waiting": _("Waiting for a number"),
        "underway": _("Under way"),
        "sent": _("Sent"),
        "failed": _("Not sent"),
        "cancelled": pgettext("fax", "Cancelled"),
    }


def shares() -> list[Share]:
    """Return how the faxes of everybody stand, by number and person: for administrators, who see no more than this."""
    counted: dict[tuple[int, int], dict[str, int]] = {}
    every = FaxJob.objects.visible().order_by()
    for number, person, state, count in every.values_list("number", "staff_member", "state").annotate(
        count=Count("pk")
    ):
        counted.setdefault((number, person), {})[state] = count
    names = _names()
    return [
        Share(
            job.staff_member.name,
            display(job.number),
            [
                (names[key], sum(counted[job.number_id, job.staff_member_id].get(state, 0) for state in states))
                for key, states in TABS.items()
            ],
        )
        for job in sorted(_named(), key=lambda job: (job.number.e164, job.staff_member.sort_key))
    ]


def _named() -> Sequence[FaxJob]:
    """Return one fax of each number and person, with both loaded."""
    latest = FaxJob.objects.visible().order_by("number", "staff_member", "-pk").distinct("number", "staff_member")
    return list(latest.select_related("number__area", "staff_member"))
