"""Kept documents that no row names: left by a process that died between writing a file and committing its row, or
between forgetting a document and deleting it.

No job deletes them: where the database is older than the files, or being restored, they are what a row will name again.
People do, with `manage.py orphans`. Every floor registers in `AppConfig.ready()` which columns name documents; a test
knows all who keep some.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings

LEAST_AGE = timedelta(days=7)  # no act takes that long
FEW, SHARE = 3, 20  # more than three go only up to a twentieth of all
_NAME = re.compile(r"[0-9a-f]{32}\.[a-z]{3}")
_columns: dict[str, tuple[str, ...]] = {}


class DeletionRefused(RuntimeError):
    """Rather the database is wrong than so many documents; the text says why."""


@dataclass(frozen=True)
class Document:
    """A kept file; `size` in bytes."""

    path: Path
    size: int
    written_at: datetime


def register(model: str, *fields: str) -> None:
    """Say that these columns of a model ("numbers.PortDocument") hold names of documents."""
    _columns[model] = fields


def find() -> tuple[int, list[Document]]:
    """Return how many documents are kept, and those of them that no row names, by name.

    Reads the rows of every tenant, so it is the operator's role's.
    """
    kept = {document.path.name: document for document in _kept()}  # before the rows: what is written meanwhile is not
    unnamed = set(kept)
    for label, fields in _columns.items():
        model: Any = apps.get_model(label)
        for field in fields:
            unnamed.difference_update(model.objects.exclude(**{field: ""}).values_list(field, flat=True))
    return len(kept), [kept[name] for name in sorted(unnamed)]


def delete(count: int, orphans: list[Document], *, at: datetime) -> tuple[list[Document], list[tuple[Document, str]]]:
    """Delete what `find` returned, if it is older than a week; return what is gone, and what could not go with why not.

    Raises DeletionRefused if no document is named by a row, or more than three and a twentieth of them would go.
    """
    old = [document for document in orphans if document.written_at < at - LEAST_AGE]
    if old and len(orphans) == count:
        raise DeletionRefused("No row names any of these documents: the database is not the one they belong to.")
    if len(old) > FEW and len(old) * SHARE > count:
        raise DeletionRefused(
            f"{len(old)} of {count} documents would go, more than a twentieth: is the database older?"
        )
    gone, left = [], []
    for document in old:
        try:
            document.path.unlink(missing_ok=True)
        except OSError as error:
            left.append((document, error.strerror or str(error)))
        else:
            gone.append(document)
    return gone, left


def _kept() -> Iterable[Document]:
    for path in Path(settings.DOCUMENTS_DIR).glob("*.*"):
        if not _NAME.fullmatch(path.name):
            continue
        try:
            known = path.stat()
        except FileNotFoundError:  # deleted just now
            continue
        yield Document(path, known.st_size, datetime.fromtimestamp(known.st_mtime, UTC))
