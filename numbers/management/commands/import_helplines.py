"""Take the regulator's list of helplines in."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from numbers import call_jobs, call_lines


class Command(BaseCommand):
    help = "Make the list of helplines what this file says: a number, or number;name, per line. They are never listed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            count = call_jobs.load_helplines(file.read_text("utf-8-sig").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        except call_lines.Unusable as error:
            raise CommandError(f"{file} holds a line that is no number. Nothing was changed.") from error
        self.stdout.write(f"{count} helplines are left out of every list now.")
