"""manage.py apply_deactivations: what the beat schedule does every five minutes, for people and other schedulers."""

import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from numbers import jobs
from portal import berlin


class Command(BaseCommand):
    """Exit status 0 only if nothing is overdue."""

    help = "Let scheduled deactivations take effect whose last active day has passed, booked on their planned dates."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--as-of",
            type=date.fromisoformat,
            metavar="DATE",
            help="only what was due at the beginning of this day (YYYY-MM-DD); today by default",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would take effect and change nothing")

    def handle(self, *args: Any, as_of: date | None, dry_run: bool, **options: Any) -> None:
        at = timezone.now()
        until = as_of or berlin.day(at)
        if dry_run:
            self._preview(until)
            return
        try:
            run = jobs.apply_deactivations(at=at, as_of=until, progress=self._progress)
        except jobs.NotYet as error:
            raise CommandError(f"{until} lies in the future; only --dry-run looks ahead.") from error
        seconds = (timezone.now() - at).total_seconds()
        self.stdout.write(f"As of {until}: {run.planned} planned, {run.done} took effect, {seconds:.1f} s.")
        if left := jobs.overdue(as_of=until):
            self.stderr.write(f"{left} are still overdue: somebody is changing them right now. Run the command again.")
            sys.exit(1)

    def _preview(self, until: date) -> None:
        rows = jobs.preview(as_of=until)
        for due in rows:
            self.stdout.write(f"{due.last_active_on}  {due.count:>8}  {due.tenant}")
        self.stdout.write(f"As of {until}: {sum(due.count for due in rows)} would take effect. Nothing was changed.")

    def _progress(self, done: int, planned: int) -> None:
        self.stdout.write(f"{done} of {planned}", ending="\r" if self.stdout.isatty() else "\n")
        self.stdout.flush()
