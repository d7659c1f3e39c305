"""A click counts once: a form that changes something carries a key, and its outcome is kept under that key."""

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from portal.models import Submission, User
from portal.tenancy import current

# A savepoint of its own costs no way to the server, because it travels with the statement beside it.
_BEGIN = """
SAVEPOINT once;
INSERT INTO portal_submission (tenant_id, user_id, verb, key, outcome, at)
VALUES (%s, %s, %s, %s, '{}', %s) ON CONFLICT (tenant_id, user_id, verb, key) DO NOTHING RETURNING id
"""
_KEEP = "UPDATE portal_submission SET outcome = %s WHERE id = %s; RELEASE SAVEPOINT once"
# The statements of this click that wait, and how many savepoints were open when it began.
_at_last: ContextVar[tuple[list[str], int] | None] = ContextVar("waiting", default=None)


def once(
    key: UUID, verb: str, *, by: User, at: datetime, work: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Do `work` and keep its outcome, or return the outcome it had the first time.

    Returns (outcome, replayed). A second submit waits for the first to commit. If `work` raises, nothing is kept and
    the same key may be used again.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [current(), by.pk, verb, key, at])
        cursor.nextset()
        row = cursor.fetchone()
        if row is None:
            cursor.execute("RELEASE SAVEPOINT once")
            return Submission.objects.get(user=by, verb=verb, key=key).outcome, True
        waiting: list[str] = []
        token = _at_last.set((waiting, len(connection.savepoint_ids)))
        try:
            outcome = work()
        except BaseException:
            cursor.execute("ROLLBACK TO SAVEPOINT once")
            raise
        finally:
            _at_last.reset(token)
        kept = cursor.mogrify(_KEEP, [json.dumps(outcome), row[0]])
        cursor.execute("; ".join([*waiting, kept]))
        return outcome, False


def at_last(statement: str, given: Mapping[str, Any]) -> None:
    """Execute a statement that nobody reads from in this click: together with its last one, which saves a way to the
    server; at once outside of a click and within a savepoint, whose rollback must take it back."""
    click = _at_last.get()
    with connection.cursor() as cursor:
        if click is None or len(connection.savepoint_ids) > click[1]:
            cursor.execute(statement, given)
        else:
            click[0].append(cursor.mogrify(statement, given))
