"""What we keep and until when: the page that tells everybody of a tenant (rule T4)."""

from dataclasses import dataclass
from datetime import date, datetime

from numbers import call_months, disputes, retention
from numbers.models import RetentionProof
from portal import berlin, tenancy


@dataclass(frozen=True, slots=True)
class Kept:
    """How long calls stay: `months` after the invoice, this month's until `this_until`, `oldest` the oldest allowed.

    `disputes` are open and hold some longer; `proof` is what the last daily check found.
    """

    months: int
    this_until: date
    oldest: date
    disputes: int
    proof: RetentionProof | None


def kept(*, at: datetime) -> Kept:
    """Return what the announced tenant's calls are subject to."""
    count = retention.months(tenancy.current())
    return Kept(
        months=count,
        this_until=berlin.next_month(call_months.of(at), count + 1),
        oldest=berlin.day(retention.limit(count, at=at)),
        disputes=disputes.open_now().count(),
        proof=RetentionProof.objects.order_by("-on").first(),
    )
