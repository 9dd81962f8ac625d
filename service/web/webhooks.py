"""POST /webhook/{provider}: checks secret and size, stores the body, and only then says 202."""

import base64
import contextlib
import hashlib
import hmac
import sys
import time
from typing import TYPE_CHECKING

import structlog
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.config.settings import Config, Proof, Reading, Secret
from service.errors import PostUnreadable, ProviderUnknown, SecretWrong, StoreUnavailable
from service.providers.post import RawPost
from service.providers.registry import PROVIDERS, Provider, provider_named
from service.providers.signatures import check_signature
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.front import Front, JsonLine, front_of

if TYPE_CHECKING:
    from service.web.sns_door import SnsDoor

_PREFIX = "/webhook/"
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


class _Refused(Exception):
    """The post is not taken in."""

    def __init__(self, status: int, error: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.answer = JsonLine({"error": error}, status, headers)


async def receive_post(request: Request) -> Response:
    """Take in a provider's post: 202 with its inbox id once it is on disk, or what is wrong with it."""
    began, front = time.perf_counter(), front_of(request)
    try:
        answer = await _receive(request, front)
    except _Refused as refused:
        answer = refused.answer
    name = request.path_params["provider"].casefold()
    front.answered(name if name in PROVIDERS else "", answer.status_code, time.perf_counter() - began)
    return answer


async def _receive(request: Request, front: Front) -> JsonLine:
    config = front.house.config
    provider, secret = _checked(request, config)
    body = await _read(request, provider.largest)
    afterwards = await _prove(request, provider, secret, body)
    query: dict[str, str] = {}
    if request.scope["query_string"]:
        query = {key: value for key, value in request.query_params.items() if key != "secret"}
    content_type = request.headers.get("content-type", "")
    post = RawPost(body, content_type, query)
    complaint = _complaint(provider, post, config)
    arrival = Arrival(
        door=Door.WEBHOOK,
        provider=provider.name,
        received_at=front.clock(),
        raw=body,
        about={"content_type": content_type[:200], "query": query},
        content_key=None if complaint else _content_key(provider, post),
        state=InboxState.REFUSED if complaint else InboxState.PENDING,
        reason="unreadable" if complaint else "",
        explanation=complaint,
    )
    try:
        inbox_id = await front.receive(arrival)
    except StoreUnavailable as error:
        _log.error("webhook not stored", provider=provider.name, error=str(error))
        said = "this post could not be stored; send it again"
        raise _Refused(503, said, {"retry-after": "5"}) from error
    if complaint:
        return JsonLine({"error": complaint, "id": inbox_id}, 400)
    return JsonLine({"id": inbox_id}, 202, background=afterwards)


def _checked(request: Request, config: Config) -> tuple[Provider, Secret]:
    """Find the provider that is named, whose secret was offered if it has one."""
    try:
        provider = provider_named(request.path_params["provider"])
        secret = _secret_of(provider.name, config)
        check_secret(request, secret)
    except ProviderUnknown as error:
        raise _Refused(404, str(error)) from error
    except SecretWrong as error:
        _log.warning("webhook refused: wrong secret", provider=request.path_params["provider"][:80])
        raise _Refused(401, str(error), {"www-authenticate": 'Basic realm="webhook"'}) from error
    return provider, secret


async def _read(request: Request, largest: int) -> bytes:
    """Read the body as it comes, which costs half of what `Request.stream` does."""
    too_large = f"the body is over {largest // 1024} KiB"
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > largest:
        raise _Refused(413, too_large)
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise _Refused(400, "the post was cut short; send it again")
        body += message.get("body", b"")
        if len(body) > largest:
            raise _Refused(413, too_large)
        if not message.get("more_body", False):
            return bytes(body)


async def _prove(request: Request, provider: Provider, secret: Secret, body: bytes) -> BackgroundTask | None:
    """Check a post's signature, and give what is to be done once it was answered."""
    front = front_of(request)
    proof = front.house.config.proofs.get(provider.name, _NO_PROOF)
    if not (proof.signing_secret or provider.is_signed_by_amazon):
        return None
    now = front.clock()
    try:
        check_signature(provider.name, body, request.headers, proof.signing_secret, now)
        if not provider.is_signed_by_amazon:
            return None
        door: SnsDoor = request.app.state.sns_door
        await door.check(body, proof, now, is_secret_right=bool(secret))
        return door.confirmation_of(body, proof, is_secret_right=bool(secret))
    except SecretWrong as error:
        _log.warning("webhook refused: not proven", provider=provider.name, error=str(error))
        raise _Refused(401, str(error)) from error
    except StoreUnavailable as error:
        raise _Refused(503, str(error), {"retry-after": "30"}) from error


def _complaint(provider: Provider, post: RawPost, config: Config) -> str:
    """Say what is wrong with a post, if anything: nearly all are told at a glance to be right."""
    if provider.is_plain(post.body):
        return ""
    try:
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


def check_secret(request: Request, secret: Secret) -> None:
    """Compare in constant time whatever the request offers as its secret; raises SecretWrong."""
    if not secret:
        return
    wanted = secret.reveal().encode()
    if not any(hmac.compare_digest(offered, wanted) for offered in _offered(request)):
        raise SecretWrong("the secret is missing or wrong: see `webhooks` in config.yaml")


def _offered(request: Request) -> list[bytes]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    in_url = request.path_params.get("secret"), request.query_params.get("secret")
    offered = [text.encode() for text in in_url if text]
    # Starlette reads header fields as Latin-1; in bytes again, a secret may be any text
    offered.append(request.headers.get("x-replycast-secret", "").encode("latin-1"))
    if scheme.lower() == "bearer":
        offered.append(credentials.strip().encode("latin-1"))
    elif scheme.lower() == "basic":
        # what does not decode is no offer at all: it is refused like a missing one
        with contextlib.suppress(ValueError):
            offered.append(base64.b64decode(credentials, validate=True).partition(b":")[2])
    return [secret for secret in offered if secret]


# Starlette's own bound would answer for us, in its words, where a length beyond it is declared; `_read` is stricter
_NO_OTHER_BOUND = sys.maxsize

routes = [
    Route(path, receive_post, methods=["POST"], max_body_size=_NO_OTHER_BOUND)
    for path in ("/webhook/{provider}", "/webhook/{provider}/{secret:path}")
]
