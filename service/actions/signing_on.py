"""What binds a log-in at an OpenID Connect provider to the browser that began it. Standard library, no I/O.

The browser holds one random key; state, nonce and PKCE verifier are derived from it under the house's key, so that
nothing is stored and nobody who sees one of them knows another.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LIFETIME: Final = timedelta(minutes=10)
"""Time to type a password and a second factor at the provider."""

_KEY: Final = re.compile(r"(?P<begun>[0-9]{1,12})\.[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request to the provider carries."""

    state: str
    """Comes back by the browser (RFC 6749 section 10.12)."""
    nonce: str
    """Comes back in the ID token (OpenID Connect Core 1.0, section 15.5.2)."""
    verifier: str
    """Proves that who asked redeems the code (RFC 7636)."""


def make_key(secret: str, now: datetime) -> str:
    """Give what the browser holds, from 32 random bytes as URL-safe base64."""
    return f"{int(now.timestamp())}.{secret}"


def asking_of(house_key: bytes, key: str, now: datetime) -> Asking | None:
    """Give what belongs to a browser's key; None where it is none, or too old."""
    found = _KEY.fullmatch(key)
    if found is None or not 0 <= int(now.timestamp()) - int(found["begun"]) < LIFETIME.total_seconds():
        return None
    return derive_asking(house_key, key)


def derive_asking(house_key: bytes, key: str) -> Asking:
    """Give what belongs to a key that was made this moment."""
    return Asking(*(_derive(house_key, what, key) for what in ("state", "nonce", "verifier")))


def _derive(house_key: bytes, what: str, key: str) -> str:
    digest = hmac.digest(house_key, f"oidc-{what}:{key}".encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode("ascii").rstrip("=")
