"""A call is signed as Standard Webhooks says."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime

from service.calls.signing import KEY_PREFIX, signed, signing_key

KEY, AT = b"k" * 32, datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_whoever_has_the_key_can_verify_the_call() -> None:
    secret = b64decode(signing_key(KEY, "ana").removeprefix(KEY_PREFIX))
    headers = signed(KEY, "ana", call_id="d1", at=AT, body=b'{"a":1}')
    expected = hmac.new(secret, b'd1.%d.{"a":1}' % AT.timestamp(), hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "d1",
        "webhook-timestamp": str(int(AT.timestamp())),
        "webhook-signature": f"v1,{b64encode(expected).decode()}",
    }


def test_each_subscriber_has_a_key_of_its_own_in_each_installation() -> None:
    keys = {signing_key(key, who) for key in (KEY, b"j" * 32) for who in ("ana", "ben")}
    assert len(keys) == 4


def test_a_changed_body_id_or_time_has_another_signature() -> None:
    calls = [("d1", AT, b"a"), ("d2", AT, b"a"), ("d1", AT.replace(hour=13), b"a"), ("d1", AT, b"b")]
    signatures = {
        signed(KEY, "ana", call_id=name, at=at, body=body)["webhook-signature"] for name, at, body in calls
    }
    assert len(signatures) == 4
