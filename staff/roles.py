"""The role of a tenant's people who sign in; `portal.access` says what each role may do (rule A6)."""

from collections.abc import Sequence
from datetime import datetime

from portal import audit, memberships
from portal.memberships import LastAdministrator
from portal.models import Role, User
from staff import messages, outcomes
from staff.models import LockedMember, StaffState
from staff.outcomes import Outcome, Reason

KIND = "staff_member"


def change(members: Sequence[LockedMember], *, role: Role, by: User | str, at: datetime) -> list[Outcome]:
    """Give these people another role, from their next request on; their open sessions of this tenant end.

    Returns one outcome per person: done, unchanged (has that role) or refused (no login, locked, left, the last
    administrator). The person is told by mail.
    """
    return [outcomes.of(member.pk, _change(member, role, by, at)) for member in members]


def _change(member: LockedMember, role: Role, by: User | str, at: datetime) -> Reason | None:
    if member.state != StaffState.ACTIVE:
        return Reason.HAS_LEFT if member.state == StaffState.LEFT else Reason.IS_LOCKED
    membership = memberships.of([member.user_id]).get(member.user_id) if member.user_id else None
    if membership is None:
        return Reason.NO_LOGIN
    before = membership.role
    try:
        if not memberships.change_role(membership, role, by=by, at=at):
            return Reason.SAME_ROLE
    except LastAdministrator:
        return Reason.LAST_ADMINISTRATOR
    entry = audit.Entry(KIND, member.pk, member.name, {"role": before}, {"role": role}, member.tenant_id)
    audit.record("staff.role_changed", [entry], by=by, at=at)
    messages.tell("role_changed", member, at=at, role=role)
    return None
