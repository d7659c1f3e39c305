"""A row of each tenant's table around calls, as unmistakable as the rest of the world."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from numbers.models import (
    CallKey,
    CallRecord,
    CallRetention,
    Dispute,
    ErasureDecision,
    ItemisationOrder,
    Purge,
    RetentionProof,
    UsageTotal,
)


def fill(number: Any, member: Any, who: Any, *, bird: str, prefix: str, first_id: int, at: datetime) -> None:
    """Give a number a call, and its tenant everything else; the other party's number is a canary too."""
    month = date(2026, 11, 1)
    CallRecord.objects.create(
        id=first_id + 82,
        number=number,
        holder=member,
        direction="out",
        peer=f"{prefix}799",
        started_at=at,
        talk_seconds=61,
        result="answered",
        cost_micro=12_345,
    )
    CallKey.objects.create(key=UUID(int=first_id), month=month)
    UsageTotal.objects.create(number=number, month=month, calls=1, talk_seconds=61, cost_micro=12_345)
    Purge.objects.create(
        number=number,
        staff_member=member,
        from_at=date_at(2026, 1),
        until_at=date_at(2026, 2),
        count=3,
        notice="2026-11",
        by=who,
        at=at,
    )
    CallRetention.objects.create(months=3, changed_at=at)
    Dispute.objects.create(
        id=first_id + 83, number=number, month=date(2026, 9, 1), reason=f"{bird} reason", opened_at=at
    )
    ItemisationOrder.objects.create(masked=False, declaration="2026-11", ordered_by=who, ordered_at=date_at(2026, 9))
    RetentionProof.objects.create(on=date(2026, 11, 22), checked_at=at, beyond=0, held=0, kept=1, oldest_at=at)
    ErasureDecision.objects.create(
        staff_member=member, kind="calls", decision="erased", reason="personal", count=1, by=who, at=at
    )


def date_at(year: int, month: int) -> datetime:
    """Return noon of a month's second day."""
    return datetime.fromisoformat(f"{year}-{month:02}-02T12:00:00+00:00")
