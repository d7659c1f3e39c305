"""People who sign in: what they chose for themselves."""

from collections.abc import Iterable
from typing import Any

from django.http import Http404

from portal.models import Membership, User


def remember(user: Any, **choices: Any) -> None:
    """Store a person's own choices (language, theme, preferences) where they differ."""
    changed = [name for name, value in choices.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, choices[name])
    if changed:
        User.save(user, update_fields=changed)


def membership_of(memberships: Iterable[Membership], tenant_id: str) -> Membership:
    """Return the one of these memberships with that tenant; raise Http404, as for a tenant that does not exist."""
    for membership in memberships:
        if str(membership.tenant_id) == tenant_id:
            return membership
    raise Http404
