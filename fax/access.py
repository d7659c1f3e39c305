"""Does somebody's fax access work? Follows from the rows and the time, whatever a job has done (rules C3 and F2)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from fax import keys
from fax.models import FaxCredential
from numbers import holders
from numbers.models import PhoneNumber, Usage
from portal import audit
from staff.models import StaffMember, StaffState

FAX = (Usage.FAX_PERSONAL, Usage.FAX_SHARED)
SEEN_EVERY = 60  # seconds; "last used" is not written more often


class Denied(Exception):
    """This user name and secret open nothing on this number; why, no printer is told."""


def tenant_of(username: str) -> int | None:
    """Return the tenant whose credentials these are, before any is announced; None if nobody has the user name."""
    if not keys.is_username(username):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT fax_credential_tenant(%s)", [username])
        found = cursor.fetchone()[0]
    return int(found) if found else None


def verify(username: str, secret: str, *, e164: str, at: datetime) -> FaxCredential:
    """Return the credential that a printer signs in with to a number of the announced tenant; raise Denied.

    `number` and `staff_member` are loaded. Notes when it was used last; the first use of a new secret ends the previous
    one. Rules F2 and F3.
    """
    rows = FaxCredential.objects.select_related("number", "staff_member")
    rows = rows.select_for_update(no_key=True, of=("self",))  # a revocation comes before or after, not in between
    found: FaxCredential | None = rows.filter(username=username, revoked_at=None).first()
    if found is None or found.number.e164 != e164:
        raise Denied
    is_new = keys.matches(secret, found, found.secret_hash)
    is_previous = keys.matches(secret, found, found.previous_hash)
    if is_previous and found.previous_until and at >= found.previous_until:
        is_previous = False
    if not (is_new or is_previous) or not may_send(found.number, found.staff_member, at=at):
        raise Denied
    _note_use(found, is_new=is_new, at=at)
    return found


def may_send(number: PhoneNumber, member: StaffMember, *, at: datetime) -> bool:
    """Return whether a person may send faxes from a number: it is an active fax number, and a personal one is theirs.

    A shared fax is for every member of staff who was given credentials of it.
    """
    if member.state != StaffState.ACTIVE or not is_fax(number, at=at):
        return False
    return number.usage == Usage.FAX_SHARED or member.pk in assignees(number, at=at)


def stands(number: PhoneNumber, member: StaffMember, *, at: datetime) -> bool:
    """Return whether somebody's access to a number is in force: they may send from it, and were not revoked (F2)."""
    own = FaxCredential.objects.filter(number=number, staff_member=member, revoked_at=None)
    return may_send(number, member, at=at) and own.exists()


def is_fax(number: PhoneNumber, *, at: datetime) -> bool:
    """Return whether faxes can be sent from a number now."""
    return number.usage in FAX and number.state_at(at) in ("active", "deactivation_scheduled")


def assignees(number: PhoneNumber, *, at: datetime) -> Sequence[int]:
    """Return the ids of the staff members who have a number now."""
    return [holder.staff_member_id for holder in holders.of_number(number, at=at).present]


def _note_use(credential: FaxCredential, *, is_new: bool, at: datetime) -> None:
    last = credential.last_used_at
    ends_previous = is_new and bool(credential.previous_hash)
    if last and (at - last).total_seconds() < SEEN_EVERY and not ends_previous:
        return
    changed = {"last_used_at": at} | ({"previous_hash": "", "previous_until": None} if ends_previous else {})
    FaxCredential.objects.filter(pk=credential.pk, revoked_at=None).update(**changed)
    if ends_previous:
        name, number = credential.staff_member.name, credential.number
        after = {"staff_member": name, "username": credential.username}
        entry = audit.Entry("number", number.pk, number.e164, {}, after, credential.tenant_id)
        audit.record("number.fax_secret_replaced", [entry], by=name, at=at)
