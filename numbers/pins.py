"""PINs of letters: made, hashed, compared (rule V2). Nothing here keeps or writes one."""

import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from django.conf import settings

from numbers.models import PinLetter

ALPHABET = "23456789ACDEFGHJKMNPQRTUVWXY"  # 28 signs, none of which is taken for another
LENGTH = 8
# Slow on purpose, but light on memory: letters are made beside a PDF, and the entry is limited to five tries.
_HASHER = PasswordHasher(time_cost=4, memory_cost=9 * 1024, parallelism=1)


def new() -> str:
    """Return a PIN as it is printed: two groups of four, 38 bits."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{signs[:4]}-{signs[4:]}"


def normal(text: str) -> str:
    """Return what somebody typed as the eight signs it means, or "" if it cannot be a PIN."""
    signs = "".join(sign for sign in text.upper() if sign.isalnum())
    return signs if len(signs) == LENGTH and set(signs) <= set(ALPHABET) else ""


def hashed(pin: str, letter: PinLetter) -> str:
    """Return the PIN's argon2 hash, bound to tenant, address and letter and keyed with the secret key."""
    return _HASHER.hash(_bound(pin, letter, str(settings.SECRET_KEY)))


def matches(pin: str, letter: PinLetter) -> bool:
    """Return whether this is the letter's PIN."""
    return any(_is(letter.pin_hash, _bound(pin, letter, key)) for key in _keys())


def _keys() -> tuple[str, ...]:
    return tuple(str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def _is(kept: str, bound: bytes) -> bool:
    try:
        return _HASHER.verify(kept, bound)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _bound(pin: str, letter: PinLetter, key: str) -> bytes:
    said = f"{letter.tenant_id}:{letter.address_id}:{letter.pk}:{normal(pin)}"
    return hmac.digest(key.encode(), said.encode(), "sha256")
