"""A command that runs one of the sweeping jobs, for people and other schedulers than ours."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from portal.models import JobRun


class SweepCommand(BaseCommand):
    """Exit status 0 only if nothing is overdue. `things` says what the job is about."""

    things = ""

    def sweep(self, *, at: datetime) -> JobRun:
        """Run the job."""
        raise NotImplementedError

    def overdue(self, *, at: datetime) -> int:
        """Return how many things are due."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how many are due and change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        at = timezone.now()
        if dry_run:
            self.stdout.write(f"{self.overdue(at=at)} {self.things} are due. Nothing was changed.")
            return
        run = self.sweep(at=at)
        self.stdout.write(f"{run.planned} planned, {run.done} took effect.")
        if left := self.overdue(at=at):
            self.stderr.write(f"{left} are still overdue: somebody is changing them right now. Run the command again.")
            sys.exit(1)
