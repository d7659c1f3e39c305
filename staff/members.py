"""The tenant's people: taken in, changed, locked, left.

| from            | verb     | to     | what it does to the login                                            |
|-----------------|----------|--------|----------------------------------------------------------------------|
| –               | `add`    | active | none; `invitations.invite` gives one                                 |
| active          | `lock`   | locked | membership ends, its role is kept; open invitations are revoked      |
| locked          | `unlock` | active | membership comes back with the role kept                             |
| active, locked  | `leave`  | left   | membership ends for good; the row stays as history (rule A4)         |
| left            | `forget` | left   | none; the row loses name and address (rule T6)                       |

For `numbers.people` and this floor's own pages: `add`, `change`, `lock`, `unlock`, `leave`, `enrol`, each inside the
tenant's transaction, with `by` and `at`. Nobody is locked or leaves while `ties` still hold something.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from portal import audit, memberships
from portal.memberships import LastAdministrator
from portal.models import Membership, Role, User
from portal.refusals import Refused
from portal.sorting import fold
from portal.tenancy import current
from staff import invitations, messages, outcomes, ties
from staff.models import Invitation, LockedMember, StaffMember, StaffState
from staff.outcomes import Outcome, Reason

KIND = "staff_member"


class MemberRefused(Refused):
    """The person cannot be taken in or changed so; `field` names what to correct, `reason` says why, for people."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is written down about somebody; an e-mail address is needed only for a login and for mails."""

    name: str
    email: str = ""
    extension: str = ""
    department: str = ""
    language: str = "de"


def add(person: Person, *, by: User | str, at: datetime) -> StaffMember:
    """Take a person in, without a login; raise MemberRefused when their address is somebody else's here."""
    email = User.objects.normalize_email(person.email)
    _address_is_free(email)
    member = StaffMember(**asdict(person) | {"email": email}, sort_key=fold(person.name)[:160], created_at=at)
    member.save()
    after = {name: value for name, value in (asdict(person) | {"email": email}).items() if value}
    _note("staff.added", member, {}, after, by=by, at=at)
    return member


def change(member: LockedMember, person: Person, *, by: User | str, at: datetime) -> Outcome:
    """Write down something else about a person. An open invitation to an address that changes is revoked.

    Who has a login changes their address themselves (their `email` is left as it is). Raises MemberRefused when the
    address is somebody else's here.
    """
    if member.state == StaffState.LEFT:
        return outcomes.refused(member.pk, Reason.HAS_LEFT)
    wanted = asdict(person) | {"email": User.objects.normalize_email(person.email)}
    if member.user_id:
        del wanted["email"]
    before = {name: getattr(member, name) for name in wanted if getattr(member, name) != wanted[name]}
    if not before:
        return outcomes.unchanged(member.pk, Reason.NOTHING_NEW)
    if "email" in before:
        _address_is_free(wanted["email"], but_for=member)
        invitations.revoke([member], by=by, at=at)
    for name in before:
        setattr(member, name, wanted[name])
    member.sort_key = fold(member.name)[:160]
    member.save(update_fields=[*before, "sort_key"])
    _note("staff.changed", member, before, {name: wanted[name] for name in before}, by=by, at=at)
    return outcomes.done(member.pk)


def lock(members: Sequence[LockedMember], *, by: User | str, at: datetime) -> list[Outcome]:
    """Shut these people out until they are unlocked: no login, no invitation, no numbers. Rule A4.

    Returns one outcome per person: done, unchanged (already locked) or refused (left, holds numbers, the last
    administrator, or whoever acts). Their sessions of this tenant end at once.
    """
    return _each(members, _lock, by=by, at=at)


def unlock(members: Sequence[LockedMember], *, by: User | str, at: datetime) -> list[Outcome]:
    """Let locked people in again, with the role they had; numbers do not come back by themselves."""
    return _each(members, _unlock, by=by, at=at)


def leave(members: Sequence[LockedMember], *, by: User | str, at: datetime) -> list[Outcome]:
    """Note that these people left: their login ends for good, their rows stay as history. Rule A4.

    Returns one outcome per person: done, unchanged (already left) or refused (holds numbers, the last administrator,
    or whoever acts).
    """
    return _each(members, _leave, by=by, at=at)


def forget(member: LockedMember) -> Outcome:
    """Take name and address out of the row of somebody who left, and forget their invitations; the row stays.

    Refused while the person is here. What else is known about them is erased by `numbers.erasure`, which leaves the
    event. Rule T6.
    """
    if member.state != StaffState.LEFT:
        return outcomes.refused(member.pk, Reason.NOT_LEFT)
    Invitation.objects.filter(member=member).delete()
    member.name = f"Person {member.pk}"
    member.sort_key, member.email, member.extension, member.department = fold(member.name), "", "", ""
    member.save(update_fields=["name", "sort_key", "email", "extension", "department"])
    return outcomes.done(member.pk)


def enrol(*, by: User | str, at: datetime) -> list[StaffMember]:
    """Write down those members of the announced tenant who sign in and are in no list of staff yet; return them."""
    known = StaffMember.objects.exclude(user=None).values("user")
    found = Membership.objects.filter(tenant_id=current()).exclude(user__in=known).select_related("user")
    return [_enrol(membership.user, by=by, at=at) for membership in found.order_by("pk")]


def missing() -> list[User]:
    """Return who signs in here and is in no list of staff yet, for `enrol`."""
    known = StaffMember.objects.exclude(user=None).values("user")
    found = Membership.objects.filter(tenant_id=current()).exclude(user__in=known).select_related("user")
    return [membership.user for membership in found.order_by("user__name", "pk")]


type _Act = Callable[[LockedMember, User | str, datetime], Reason | None]


def _each(members: Sequence[LockedMember], act: _Act, *, by: User | str, at: datetime) -> list[Outcome]:
    found = []
    held = ties.held([member.pk for member in members], at=at)
    for member in members:
        reason = _obstacle(member, act, held[member.pk], by) or act(member, by, at)
        found.append(outcomes.of(member.pk, reason))
    return found


def _obstacle(member: LockedMember, act: _Act, held: int, by: User | str) -> Reason | None:
    if act is _unlock:
        return None if member.state == StaffState.LOCKED else _not_so(member)
    if member.state == StaffState.LEFT:
        return Reason.HAS_LEFT
    if act is _lock and member.state == StaffState.LOCKED:
        return Reason.ALREADY_LOCKED
    if isinstance(by, User) and member.user_id == by.pk:
        return Reason.YOURSELF
    return Reason.HOLDS_NUMBERS if held else None


def _not_so(member: LockedMember) -> Reason:
    return Reason.HAS_LEFT if member.state == StaffState.LEFT else Reason.NOT_LOCKED


def _lock(member: LockedMember, by: User | str, at: datetime) -> Reason | None:
    try:
        role = memberships.end(member.user, by=by, at=at) if member.user else None
    except LastAdministrator:
        return Reason.LAST_ADMINISTRATOR
    invitations.revoke([member], by=by, at=at)
    ties.end_accesses(member.pk, by=by, at=at)
    member.state, member.role_kept = StaffState.LOCKED, role or ""
    member.save(update_fields=["state", "role_kept"])
    _note("staff.locked", member, {"state": StaffState.ACTIVE}, {"state": StaffState.LOCKED}, by=by, at=at)
    if member.user_id:
        messages.tell("locked", member, at=at)
    return None


def _unlock(member: LockedMember, by: User | str, at: datetime) -> Reason | None:
    role, member.state, member.role_kept = member.role_kept, StaffState.ACTIVE, ""
    member.save(update_fields=["state", "role_kept"])
    if member.user and role:
        memberships.give(member.user, Role(role), by=by, at=at)
        messages.tell("unlocked", member, at=at)
    _note("staff.unlocked", member, {"state": StaffState.LOCKED}, {"state": StaffState.ACTIVE}, by=by, at=at)
    return None


def _leave(member: LockedMember, by: User | str, at: datetime) -> Reason | None:
    try:
        ended = memberships.end(member.user, by=by, at=at) if member.user else None
    except LastAdministrator:
        return Reason.LAST_ADMINISTRATOR
    invitations.revoke([member], by=by, at=at)
    ties.end_accesses(member.pk, by=by, at=at)
    if ended:
        messages.tell("left", member, at=at)
    before, email = member.state, member.address
    member.state, member.left_at, member.role_kept = StaffState.LEFT, at, ""
    member.email, member.user = email, None
    member.save(update_fields=["state", "left_at", "role_kept", "email", "user"])
    _note("staff.left", member, {"state": before}, {"state": StaffState.LEFT}, by=by, at=at)
    return None


def _enrol(user: User, *, by: User | str, at: datetime) -> StaffMember:
    """Link the person's row, if there is one with their address and without a login, or write one down."""
    found = StaffMember.objects.present().filter(email=user.email, user=None).values_list("pk", flat=True)
    rows = StaffMember.objects.locked(found)
    if rows:
        member: StaffMember = rows[0]
        invitations.revoke(rows, by=by, at=at)
    else:
        member = StaffMember(name=user.name or user.email, email=user.email, language=user.language, created_at=at)
    member.sort_key = fold(member.name)[:160]
    member.user = user
    member.save()
    _note("staff.enrolled", member, {}, {"email": user.email}, by=by, at=at)
    return member


def _address_is_free(email: str, *, but_for: StaffMember | None = None) -> None:
    """Raise MemberRefused when somebody else here has the address; two who ask at once wait for one another."""
    if not email:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('staff_email', %s))", [current()])
    others = StaffMember.objects.present().exclude(pk=but_for.pk if but_for else None)
    if others.filter(email=email).exists() or others.filter(user__email=email).exists():
        raise MemberRefused(_("Another staff member has this e-mail address already."), "email")


def _note(
    verb: str, member: StaffMember, before: dict[str, str], after: dict[str, str], *, by: User | str, at: datetime
) -> None:
    entry = audit.Entry(KIND, member.pk, member.name, before, after, member.tenant_id)
    audit.record(verb, [entry], by=by, at=at)
