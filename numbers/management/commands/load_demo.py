"""Fill an empty portal with the demo's data."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from numbers import demo


class Command(BaseCommand):
    help = "Load the demo's tenants, people and numbers, once. For the demo only (PORTAL_DEMO=1)."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is no demo (PORTAL_DEMO=1 is not set); nothing was loaded.")
        began = time.monotonic()
        if demo.load(now=timezone.now()):
            self.stdout.write(f"demo data loaded in {time.monotonic() - began:.1f} s")
        else:
            self.stdout.write("demo data is there already")
