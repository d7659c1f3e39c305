"""The trace: `audit.record(...)` writes one event per object in the transaction of the effect (rule G1)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from portal.logs import request_id
from portal.models import User

# One statement for any number of events, none of them read back: they may belong to no tenant, and customers' processes
# may write such rows and not read them.
_APPEND = """
INSERT INTO portal_auditevent (tenant_id, at, actor_id, actor_name, on_behalf_of, verb, object_type, object_id,
                               object_label, before, after, request_id)
SELECT tenant, %(at)s, %(actor)s, %(name)s, %(behalf)s, %(verb)s, type, id, label,
       before::jsonb, after::jsonb, %(reference)s
FROM unnest(%(tenants)s::bigint[], %(types)s::text[], %(ids)s::bigint[], %(labels)s::text[],
            %(befores)s::text[], %(afters)s::text[]) AS entry (tenant, type, id, label, before, after)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened to one object; `before` and `after` hold what changed, as values JSON can keep."""

    object_type: str
    object_id: int | None
    object_label: str
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    tenant_id: int | None = None


def record(
    verb: str,
    entries: Iterable[Entry],
    *,
    by: User | str,
    at: datetime,
    tenant_id: int | None = None,
    on_behalf_of: str = "",
) -> None:
    """Append one event per entry. `by` is the person, or the name of the job that acted; times are instants.

    The tenant is the entry's own or `tenant_id`; None for what belongs to no tenant. Rule G1.
    """
    rows = list(entries)
    actor_id, name = (by.pk, str(by)) if isinstance(by, User) else (None, by)
    given: dict[str, Any] = {
        "tenants": [entry.tenant_id or tenant_id for entry in rows],
        "types": [entry.object_type for entry in rows],
        "ids": [entry.object_id for entry in rows],
        "labels": [entry.object_label[:160] for entry in rows],
        "befores": [json.dumps(entry.before) for entry in rows],
        "afters": [json.dumps(entry.after) for entry in rows],
    }
    constant = {"at": at, "actor": actor_id, "name": name[:120], "behalf": on_behalf_of, "verb": verb}
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_APPEND, given | constant | {"reference": request_id.get()})


def change(row: Model, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set these fields of a row; return old and new of those that are others now, as an entry keeps them."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    before = {name: _plain(getattr(row, name)) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    return before, {name: _plain(value) for name, value in changed.items()}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | list) else str(value)
