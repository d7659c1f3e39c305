"""Delete the calls that are due, and prove it."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from numbers import call_jobs


class Command(BaseCommand):
    help = "Delete every call beyond its tenant's retention, then prove that none is left. Exit code 1 if one is."

    def handle(self, *args: Any, **options: Any) -> None:
        run = call_jobs.retire(at=timezone.now())
        self.stdout.write(f"{run.done} of {run.planned} tenants without calls beyond the limit.")
        if run.error:
            self.stderr.write(run.error)
            sys.exit(1)
