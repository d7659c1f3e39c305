"""Bring a database to the present: tables, cache table, local areas, months for calls."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from numbers import call_jobs
from numbers.models import LocalArea


class Command(BaseCommand):
    help = "Run migrate and createcachetable, load missing areas, make the months for calls. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=options["verbosity"])
        call_command("createcachetable")
        if not LocalArea.objects.exists():
            call_command("load_areas", stdout=self.stdout)
        call_jobs.make_months(at=timezone.now())
