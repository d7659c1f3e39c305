"""manage.py apply_portings: what the beat schedule does every five minutes, for people and other schedulers."""

from datetime import datetime

from numbers import jobs
from numbers.management.commands._sweep import SweepCommand
from portal.models import JobRun


class Command(SweepCommand):
    """Exit status 0 only if nothing is overdue."""

    help = "Remind of changeovers that are tomorrow, and let numbers arrive and leave whose day has come."
    things = "changeovers and reminders"

    def sweep(self, *, at: datetime) -> JobRun:
        return jobs.apply_portings(at=at)

    def overdue(self, *, at: datetime) -> int:
        return jobs.overdue_portings(at=at)
