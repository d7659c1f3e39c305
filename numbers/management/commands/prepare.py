"""Bring a database to the present: tables, cache table, local areas."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from numbers.models import LocalArea


class Command(BaseCommand):
    help = "Run migrate and createcachetable, and load_areas if there are none yet. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=options["verbosity"])
        call_command("createcachetable")
        if not LocalArea.objects.exists():
            call_command("load_areas", stdout=self.stdout)
