"""One statement that moves a set of numbers to another state and leaves one event for each (rule G1)."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection

from numbers.models import LockedNumber
from portal import lookups
from portal.logs import request_id
from portal.models import User

# The events are made of the very rows that changed; what is the same for all of them travels once.
_MOVE = """
WITH changed AS (
    UPDATE numbers_phonenumber SET {columns} WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s)
    RETURNING tenant_id, id, e164
)
INSERT INTO portal_auditevent (tenant_id, at, actor_id, actor_name, on_behalf_of, verb, object_type, object_id,
                               object_label, before, after, request_id)
SELECT tenant_id, %(at)s, %(actor)s, %(name)s, '', %(verb)s, 'number', id, e164,
       %(before)s::jsonb, %(after)s::jsonb, %(reference)s
FROM changed ORDER BY id
"""
_COLUMNS = ("state", "last_active_on", "active_since")


def move(
    numbers: Sequence[LockedNumber],
    verb: str,
    *,
    before: Mapping[str, object],
    by: User | str,
    at: datetime,
    **to: str | date | None,
) -> None:
    """Write the columns named in `to` (state, last_active_on, active_since) to these rows of one tenant and to the rows
    in hand, and record `verb` for each, with what was `before` and what is set now; days are written as ISO dates."""
    actor = by.pk if isinstance(by, User) else None
    if unknown := to.keys() - set(_COLUMNS):
        raise TypeError(f"not a column of a number's state: {unknown}")
    given: dict[str, Any] = {
        "tenant": numbers[0].tenant_id,
        "ids": lookups.keys(n.pk for n in numbers),
        "at": at,
        "actor": actor,
        "name": str(by)[:120],
        "verb": verb,
        "before": _json(before),
        "after": _json({name: value for name, value in to.items() if value is not None}),
        "reference": request_id.get(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE.format(columns=", ".join(f"{name} = %({name})s" for name in to)), given | to)
    for number in numbers:
        for name, value in to.items():
            setattr(number, name, value)


def _json(values: Mapping[str, object]) -> str:
    return json.dumps({name: v.isoformat() if isinstance(v, date) else v for name, v in values.items()})
