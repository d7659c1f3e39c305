"""Kept documents that no row names: left by a process that died between writing a file and committing its row, or
between forgetting a document and deleting it.

Every floor registers in `AppConfig.ready()` which columns name documents; a test knows all who keep some.
"""

import math
import re
from datetime import datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any

import structlog
from django.apps import apps
from django.conf import settings

log = structlog.get_logger(__name__)

LEAST_AGE = timedelta(days=7)  # no act takes that long, and a restored database is noticed by then
FEW = 20
_NAME = re.compile(r"[0-9a-f]{32}\.[a-z]{3}")
_columns: dict[str, tuple[str, ...]] = {}


def register(model: str, *fields: str) -> None:
    """Say that these columns of a model ("numbers.PortDocument") hold names of documents."""
    _columns[model] = fields


def sweep(*, at: datetime) -> int:
    """Delete the documents older than a week that no row names, and return how many.

    Reads the rows of every tenant, so it is the operator's role's. Where most documents are named by nobody the
    database is the wrong one, or lost: then nothing is deleted and the log says so.
    """
    folder, before = Path(settings.DOCUMENTS_DIR), (at - LEAST_AGE).timestamp()
    paths = [path for path in folder.glob("*.*") if _NAME.fullmatch(path.name) and _changed(path) < before]
    named = {name for some in batched((path.name for path in paths), 1000) for name in _named(some)}
    orphans = [path for path in paths if path.name not in named]
    if len(orphans) > FEW + len(named):
        log.error("documents not swept: most are named by no row", orphans=len(orphans), named=len(named))
        return 0
    for path in orphans:
        path.unlink(missing_ok=True)
        log.info("document deleted that no row names", name=path.name)
    return len(orphans)


def _changed(path: Path) -> float:
    """Return when a document was written; one that is deleted just now counts as young."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _named(names: tuple[str, ...]) -> set[str]:
    """Return those of these names that a row knows."""
    found: set[str] = set()
    for label, fields in _columns.items():
        model: Any = apps.get_model(label)
        for field in fields:
            found.update(model.objects.filter(**{f"{field}__in": names}).values_list(field, flat=True))
    return found
