"""User names and secrets of fax printers: made, hashed, compared (rule F3). Nothing here keeps or writes one.

A secret has 93 random bits, so a keyed SHA-256 is enough and costs a printer's request nothing.
"""

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from fax.models import FaxCredential

LOWER = "23456789abcdefghijkmnpqrstuvwxyz"
SIGNS = LOWER + "ABCDEFGHJKLMNPQRSTUVWXYZ"  # 56 signs, none of which is taken for another
LENGTH = 16


def new_username() -> str:
    """Return a user name nobody has; it tells neither tenant, number nor person."""
    return "fax-" + "".join(secrets.choice(LOWER) for _ in range(8))


def is_username(text: str) -> bool:
    """Return whether this could be a user name at all; the database is asked for nothing else."""
    return text.startswith("fax-") and text.isascii() and text.isprintable()


def new_secret() -> str:
    """Return a secret: 16 signs, 92.9 bits."""
    return "".join(secrets.choice(SIGNS) for _ in range(LENGTH))


def new_token() -> str:
    """Return the token of a link, 256 bits."""
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> str:
    """Return what is kept of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def hashed(secret: str, credential: FaxCredential) -> str:
    """Return what is kept of a secret: its HMAC, bound to tenant and user name, under a key made of the secret key."""
    return _hashed(secret, credential, str(settings.SECRET_KEY))


def matches(secret: str, credential: FaxCredential, kept: str) -> bool:
    """Return whether this is the secret whose hash is `kept`; old secret keys of the portal still count."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    tried = [hmac.compare_digest(kept, _hashed(secret, credential, str(key))) for key in keys]
    return bool(kept) and any(tried)


def _hashed(secret: str, credential: FaxCredential, key: str) -> str:
    derived = HKDF(SHA256(), 32, None, b"fax.keys").derive(key.encode())
    said = f"{credential.tenant_id}:{credential.username}:{secret}"
    return hmac.new(derived, said.encode(errors="replace"), "sha256").hexdigest()
