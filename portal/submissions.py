"""A click counts once: a form that changes something carries a key, and its outcome is kept under that key."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from portal.models import Submission, User
from portal.tenancy import current


def once(
    key: UUID, verb: str, *, by: User, at: datetime, work: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Do `work` and keep its outcome, or return the outcome it had the first time.

    Returns (outcome, replayed). A second submit waits for the first to commit. If `work` raises, nothing is kept and
    the same key may be used again.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portal_submission (tenant_id, user_id, verb, key, outcome, at)"
            " VALUES (%s, %s, %s, %s, '{}', %s) ON CONFLICT (tenant_id, user_id, verb, key) DO NOTHING RETURNING id",
            [current(), by.pk, verb, key, at],
        )
        row = cursor.fetchone()
        if row is None:
            return Submission.objects.get(user=by, verb=verb, key=key).outcome, True
        outcome = work()
        cursor.execute("UPDATE portal_submission SET outcome = %s WHERE id = %s", [json.dumps(outcome), row[0]])
        return outcome, False
