"""Load the local areas of the German numbering plan."""

from typing import Any

from django.core.management.base import BaseCommand

from numbers import areas


class Command(BaseCommand):
    help = "Load the 5,200 local areas from the numbering plan data of the phonenumbers package."

    def handle(self, *args: Any, **options: Any) -> None:
        count = areas.load()
        self.stdout.write(f"{count} local areas")
