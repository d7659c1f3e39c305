"""Taking fax access away: by an administrator, and with whatever it hangs on (rule F2)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from fax import jobs
from fax.models import FaxCredential, FaxMail
from numbers.models import PhoneNumber


def standing(numbers: Iterable[PhoneNumber]) -> list[FaxCredential]:
    """Return the credentials of these numbers that are not revoked, with their people."""
    rows = FaxCredential.objects.filter(number__any=[number.pk for number in numbers], revoked_at=None)
    return list(rows.select_related("staff_member").order_by("number", "staff_member__sort_key", "pk"))


def end(credentials: Sequence[FaxCredential], *, at: datetime) -> None:
    """Revoke these credentials; their links open nothing any more. Whoever calls leaves the event."""
    ids = [credential.pk for credential in credentials]
    gone: dict[str, Any] = {"revoked_at": at, "secret_hash": "", "previous_hash": "", "previous_until": None}
    if ids:
        FaxCredential.objects.filter(pk__in=ids, revoked_at=None).update(**gone)
        FaxMail.objects.filter(credential__in=ids, opened_at=None, ended_at=None).update(ended_at=at)
        jobs.stop(credentials, at=at)


def named(credential: FaxCredential) -> dict[str, Any]:
    """Return credentials as the trace keeps them."""
    return {
        "staff_member": credential.staff_member.name,
        "staff_member_id": credential.staff_member_id,
        "username": credential.username,
    }
