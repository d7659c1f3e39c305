"""Take a list of blocks into the operator's pool."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from numbers import importing, number_lists, pool_loading
from numbers.importing import KINDS, Kind
from portal.tenancy import every_tenant

NAME = "load_pool"


class Command(BaseCommand):
    help = (
        "Take a CSV list of blocks into the pool that customers order from; good lines go in without the bad ones. "
        "Exit code 0 if every block is in the pool afterwards, 1 if some are not or the file was refused. See "
        "docs/import.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="show what would happen and change nothing")
        parser.add_argument("--language", choices=("de", "en"), default="de", help="of the output")

    def handle(self, *args: Any, file: Path, dry_run: bool, language: str, **options: Any) -> None:
        with translation.override(language):
            act = pool_loading.check if dry_run else pool_loading.load
            try:
                content = file.read_bytes()
                with transaction.atomic(), every_tenant():
                    findings = act(content, by=NAME, at=timezone.now())
            except OSError as error:
                words = {"file": file, "reason": error.strerror}
                raise CommandError(_("%(file)s cannot be read: %(reason)s") % words) from error
            except number_lists.ListRefused as refused:
                raise CommandError(str(refused.reason)) from refused
            for finding in findings:
                line = _("line %(line)s") % {"line": finding.at}
                text = f"{line:>11}  {KINDS[finding.kind]!s:<12} {finding.text:<18} {finding.reason}"
                self.stdout.write(text.rstrip())
            counted = ", ".join(f"{count} {KINDS[kind]}" for kind, count in importing.counts(findings).items())
            self.stdout.write(f"{counted}.")
            if dry_run:
                self.stdout.write(_("This was a dry run; nothing was changed."))
        if any(finding.kind in (Kind.CONFLICT, Kind.ERROR) for finding in findings):
            sys.exit(1)
