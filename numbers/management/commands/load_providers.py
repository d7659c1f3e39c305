"""Take a list of providers and their porting codes in."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from numbers import providers


class Command(BaseCommand):
    help = "Add and rename providers from this file: `D123;name` per line. Without a file the example is loaded."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", default=providers.EXAMPLE)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            with transaction.atomic():
                lines = file.read_text("utf-8-sig").splitlines()
                added, renamed = providers.load(lines, by="load_providers", at=timezone.now())
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        except providers.ListUnusable as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self.stdout.write(f"{added} providers were added, {renamed} renamed.")
