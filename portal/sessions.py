"""A person's sessions, ended by somebody else: those that show one tenant."""

from datetime import datetime

from allauth.usersessions.models import UserSession

from portal import audit
from portal.models import User
from portal.session_store import SessionStore


def end(user: User, *, tenant_id: int, by: User | str, at: datetime) -> int:
    """End a person's sessions that show this tenant, or none yet; return how many. Those of other tenants go on."""
    keys = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    shown = {key: SessionStore(session_key=key) for key in keys}
    ended = [key for key, session in shown.items() if session.get("tenant_id", tenant_id) == tenant_id]
    for key in ended:
        shown[key].delete()
    UserSession.objects.filter(user=user, session_key__in=ended).delete()
    entries = [audit.Entry("user", user.pk, user.email, {}, {"sessions": len(ended)}, tenant_id)] if ended else []
    audit.record("user.sessions_ended", entries, by=by, at=at)
    return len(ended)
