"""Rows that are written and not read back."""

from collections.abc import Iterable
from typing import Any

from django.db.models import AutoField, Model


def append(rows: Iterable[Model]) -> int:
    """Insert rows of one model in one statement and return how many; it does not learn their keys.

    Events and messages may have no tenant; customers' processes insert such rows and may not read them. RETURNING,
    which bulk_create says, is reading: PostgreSQL would refuse the whole insert.
    """
    written = list(rows)
    if written:
        model = type(written[0])
        fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
        manager: Any = model._base_manager  # `_insert` is what save() and bulk_create() call; only they ask for keys
        manager._insert(written, fields=fields, using=manager.db)
    return len(written)
