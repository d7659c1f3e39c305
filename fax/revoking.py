"""Taking fax access away: by an administrator, and with whatever it hangs on (rule F2)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, Value, When
from django.utils.translation import gettext as _

from fax import jobs
from fax.models import FaxCredential, FaxMail
from numbers import messages
from numbers.attachments import Hanging, Snapshots, ends_at
from numbers.models import PhoneNumber
from portal import audit
from portal.models import User


def standing(numbers: Iterable[PhoneNumber]) -> list[FaxCredential]:
    """Return the credentials of these numbers that are not revoked, with their people."""
    return _standing(number__any=[number.pk for number in numbers])


def revoke(credentials: Sequence[FaxCredential], *, by: User | str, at: datetime) -> None:
    """Revoke credentials (number and person loaded): nothing opens with them any more, nor does a link to them."""
    end(credentials, at=at)
    entries = [audit.Entry("number", c.number_id, c.number.e164, named(c), {}, c.tenant_id) for c in credentials]
    audit.record("number.fax_revoked", entries, by=by, at=at)


def end(credentials: Sequence[FaxCredential], *, at: datetime) -> None:
    """Write that these credentials (number loaded) are revoked, as planned where their number's last active day has
    passed (rule C3). Whoever calls leaves the event."""
    ids = [credential.pk for credential in credentials]
    ends: dict[datetime, list[int]] = {}
    for credential in credentials:
        ends.setdefault(ends_at(credential.number.last_active_on, at=at), []).append(credential.pk)
    when = Case(*(When(pk__in=group, then=Value(instant)) for instant, group in ends.items()))
    gone: dict[str, Any] = {"revoked_at": when, "secret_hash": "", "previous_hash": "", "previous_until": None}
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


def _standing(**of: Any) -> list[FaxCredential]:
    rows = FaxCredential.objects.filter(revoked_at=None, **of).select_related("number__area", "staff_member")
    return list(rows.order_by("number", "staff_member__sort_key", "pk"))


class _OfNumbers:
    """Credentials as they hang on a number: ended by a deactivation, a swap, another holder, another usage."""

    name = "fax"
    models: tuple[str, ...] = ("fax.FaxCredential",)
    ends_with_deactivation = True

    def describe(self, numbers: Sequence[PhoneNumber], *, at: datetime) -> list[Hanging]:
        return [
            Hanging(c.number_id, _("fax access of %(name)s") % {"name": c.staff_member.name}, named(c))
            for c in standing(numbers)
        ]

    def detach(self, numbers: Sequence[PhoneNumber], *, by: User | str, at: datetime) -> Snapshots:
        ended: Snapshots = {}
        found = standing(numbers)
        for credential in found:
            ended.setdefault(credential.number_id, []).append(named(credential))
        end(found, at=at)
        return ended

    def end(self, held: Iterable[tuple[int, int | None]], *, by: User | str, at: datetime) -> None:
        pairs = set(held)
        found = _standing(number__any=[number_id for number_id, _member in pairs])
        gone = [c for c in found if pairs & {(c.number_id, c.staff_member_id), (c.number_id, None)}]
        revoke(gone, by=by, at=at)


class _OfPeople:
    """Credentials as a person has them: ended when they are locked or leave."""

    def sentences(self, member_id: int, *, at: datetime) -> list[str]:
        found = [c for c in _standing(staff_member=member_id) if not c.ended_at(at)]
        return [_("fax access to %(number)s") % {"number": messages.display(c.number)} for c in found]

    def end(self, member_id: int, *, by: User | str, at: datetime) -> None:
        revoke(_standing(staff_member=member_id), by=by, at=at)


OF_NUMBERS = _OfNumbers()
OF_PEOPLE = _OfPeople()
