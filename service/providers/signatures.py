"""Whether a post is signed with the secret that only its provider and we know. Compares in constant time."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from service.config.settings import Secret
from service.errors import SecretWrong
from service.providers import grafana, pagerduty

MOST_SIGNATURES: Final = 20
"""In one header: a webhook has two secrets while one is changed for the other."""
SIGNED_WITHIN: Final = timedelta(minutes=5)
"""How far the time of a signature may be from ours."""

Check = Callable[[bytes, Mapping[str, str], bytes, datetime], bool]


def check_signature(
    provider: str, body: bytes, headers: Mapping[str, str], secret: Secret, now: datetime
) -> None:
    """Check a post's signature; raises SecretWrong where it is missing, wrong or too old.

    `headers` are found by their names in lower case. A provider that signs nothing, or none configured to, passes.
    """
    check = _CHECKS.get(provider)
    if not secret or check is None:
        return
    if not check(body, headers, secret.reveal().encode(), now):
        raise SecretWrong("the signature is missing or wrong: see `signing_secret` in config.yaml")


def _digest(secret: bytes, signed: bytes) -> bytes:
    return hmac.new(secret, signed, hashlib.sha256).hexdigest().encode()


def _by_pagerduty(body: bytes, headers: Mapping[str, str], secret: bytes, _now: datetime) -> bool:
    """Find one right among the signatures, as PagerDuty's "Verifying signatures" has it."""
    wanted = b"v1=" + _digest(secret, body)
    given = headers.get("x-pagerduty-signature", "").split(",", MOST_SIGNATURES)[:MOST_SIGNATURES]
    # each is compared, so that the time does not tell which one it was
    return sum(hmac.compare_digest(one.strip().encode("latin-1", "replace"), wanted) for one in given) > 0


def _by_grafana(body: bytes, headers: Mapping[str, str], secret: bytes, now: datetime) -> bool:
    """Compare as Grafana's "Configure webhook notifications" has it, with the time where one is sent."""
    at = headers.get("x-grafana-alerting-timestamp")
    signed = body if at is None else f"{at}:".encode("latin-1", "replace") + body
    given = headers.get("x-grafana-alerting-signature", "").strip().encode("latin-1", "replace")
    if not hmac.compare_digest(given, _digest(secret, signed)):
        return False
    return at is None or (
        at.isdecimal() and abs(now.timestamp() - int(at[:12])) <= SIGNED_WITHIN.total_seconds()
    )


_CHECKS: Final[Mapping[str, Check]] = {pagerduty.NAME: _by_pagerduty, grafana.NAME: _by_grafana}
