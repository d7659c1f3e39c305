"""Who a session is of: read together with what every page asks first, so that no page asks twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from portal.models import User

_at_hand: ContextVar[User | None] = ContextVar("person at hand", default=None)


@contextmanager
def at_hand(user: User | None) -> Iterator[None]:
    """Let the backend take this person, just read, instead of reading the same row again."""
    token = _at_hand.set(user)
    try:
        yield
    finally:
        _at_hand.reset(token)


class Backend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """Sign-in by e-mail and password; Django checks the session of whoever it returns, wherever the row came from."""

    def get_user(self, user_id: Any) -> User | None:
        user = _at_hand.get()
        if user is None or user.pk != user_id:
            found: User | None = super().get_user(user_id)
            return found
        return user if self.user_can_authenticate(user) else None
