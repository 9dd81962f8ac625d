"""POST /webhook/{provider}: checks secret and size, stores the body, and only then says 202."""

import hashlib
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import orjson
import structlog
from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from service.config.settings import Config, Proof, Reading, Secret
from service.errors import (
    PostUnreadable,
    ProviderUnknown,
    SecretWrong,
    StoreUnavailable,
    TemporaryFault,
    exhaustion_named,
)
from service.providers.post import RawPost
from service.providers.registry import PROVIDERS, Provider, provider_named
from service.providers.signatures import check_signature
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.guards import RawField, raw_guard_headers
from service.web.posts import CutShort, Post, TooLarge, check_secret

if TYPE_CHECKING:
    from service.web.sns_door import SnsDoor

_PREFIX: Final = "/webhook/"
_IS_JSON: Final = (b"content-type", b"application/json")
_AS_USUAL, _NO_PROOF = Reading(), Proof()

_log = structlog.get_logger()


def named_in(path: str) -> dict[str, str] | None:
    """Read what the path of a post names, as the routes below do: its provider, and perhaps the secret."""
    if not path.startswith(_PREFIX):
        return None
    provider, has_secret, secret = path[len(_PREFIX) :].partition("/")
    if not provider:
        return None
    return {"provider": provider, "secret": secret} if has_secret else {"provider": provider}


class _Answer:
    """What a post is answered with, in JSON that ends with a line break; `afterwards` is done once it was sent."""

    __slots__ = ("afterwards", "body", "more", "status")

    def __init__(
        self, status: int, told: object, *more: RawField, afterwards: BackgroundTask | None = None
    ) -> None:
        self.status = status
        self.body = orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
        self.more = more
        self.afterwards = afterwards

    def fields(self, guards: Sequence[RawField]) -> list[RawField]:
        """Give its head."""
        return [_IS_JSON, (b"content-length", b"%d" % len(self.body)), *self.more, *guards]


class _Refused(Exception):
    """The post is not taken in."""

    def __init__(self, status: int, error: str, *more: RawField) -> None:
        super().__init__(error)
        self.answer = _Answer(status, {"error": error}, *more)


class PostDoor:
    """The ASGI application behind the routes of posts; `fast_first` hands posts to it without the routing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a post."""
        began, front = time.perf_counter(), scope["app"].state.front
        post = Post(scope, receive, front)
        try:
            answer = await _receive(post)
        except _Refused as refused:
            answer = refused.answer
        name = post.named["provider"].casefold()
        front.answered(name if name in PROVIDERS else "", answer.status, time.perf_counter() - began)
        fields = answer.fields(raw_guard_headers(is_https=front.is_https))
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": answer.body})
        if answer.afterwards is not None:
            await answer.afterwards()


async def _receive(post: Post) -> _Answer:
    front = post.front
    config = front.house.config
    provider, secret = _checked(post, config)
    body = await _read(post, provider.largest)
    afterwards = None
    proof = config.proofs.get(provider.name, _NO_PROOF)
    if proof.signing_secret or provider.is_signed_by_amazon:
        afterwards = await _prove(post, provider, proof, secret, body)
    try:
        arrival = _arrival(post, provider, body, config)
        inbox_id = await front.receive(arrival)
    except TemporaryFault as error:
        _log.error("webhook not stored", provider=provider.name, error=str(error))
        said = "this post could not be stored; send it again"
        raise _Refused(503, said, (b"retry-after", b"5")) from error
    if arrival.explanation:
        return _Answer(400, {"error": arrival.explanation, "id": inbox_id})
    return _Answer(202, {"id": inbox_id}, afterwards=afterwards)


def _arrival(post: Post, provider: Provider, body: bytes, config: Config) -> Arrival:
    """Give what is stored of a post."""
    query = {key: value for key, value in post.query.items() if key != "secret"} if post.query else {}
    content_type = post.field(b"content-type")
    raw = RawPost(body, content_type, query)
    complaint = _complaint(provider, raw, config)
    return Arrival(
        door=Door.WEBHOOK,
        provider=provider.name,
        received_at=post.front.clock(),
        raw=body,
        about={"content_type": content_type[:200], "query": query},
        content_key=None if complaint else _content_key(provider, raw),
        state=InboxState.REFUSED if complaint else InboxState.PENDING,
        reason="unreadable" if complaint else "",
        explanation=complaint,
    )


def _checked(post: Post, config: Config) -> tuple[Provider, Secret]:
    """Find the provider that is named, whose secret was offered if it has one."""
    try:
        provider = provider_named(post.named["provider"])
        secret = _secret_of(provider.name, config)
        check_secret(post, secret)
    except ProviderUnknown as error:
        raise _Refused(404, str(error)) from error
    except SecretWrong as error:
        _log.warning("webhook refused: wrong secret", provider=post.named["provider"][:80])
        raise _Refused(401, str(error), (b"www-authenticate", b'Basic realm="webhook"')) from error
    return provider, secret


async def _read(post: Post, largest: int) -> bytes:
    try:
        return await post.read(largest)
    except TooLarge as error:
        _log.warning("webhook refused: too large", provider=post.named["provider"][:80], reason=str(error))
        raise _Refused(413, str(error)) from error
    except CutShort as error:
        raise _Refused(400, str(error)) from error


async def _prove(
    post: Post, provider: Provider, proof: Proof, secret: Secret, body: bytes
) -> BackgroundTask | None:
    """Check a post's signature, and give what is to be done once it was answered."""
    now = post.front.clock()
    try:
        check_signature(provider.name, body, Headers(scope=post.scope), proof.signing_secret, now)
        if not provider.is_signed_by_amazon:
            return None
        door: SnsDoor = post.scope["app"].state.sns_door
        await door.check(body, proof, now, is_secret_right=bool(secret))
        return door.confirmation_of(body, proof, is_secret_right=bool(secret))
    except SecretWrong as error:
        _log.warning("webhook refused: not proven", provider=provider.name, error=str(error))
        raise _Refused(401, str(error)) from error
    except StoreUnavailable as error:
        raise _Refused(503, str(error), (b"retry-after", b"30")) from error


def _complaint(provider: Provider, post: RawPost, config: Config) -> str:
    """Say what is wrong with a post, if anything: nearly all are told at a glance to be right.

    Raises MachineExhausted where what reads it could not be opened.
    """
    if provider.is_plain(post.body):
        return ""
    try:
        with exhaustion_named():
            provider.read(post, config.readings.get(provider.name, _AS_USUAL))
    except PostUnreadable as error:
        return str(error)
    return ""


def _secret_of(provider: str, config: Config) -> Secret:
    """Give the secret of a provider; raises ProviderUnknown for one that config.yaml does not name."""
    secret = config.webhooks.get(provider)
    if secret is None:
        raise ProviderUnknown(f"nothing is configured for {provider}: add it to `webhooks` in config.yaml")
    return secret


def _content_key(provider: Provider, post: RawPost) -> str | None:
    """Give what is the same of a post that is delivered once more, where its provider tells."""
    delivery = provider.delivery_of(post)
    if not delivery:
        return None
    return hashlib.sha256(f"{provider.name}\0{delivery}".encode("utf-8", "replace")).hexdigest()


take_post = PostDoor()

# Starlette's own bound would answer for us, in its words, where a length beyond it is declared; `_read` is stricter
_NO_OTHER_BOUND = sys.maxsize

routes = [
    Route(path, take_post, name="take_post", methods=["POST"], max_body_size=_NO_OTHER_BOUND)
    for path in ("/webhook/{provider}", "/webhook/{provider}/{secret:path}")
]
