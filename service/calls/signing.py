"""Signs calls as the Standard Webhooks specification says, so that its libraries can verify them.

The key of each subscriber is derived, as reply tokens are: the database holds none of them.
"""

import hashlib
import hmac
from base64 import b64encode
from datetime import datetime
from typing import Final

KEY_PREFIX: Final = "whsec_"
_PURPOSE: Final = b"webhook signing key:"


def signing_key(key: bytes, public_id: str) -> str:
    """Give a subscriber's key in the form that receivers paste: `whsec_` and base64."""
    return KEY_PREFIX + b64encode(_secret(key, public_id)).decode()


def signed(key: bytes, public_id: str, *, call_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Give the headers that prove a call: its id (the same at each attempt), its time and the signature.

    Standard Webhooks, "Signature scheme": `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
    """
    stamp = str(int(at.timestamp()))
    said = b".".join((call_id.encode(), stamp.encode(), body))
    digest = hmac.new(_secret(key, public_id), said, hashlib.sha256).digest()
    return {
        "webhook-id": call_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def _secret(key: bytes, public_id: str) -> bytes:
    return hmac.new(key, _PURPOSE + public_id.encode(), hashlib.sha256).digest()
