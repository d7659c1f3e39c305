"""A click counts once: a form that changes something carries a key, and its outcome is kept under that key."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
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


@dataclass
class Last:
    """A statement that a click executes with its last one; `rows` is what it found, once the click has ended."""

    statement: str
    count: int | None = None  # how many rows it must meet
    otherwise: Callable[[int], Exception] | None = None  # makes what is raised if it meets another number
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def read(self, cursor: Any) -> None:
        if self.otherwise and cursor.rowcount != self.count:
            raise self.otherwise(cursor.rowcount)
        self.rows = list(cursor.fetchall()) if cursor.description else []


# What waits for the end of this click, and how many savepoints were open when it began.
_at_last: ContextVar[tuple[list[Last], int] | None] = ContextVar("waiting", default=None)


def once(
    key: UUID, verb: str, *, by: User, at: datetime, work: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Do `work` and keep its outcome, or return the outcome it had the first time.

    Returns (outcome, replayed). A second submit waits for the first to commit. If `work` raises, nothing is kept and
    the same key may be used again. Clicks do not nest.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [current(), by.pk, verb, key, at])
        cursor.nextset()
        row = cursor.fetchone()
        if row is None:
            return Submission.objects.get(user=by, verb=verb, key=key).outcome, True
        waiting: list[Last] = []
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


def at_last(
    statement: str,
    given: Mapping[str, Any] | Sequence[Any],
    *,
    count: int | None = None,
    otherwise: Callable[[int], Exception] | None = None,
) -> Last:
    """Execute a statement that nobody in this click waits for together with its last one, which saves a way to the
    server; at once outside of a click and within a savepoint, whose rollback must take it back.

    Unless it meets exactly `count` rows, what `otherwise` makes of their number is raised, and the click is undone.
    """
    click = _at_last.get()
    with connection.cursor() as cursor:
        last = Last(cursor.mogrify(statement, given), count, otherwise)
        if click is None or len(connection.savepoint_ids) > click[1]:
            cursor.execute(last.statement)
            last.read(cursor)
        else:
            click[0].append(last)
    return last


def _finish(cursor: Any, waiting: list[Last], kept: str) -> None:
    cursor.execute("; ".join([*(last.statement for last in waiting), kept]))
    for last in waiting:
        last.read(cursor)
        cursor.nextset()
