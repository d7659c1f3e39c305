"""manage.py apply_handovers: what the beat schedule does every five minutes, for people and other schedulers."""

from datetime import datetime

from numbers import jobs
from numbers.management.commands._sweep import SweepCommand
from portal.models import JobRun


class Command(SweepCommand):
    """Exit status 0 only if nothing is overdue."""

    help = "Settle hand-overs whose day has come: mails, trace and forwardings, booked on their planned instants."
    things = "hand-overs"

    def sweep(self, *, at: datetime) -> JobRun:
        return jobs.apply_handovers(at=at)

    def overdue(self, *, at: datetime) -> int:
        return jobs.overdue_handovers(at=at)
