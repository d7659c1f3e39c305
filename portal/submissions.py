"""A click counts once: a form that changes something carries a key, and its outcome is kept under that key."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from portal.models import Submission, User
from portal.tenancy import current

# A savepoint of its own costs no way to the server, because it travels with the statement beside it; it ends with the
# transaction.
_BEGIN = """
SAVEPOINT once;
INSERT INTO portal_submission (tenant_id, user_id, verb, key, outcome, at)
VALUES (%s, %s, %s, %s, '{}', %s) ON CONFLICT (tenant_id, user_id, verb, key) DO NOTHING RETURNING id
"""
_KEEP = "UPDATE portal_submission SET outcome = %s WHERE id = %s"


class Along:
    """A statement that travels with another one of a click, which saves a way to the server; `rows` is what it found,
    once that one was executed.

    Unless it meets exactly `count` rows, what `otherwise` makes of their number is raised.
    """

    def __init__(
        self,
        statement: str,
        given: Mapping[str, Any] | Sequence[Any],
        *,
        count: int | None = None,
        otherwise: Callable[[int], Exception] | None = None,
    ) -> None:
        with connection.cursor() as cursor:
            self.statement = cursor.mogrify(statement, given)
        self.rows: list[tuple[Any, ...]] = []
        self._count, self._otherwise = count, otherwise

    def read(self, cursor: Any) -> None:
        if self._otherwise and cursor.rowcount != self._count:
            raise self._otherwise(cursor.rowcount)
        self.rows = list(cursor.fetchall()) if cursor.description else []


# What waits for the end of this click, and how many savepoints were open when it began.
_at_last: ContextVar[tuple[list[Along], int] | None] = ContextVar("waiting", default=None)


def once(
    key: UUID, verb: str, *, by: User, at: datetime, work: Callable[[], dict[str, Any]], first: Along | None = None
) -> tuple[dict[str, Any], bool]:
    """Do `work` and keep its outcome, or return the outcome it had the first time. `first` is asked before it.

    Returns (outcome, replayed). A second submit waits for the first to commit. If `work` raises, nothing is kept and
    the same key may be used again. Clicks do not nest.
    """
    with connection.cursor() as cursor:
        begin = cursor.mogrify(_BEGIN, [current(), by.pk, verb, key, at])
        cursor.execute(f"{begin}; {first.statement}" if first else begin)
        cursor.nextset()
        row = cursor.fetchone()
        if first:
            cursor.nextset()
            first.read(cursor)
        if row is None:
            return Submission.objects.get(user=by, verb=verb, key=key).outcome, True
        waiting: list[Along] = []
        token = _at_last.set((waiting, len(connection.savepoint_ids)))
        try:
            outcome = work()
            _finish(cursor, waiting, cursor.mogrify(_KEEP, [json.dumps(outcome), row[0]]))
        except BaseException:
            cursor.execute("ROLLBACK TO SAVEPOINT once")
            raise
        finally:
            _at_last.reset(token)
        return outcome, False


def at_last(along: Along) -> Along:
    """Execute a statement that nobody in this click waits for together with its last one; at once outside of a click
    and within a savepoint, whose rollback must take it back. If it fails, the click is undone."""
    click = _at_last.get()
    if click is None or len(connection.savepoint_ids) > click[1]:
        with connection.cursor() as cursor:
            cursor.execute(along.statement)
            along.read(cursor)
    else:
        click[0].append(along)
    return along


def _finish(cursor: Any, waiting: list[Along], kept: str) -> None:
    cursor.execute("; ".join([*(along.statement for along in waiting), kept]))
    for along in waiting:
        along.read(cursor)
        cursor.nextset()
