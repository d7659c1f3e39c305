"""Reading calls as switches and their files deliver them: one object per line (NDJSON), or CSV with these columns.

| column          | meaning                                                             | may be missing |
|-----------------|---------------------------------------------------------------------|----------------|
| id              | the source's own id of the call                                     | no             |
| number          | the own number, E.164 or as usual                                   | no             |
| direction       | out, in                                                             | no             |
| peer            | the other number; empty: anonymous                                  | yes            |
| started_at      | ISO 8601 with zone                                                  | no             |
| ring, talk      | seconds                                                             | yes (0)        |
| result          | answered, busy, unanswered, failed                                  | yes            |
| cost_micro      | rated net cost in micro-euro; rating is the source's                | yes (0)        |
| reverse_charged | true where the called party pays                                    | yes (false)    |
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from numbers import notation
from numbers.models import CallResult, Direction

MOST_SECONDS = 7 * 24 * 3600
MOST_COST = 10**12  # a million euro


class Unusable(ValueError):
    """The line is no call; the reason is one of `intake.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call, read: `number` is ours as E.164, `peer` E.164, a short number as dialled, or empty for anonymous."""

    source_id: str
    number: str
    direction: str
    peer: str
    started_at: datetime
    ring_seconds: int
    talk_seconds: int
    result: str
    cost_micro: int
    reverse_charged: bool


def key(source: str, source_id: str) -> UUID:
    """Return the digest under which a call is known for good."""
    return UUID(bytes=hashlib.sha256(f"{source}\0{source_id}".encode()).digest()[:16])


def rows(content: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a file, NDJSON or CSV (`;` or `,`), as they are written; what cannot be read is `{}`."""
    text = content.removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        for line in filter(str.strip, io.StringIO(text)):
            yield _json(line)
    else:
        head = text.partition("\n")[0]
        for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ","):
            yield {name.strip(): value.strip() for name, value in row.items() if name and isinstance(value, str)}


def read(row: Mapping[str, Any]) -> CallLine:
    """Return the call of a line; raise Unusable with the reason."""
    source_id = str(row.get("id") or "").strip()
    if not source_id or len(source_id) > 80:
        raise Unusable("no_id")
    direction, result = str(row.get("direction") or ""), str(row.get("result") or "")
    talk, cost = _whole(row, "talk", MOST_SECONDS), _whole(row, "cost_micro", MOST_COST)
    result = result or (CallResult.ANSWERED if talk else CallResult.UNANSWERED)
    if direction not in Direction.values or result not in CallResult.values:
        raise Unusable("bad_line")
    return CallLine(
        source_id,
        _own(str(row.get("number") or "")),
        direction,
        peer(str(row.get("peer") or "")),
        _instant(str(row.get("started_at") or "")),
        _whole(row, "ring", MOST_SECONDS),
        talk,
        result,
        cost,
        str(row.get("reverse_charged") or "").lower() in ("true", "1", "yes"),
    )


def peer(text: str) -> str:
    """Return the other number as it is stored: E.164, a short number's digits, or empty for anonymous.

    Also how the list of helplines is stored, so that the two compare.
    """
    if re.fullmatch(r"(anonymous|unknown|)", text.strip(), re.IGNORECASE):
        return ""
    raw = re.sub(r"[^0-9+*#]", "", notation.unquoted(text).replace("(0)", ""))
    if re.fullmatch(r"49[0-9]{9,}", raw):
        raw = f"+{raw}"
    raw = re.sub(r"^00", "+", raw)
    found = f"+49{raw[1:]}" if re.fullmatch(r"0[1-9][0-9]{3,}", raw) else raw
    if not re.fullmatch(r"\+?[0-9*#]{1,19}", found):
        raise Unusable("bad_peer")
    return found


def _own(text: str) -> str:
    try:
        return notation.parse(text)
    except notation.Unreadable as error:
        raise Unusable("bad_number") from error


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unusable("bad_time") from error
    if at.tzinfo is None:
        raise Unusable("bad_time")
    return at.astimezone(UTC)


def _whole(row: Mapping[str, Any], name: str, most: int) -> int:
    text = str(row.get(name) or 0)
    if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) > most:
        raise Unusable("bad_line")
    return int(text)


def _json(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
