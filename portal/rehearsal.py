"""A rehearsal: what would happen, found out by doing it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def rehearsal() -> Iterator[None]:
    """Let everything in the block happen and undo it at the end: rows, traces, messages. Needs no clean-up."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
