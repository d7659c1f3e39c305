"""manage.py apply_handovers: what the beat schedule does every five minutes, for people and other schedulers."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from numbers import jobs


class Command(BaseCommand):
    """Exit status 0 only if nothing is overdue."""

    help = "Settle hand-overs whose day has come: mails, trace and forwardings, booked on their planned instants."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how many are due and change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        at = timezone.now()
        if dry_run:
            self.stdout.write(f"{jobs.overdue_handovers(at=at)} hand-overs are due. Nothing was changed.")
            return
        run = jobs.apply_handovers(at=at)
        self.stdout.write(f"{run.planned} planned, {run.done} took effect.")
        if left := jobs.overdue_handovers(at=at):
            self.stderr.write(f"{left} are still overdue: somebody is changing them right now. Run the command again.")
            sys.exit(1)
