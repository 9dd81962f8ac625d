"""The door for Amazon SNS: fetches the certificates that its messages are signed with, and confirms subscriptions.

Calls Amazon alone, and only what `sns_signature` allows. A subscription is confirmed after the message was answered.
Imported only where config.yaml lets SNS post: cryptography costs seven megabytes of memory.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import anyio
import orjson
import structlog
from starlette.background import BackgroundTask

from service.calls.calling import open_caller
from service.config.settings import Proof
from service.errors import RecipientRefused, RecipientRefusedForNow, SecretWrong, StoreUnavailable
from service.providers.sns import SUBSCRIPTION
from service.providers.sns_signature import (
    LARGEST_CERTIFICATE,
    certificate_url,
    check_message,
    is_of_sns,
    read_certificate,
)

Fetch = Callable[[str, int], Awaitable[bytes]]
"""Gets what stands at a URL, of at most so many bytes; raises RecipientRefused and RecipientRefusedForNow."""

MOST_KEPT: Final = 16
"""Certificates; each region of Amazon's has one or two."""
MOST_FETCHED: Final = 10
"""Certificates within FETCHED_WITHIN: strangers can name ever new ones that do not exist."""
FETCHED_WITHIN: Final = timedelta(minutes=1)
PAUSES: Final = (1.0, 5.0)
"""Seconds between the attempts to confirm a subscription."""
_LARGEST_ANSWER: Final = 64 * 1024

_log = structlog.get_logger()


async def fetch_public(url: str, most: int) -> bytes:
    """Get what stands at a public address."""
    async with open_caller(may_be_private=False) as caller:
        return await caller.fetch(url, most=most)


class SnsDoor:
    """Keeps the certificates that were fetched, and by when."""

    def __init__(self, fetch: Fetch = fetch_public) -> None:
        self._fetch = fetch
        self._kept: dict[str, bytes] = {}
        self._fetched_at: deque[datetime] = deque(maxlen=MOST_FETCHED)
        self._one_at_a_time = anyio.Lock()

    async def check(self, body: bytes, proof: Proof, now: datetime, *, is_secret_right: bool) -> None:
        """Check that a message is Amazon's and of a topic that we take.

        Raises SecretWrong where it is not, and StoreUnavailable where its certificate cannot be had just now. What is
        no message of SNS passes with a secret alone, for SNS signs none that it delivers raw.
        """
        message = _message(body)
        if "Type" not in message:
            if not is_secret_right:
                raise SecretWrong(
                    "this is not signed by Amazon SNS: set `secret`, or turn raw message delivery off"
                )
            return
        if proof.topics and message.get("TopicArn") not in proof.topics:
            raise SecretWrong("the topic of this message is not among the `topics` in config.yaml")
        url = certificate_url(message)
        check_message(message, read_certificate(await self._certificate(url, now), now))

    async def _certificate(self, url: str, now: datetime) -> bytes:
        if url in self._kept:
            return self._kept[url]
        async with self._one_at_a_time:
            if url in self._kept:
                return self._kept[url]
            if len(self._fetched_at) == MOST_FETCHED and now - self._fetched_at[0] < FETCHED_WITHIN:
                raise StoreUnavailable("too many certificates of Amazon SNS were asked for; send it again")
            self._fetched_at.append(now)
            try:
                pem = await self._fetch(url, LARGEST_CERTIFICATE)
            except (RecipientRefused, RecipientRefusedForNow) as error:
                _log.warning("certificate of Amazon SNS not fetched", url=url, error=str(error))
                raise StoreUnavailable(
                    "the certificate of Amazon SNS cannot be had; send it again"
                ) from error
            read_certificate(pem, now)  # what is none is not kept
            if len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[url] = pem
            return pem

    def confirmation_of(self, body: bytes, proof: Proof, *, is_secret_right: bool) -> BackgroundTask | None:
        """Give what confirms a subscription once a message, which was checked, is answered; None: nothing is to be.

        A subscription is confirmed only for a topic that config.yaml names, or with the secret.
        """
        message = _message(body)
        if message.get("Type") != SUBSCRIPTION:
            return None
        topic, url = message.get("TopicArn"), message.get("SubscribeURL")
        if not is_secret_right and topic not in proof.topics:
            _log.warning(
                "subscription not confirmed: set `secret`, or name the topic in `topics`", topic=topic
            )
            return None
        if not isinstance(topic, str) or not isinstance(url, str) or not is_of_sns(url):
            _log.warning("subscription not confirmed: SubscribeURL does not lead to Amazon SNS", topic=topic)
            return None
        return BackgroundTask(self._confirm, url, topic)

    async def _confirm(self, url: str, topic: str) -> None:
        for pause in (*PAUSES, None):
            try:
                await self._fetch(url, _LARGEST_ANSWER)
            except (RecipientRefused, RecipientRefusedForNow) as error:
                _log.warning(
                    "subscription not confirmed", topic=topic, error=str(error), tries_again=bool(pause)
                )
                if pause is not None:
                    await anyio.sleep(pause)
            else:
                _log.info("subscription confirmed", topic=topic)
                return


def _message(body: bytes) -> Mapping[str, Any]:
    """Read a message as strictly as its signature is checked; empty: it is none."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}
