"""manage.py orphans: the kept documents that no row names, for people who look before they delete."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal import orphans
from portal.tenancy import every_tenant


class Command(BaseCommand):
    """Exit status 0 only if nothing that was to go is left."""

    help = "List the kept documents that no row names; with --delete, delete those older than a week."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--delete", action="store_true", help="delete those older than a week")

    def handle(self, *args: Any, delete: bool, **options: Any) -> None:
        with every_tenant():
            count, found = orphans.find()
        size = sum(document.size for document in found)
        self.stdout.write(f"{len(found)} of {count} documents in {settings.DOCUMENTS_DIR} ({size} bytes) have no row.")
        for document in found:
            self.stdout.write(f"{document.path.name} {document.size} {document.written_at:%Y-%m-%d}")
        if delete:
            self._delete(count, found)

    def _delete(self, count: int, found: list[orphans.Document]) -> None:
        try:
            gone, left = orphans.delete(count, found, at=timezone.now())
        except orphans.DeletionRefused as refused:
            raise CommandError(f"{refused} Nothing was deleted.") from refused
        self.stdout.write(f"{len(gone)} were deleted.")
        for document, reason in left:
            self.stderr.write(f"{document.path.name} could not be deleted: {reason}")
        if left:
            sys.exit(1)
