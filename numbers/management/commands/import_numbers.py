"""Take a list of numbers into a tenant's inventory."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from numbers import importing, number_lists
from numbers.importing import KINDS, Finding, Kind
from numbers.models import PhoneNumber
from portal.models import Tenant
from portal.tenancy import tenant_transaction

NAME = "import_numbers"
SHOWN_WHOLE = 200  # longer lists show only the lines that need somebody


class Command(BaseCommand):
    help = (
        "Take a CSV list of numbers into a tenant's inventory; good lines go in without the bad ones. Exit code 0 if "
        "every line is in the inventory afterwards, 1 if some are not or the file was refused. See docs/import.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--dry-run", action="store_true", help="show what would happen and change nothing")
        parser.add_argument("--language", choices=("de", "en"), default="de", help="of the output")

    def handle(self, *args: Any, file: Path, tenant: str, dry_run: bool, language: str, **options: Any) -> None:
        with translation.override(language):
            found = Tenant.objects.filter(slug=tenant).first()
            if found is None:
                raise CommandError(_("There is no tenant with the short name %(slug)s.") % {"slug": tenant})
            numbers = self._read(file)
            act = importing.check if dry_run else importing.take
            with tenant_transaction(found.pk):
                findings = act(numbers, tenant_id=found.pk, by=NAME, at=timezone.now())
                held = PhoneNumber.objects.held().count()
            if numbers.ignored:
                self.stdout.write(_("Columns not read: %(titles)s") % {"titles": ", ".join(numbers.ignored)})
            self._show(findings, everything=options["verbosity"] > 1 or len(findings) <= SHOWN_WHOLE)
            self._sum_up(findings, found, held, dry_run=dry_run)
        if any(finding.kind in (Kind.CONFLICT, Kind.ERROR) for finding in findings):
            sys.exit(1)

    def _read(self, file: Path) -> number_lists.NumberList:
        try:
            with file.open("rb") as content:
                return number_lists.read(content.read(number_lists.MOST_BYTES + 1))
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be read: %(reason)s") % {"file": file, "reason": error.strerror}
            ) from error
        except number_lists.ListRefused as refused:
            raise CommandError(str(refused.reason)) from refused

    def _show(self, findings: list[Finding], *, everything: bool) -> None:
        for finding in findings:
            if everything or finding.kind in (Kind.CONFLICT, Kind.ERROR):
                line = _("line %(line)s") % {"line": finding.at}
                text = f"{line:>11}  {KINDS[finding.kind]!s:<12} {finding.text:<18} {finding.reason}"
                self.stdout.write(text.rstrip())

    def _sum_up(self, findings: list[Finding], tenant: Tenant, held: int, *, dry_run: bool) -> None:
        counted = ", ".join(f"{count} {KINDS[kind]}" for kind, count in importing.counts(findings).items())
        self.stdout.write(f"{tenant.name}: {counted}.")
        if dry_run:
            self.stdout.write(_("This was a dry run; nothing was changed."))
        else:
            self.stdout.write(_("Numbers in the inventory now: %(count)s") % {"count": held})
