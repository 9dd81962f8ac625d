"""POST /webhook/{provider}: checks secret and size, stores the body, and only then says 202."""

import base64
import contextlib
import hashlib
import hmac
import sys
import time

import structlog
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from service.config.settings import Config, Proof, Reading, Secret
from service.errors import PostUnreadable, ProviderUnknown, SecretWrong, StoreUnavailable
from service.providers.post import RawPost
from service.providers.registry import PROVIDERS, Provider, provider_named
from service.providers.signatures import check_signature
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.front import JsonLine, front_of
from service.web.sns_door import sns_door

_log = structlog.get_logger()


async def receive_post(request: Request) -> Response:
    """Take in a provider's post: 202 with its inbox id once it is on disk, or what is wrong with it."""
    began = time.perf_counter()
    answer = await _receive(request)
    name = request.path_params["provider"].casefold()
    front_of(request).answered(
        name if name in PROVIDERS else "", answer.status_code, time.perf_counter() - began
    )
    return answer


async def _receive(request: Request) -> Response:
    front = front_of(request)
    try:
        provider = provider_named(request.path_params["provider"])
        secret = _secret_of(provider.name, front.house.config)
        check_secret(request, secret)
    except ProviderUnknown as error:
        return _refusal(404, str(error))
    except SecretWrong as error:
        _log.warning("webhook refused: wrong secret", provider=request.path_params["provider"][:80])
        return _refusal(401, str(error), {"www-authenticate": 'Basic realm="webhook"'})
    try:
        body = await _read(request, provider.largest)
    except ClientDisconnect:
        return _refusal(400, "the post was cut short; send it again")
    if body is None:
        return _refusal(413, f"the body is over {provider.largest // 1024} KiB")
    try:
        afterwards = await _prove(request, provider, secret, body)
    except SecretWrong as error:
        _log.warning("webhook refused: not proven", provider=provider.name, error=str(error))
        return _refusal(401, str(error))
    except StoreUnavailable as error:
        return _refusal(503, str(error), {"retry-after": "30"})
    query = {key: value for key, value in request.query_params.items() if key != "secret"}
    content_type = request.headers.get("content-type", "")
    post, complaint = RawPost(body, content_type, query), ""
    try:
        provider.read(post, front.house.config.readings.get(provider.name, Reading()))
    except PostUnreadable as error:
        complaint = str(error)
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
        return _refusal(503, "this post could not be stored; send it again", {"retry-after": "5"})
    if complaint:
        return JsonLine({"error": complaint, "id": inbox_id}, 400)
    return JsonLine({"id": inbox_id}, 202, background=afterwards)


async def _prove(request: Request, provider: Provider, secret: Secret, body: bytes) -> BackgroundTask | None:
    """Check a post's signature, and give what is to be done once it was answered.

    Raises SecretWrong, and StoreUnavailable where it cannot be told just now.
    """
    front = front_of(request)
    proof, now = front.house.config.proofs.get(provider.name, Proof()), front.clock()
    check_signature(provider.name, body, request.headers, proof.signing_secret, now)
    if not provider.is_signed_by_amazon:
        return None
    door = sns_door(request)
    await door.check(body, proof, now, is_secret_right=bool(secret))
    return door.confirmation_of(body, proof, is_secret_right=bool(secret))


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


async def _read(request: Request, largest: int) -> bytes | None:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > largest:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            return None
    return bytes(body)


def _refusal(status: int, error: str, headers: dict[str, str] | None = None) -> JsonLine:
    return JsonLine({"error": error}, status, headers)


# Starlette's own bound would answer for us, in its words, where a length beyond it is declared; `_read` is stricter
_NO_OTHER_BOUND = sys.maxsize

routes = [
    Route(path, receive_post, methods=["POST"], max_body_size=_NO_OTHER_BOUND)
    for path in ("/webhook/{provider}", "/webhook/{provider}/{secret:path}")
]
