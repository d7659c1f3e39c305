"""The jobs of a number's life, as the beat schedule, the worker's start and the commands run them."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Count

from numbers import effects, forwarding, handovers, pool_watch, port_completion
from numbers.models import Forwarding, PhoneNumber
from portal import audit, berlin, jobs, wake
from portal.models import JobRun, User
from portal.tenancy import every_tenant


class NotYet(ValueError):
    """Somebody wants to take effect today what is planned for later."""


@dataclass(frozen=True, slots=True)
class Due:
    """How many numbers one tenant has whose last active day was `last_active_on`."""

    last_active_on: date
    tenant: str
    count: int


def apply_deactivations(
    *, at: datetime, as_of: date | None = None, progress: jobs.Progress = lambda done, planned: None
) -> JobRun:
    """Let every deactivation take effect whose last active day lies before `as_of` (today), booked on its planned date.

    Returns the record of the run. Raises NotYet when `as_of` lies in the future. Safe to repeat, to interrupt and to
    run twice at a time; however late, the result is that of a punctual run (rules C3 and L5).
    """
    today = berlin.day(at)
    until = as_of or today
    if until > today:
        raise NotYet(until)
    return jobs.sweep(
        effects.JOB,
        as_of=until,
        count=lambda: PhoneNumber.objects.due(berlin.begin(until)).count(),
        batch=lambda cursor: effects.take_effect(as_of=until, at=at, after=cursor),
        begin=effects.Cursor(),
        progress=progress,
    )


def apply_handovers(*, at: datetime) -> JobRun:
    """Settle every dated hand-over that has begun (mails, trace, forwardings), booked on its planned instant.

    Returns the record of the run. Safe to repeat, to interrupt and to run twice at a time; who holds a number follows
    from dates, so a late run changes nothing of that (rule A9).
    """
    return jobs.sweep(
        handovers.JOB,
        as_of=berlin.day(at),
        count=lambda: handovers.due(at).count(),
        batch=lambda cursor: handovers.take_effect(at=at, after=cursor),
        begin=handovers.Cursor(),
    )


def end_forwardings(*, at: datetime) -> JobRun:
    """Remove every forwarding that was set up for some days and has ended; return the record of the run.

    Safe to repeat, to interrupt and to run twice at a time; a rule past its end holds for no reader anyway (rule A4).
    """
    return jobs.sweep(
        forwarding.JOB,
        as_of=berlin.day(at),
        count=lambda: Forwarding.objects.due(at).count(),
        batch=lambda cursor: forwarding.end_due(at=at, after=cursor),
        begin=forwarding.Cursor(),
    )


def apply_portings(*, at: datetime) -> JobRun:
    """Remind of changeovers that are tomorrow, and let numbers arrive and leave whose day has come (rules P6, P7).

    Returns the record of the run. Safe to repeat, to interrupt and to run twice at a time: an order and its numbers
    change in one transaction.
    """
    return jobs.sweep(
        port_completion.JOB,
        as_of=berlin.day(at),
        count=lambda: port_completion.count_due(at=at),
        batch=lambda cursor: port_completion.take_effect(at=at, after=cursor),
        begin=port_completion.Cursor(),
    )


def overdue_portings(*, at: datetime) -> int:
    """Return how many reminders, arrivals and departures are due and not done."""
    with every_tenant():
        return port_completion.count_due(at=at)


def overdue_handovers(*, at: datetime) -> int:
    """Return how many hand-overs have begun and are not settled."""
    with every_tenant():
        return int(handovers.due(at).count())


def ask_for_deactivations(*, by: User, at: datetime) -> None:
    """Wake the worker to let due deactivations take effect once this transaction commits (the operator's act)."""
    audit.record("job.asked_for", [audit.Entry("job", None, effects.JOB)], by=by, at=at)
    wake.later("numbers.tasks.apply_deactivations")


def overdue(*, as_of: date) -> int:
    """Return how many deactivations should have taken effect by the beginning of this day and have not."""
    with every_tenant():
        return int(PhoneNumber.objects.due(berlin.begin(as_of)).count())


def preview(*, as_of: date) -> list[Due]:
    """Return what a run as of this day (which may lie ahead) would let take effect, by planned day and tenant."""
    with every_tenant():
        due = PhoneNumber.objects.due(berlin.begin(as_of)).values_list("last_active_on", "tenant__name")
        return [Due(*row) for row in due.annotate(Count("pk")).order_by("last_active_on", "tenant__name")]


def watch_pool(*, at: datetime) -> int:
    """Warn the operator of each area whose pool crossed its threshold; return how many."""
    with transaction.atomic(), every_tenant():
        return pool_watch.watch(at=at)
