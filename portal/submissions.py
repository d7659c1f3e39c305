"""A click counts once: a form that changes something carries a key, and its outcome is kept under that key."""

import json
from collections.abc import Callable
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
        try:
            outcome = work()
        except BaseException:
            cursor.execute("ROLLBACK TO SAVEPOINT once")
            raise
        cursor.execute(_KEEP, [json.dumps(outcome), row[0]])
        return outcome, False
