"""Take a file of calls in."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from numbers import call_jobs, call_lines

MOST_BYTES = 512 * 2**20


class Command(BaseCommand):
    help = (
        "Take calls of all tenants in, from NDJSON or CSV; see docs/calls.md for the columns. Duplicates are ignored, "
        "unknown numbers go to quarantine. Exit code 0 unless something is in quarantine or the file was refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", default="file", help="name of the switch; ids are unique within it")
        parser.add_argument("--language", choices=("de", "en"), default="de", help="of the output")

    def handle(self, *args: Any, file: Path, source: str, language: str, **options: Any) -> None:
        with translation.override(language):
            counts = call_jobs.take_in(call_lines.rows(self._read(file)), source=source, at=timezone.now())
            said = {
                "taken": _("taken in"),
                "duplicate": _("known already"),
                "purged": _("of deleted periods, only totalled"),
                "too_old": _("too old to be kept"),
                "quarantined": _("in quarantine"),
            }
            self.stdout.write(", ".join(f"{counts[name]} {words}" for name, words in said.items()))
        if counts["quarantined"]:
            sys.exit(1)

    def _read(self, file: Path) -> str:
        try:
            if file.stat().st_size > MOST_BYTES:
                raise CommandError(_("%(file)s is too large; please split it.") % {"file": file})
            return file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(_("%(file)s cannot be read: %(reason)s") % {"file": file, "reason": error}) from error
