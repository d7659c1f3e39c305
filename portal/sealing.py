"""Sealing: what must not be read in the database, a dump or a backup is kept encrypted (AES-256-GCM).

The key is made of the secret key; old secret keys still open what they closed. `about` binds the content to its row: a
sealed text moved elsewhere does not open.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE = 12


class BrokenSeal(ValueError):
    """What was sealed is not what is here, or no key opens it."""


def seal(content: bytes, *, about: str) -> bytes:
    """Return the content encrypted, bound to what it is about."""
    nonce = os.urandom(_NONCE)
    return nonce + _keys()[0].encrypt(nonce, content, about.encode())


def unseal(sealed: bytes, *, about: str) -> bytes:
    """Return what was sealed about this; raise BrokenSeal if it was changed, moved or closed with another key."""
    for key in _keys():
        try:
            return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
        except InvalidTag:
            continue
    raise BrokenSeal(about)


def _keys() -> list[AESGCM]:
    secrets = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return [AESGCM(HKDF(SHA256(), 32, None, b"portal.sealing").derive(secret.encode())) for secret in secrets]
