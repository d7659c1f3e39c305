"""One person's page: who they are, what they can get into, what happened to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from portal import memberships
from portal.models import Role
from portal.shell import hue, initials
from staff import history, invitations
from staff.models import Invitation, StaffMember, StaffState

EVENTS = 10


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody can get into. `role` is None without a login; while locked it is the role that comes back."""

    role: Role | None
    invitation: Invitation | None
    is_invited: bool
    is_expired: bool

    @property
    def label(self) -> str:
        return str(self.role.label) if self.role else ""


def access(member: StaffMember, *, at: datetime) -> Access:
    """Return the login and the newest invitation of a person (`user` loaded)."""
    membership = memberships.of([member.user_id]).get(member.user_id) if member.user_id else None
    kept = membership.role if membership else member.role_kept
    newest = invitations.newest([member.pk]).get(member.pk)
    waiting = newest if newest and not newest.accepted_at and not newest.revoked_at else None
    is_open = bool(waiting and waiting.is_open(at))
    return Access(Role(kept) if kept else None, waiting, is_open, bool(waiting and not is_open))


def shown(member: StaffMember, *, at: datetime, before: int | None = None) -> dict[str, Any]:
    """Return everything the page shows about a person; `before` is the event from which older ones are shown."""
    past, more = history.of_member(member, before=before, count=EVENTS)
    can = access(member, at=at)
    return {
        "member": member,
        "initials": initials(member.name),
        "hue": hue(member.name),
        "access": can,
        "is_active": member.state == StaffState.ACTIVE,
        "is_locked": member.state == StaffState.LOCKED,
        "is_here": member.state != StaffState.LEFT,
        "past": past,
        "more": more,
        "first_page": before is None,
    }


def sentence(verb: str, member: StaffMember) -> str:
    """Confirm what was just done to a person, naming them."""
    says: dict[str, Callable[[], str]] = {
        "lock": lambda: _("%(name)s is locked and signed out."),
        "unlock": lambda: _("%(name)s is unlocked."),
        "remove": lambda: _("%(name)s was removed; the history stays."),
        "invite": lambda: _("The invitation to %(name)s is on its way to %(address)s."),
        "revoke": lambda: _("The invitation to %(name)s was revoked."),
        "role": lambda: _("The role of %(name)s was changed."),
    }
    return says[verb]() % {"name": member.name, "address": member.address}
