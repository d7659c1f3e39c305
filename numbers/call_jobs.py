"""The jobs around calls, as the beat schedule, the worker's start and the commands run them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import transaction
from django.utils import timezone

from numbers import call_months, helplines, intake, retention
from portal import berlin, jobs
from portal.models import JobRun
from portal.tenancy import every_tenant


def retire(*, at: datetime) -> JobRun:
    """Delete all calls that are due, then prove it; return the record of the proof. Safe to repeat (rule T4)."""
    jobs.sweep(
        retention.JOB,
        as_of=berlin.day(at),
        count=lambda: len(retention.due(at=at)),
        batch=lambda place: retention.step(place, at=at),
        begin=retention.Place(),
    )
    return prove(at=at)


def prove(*, at: datetime) -> JobRun:
    """Check every tenant for calls beyond the limit and keep the finding, for the operator and for each tenant.

    The record counts tenants: planned = checked, done = without anything beyond; its error says how much is beyond.
    """
    with every_tenant(), transaction.atomic():
        began = timezone.now()
        proofs = retention.prove(at=at)
        clean = sum(proof.beyond == 0 for proof in proofs)
        beyond = sum(proof.beyond for proof in proofs)
        return JobRun.objects.create(
            job=retention.PROOF,
            as_of=berlin.day(at),
            started_at=began,
            finished_at=timezone.now(),
            planned=len(proofs),
            done=clean,
            error=f"{beyond} calls beyond the limit, of {len(proofs) - clean} tenants." if beyond else "",
        )


def take_in(given: Iterable[Mapping[str, Any]], *, source: str, at: datetime) -> Counter[str]:
    """Take the lines of a file in, a transaction per batch; return how many became what."""
    counts: Counter[str] = Counter()
    for some in batched(given, intake.BATCH):
        with every_tenant(), transaction.atomic():
            counts += intake.take(some, source=source, at=at)
    return counts


def sweep_intake(*, at: datetime) -> int:
    """Take in what a switch delivered, a transaction per batch; return how many lines were handled."""
    total = 0
    while True:
        with every_tenant(), transaction.atomic():
            handled, _counts = intake.sweep(at=at)
        if not handled:
            return total
        total += handled


def load_helplines(lines: Iterable[str]) -> int:
    """Make the list of helplines what these lines say; return how many there are."""
    with every_tenant(), transaction.atomic():
        return helplines.replace(lines)


def make_months(*, at: datetime) -> int:
    """Make the months that calls of now need; return how many were missing."""
    with every_tenant(), transaction.atomic():
        return call_months.ensure(call_months.ahead(at))
