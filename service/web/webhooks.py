"""POST /webhook/{provider}: checks secret and size, stores the body, and only then says 202."""

import base64
import binascii
import contextlib
import hmac

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.config.settings import Secret
from service.errors import PostUnreadable, ProviderUnknown, SecretWrong, StoreUnavailable
from service.providers.post import RawPost
from service.providers.registry import provider_named
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.front import front_of

LARGEST_BODY = 64 * 1024

_log = structlog.get_logger()


async def receive_post(request: Request) -> Response:
    """Take in a provider's post: 202 with its inbox id once it is on disk, or what is wrong with it."""
    front = front_of(request)
    name = request.path_params["provider"]
    try:
        provider = provider_named(name)
        check_secret(request, front.house.config.webhooks.get(name, Secret("")))
    except ProviderUnknown as error:
        return _refusal(404, str(error))
    except SecretWrong as error:
        _log.warning("webhook refused: wrong secret", provider=name)
        return _refusal(401, str(error), {"www-authenticate": 'Basic realm="webhook"'})
    body = await _read(request)
    if body is None:
        return _refusal(413, f"the body is over {LARGEST_BODY // 1024} KiB")
    query = {key: value for key, value in request.query_params.items() if key != "secret"}
    content_type = request.headers.get("content-type", "")
    complaint = ""
    try:
        provider.read(RawPost(body, content_type, query))
    except PostUnreadable as error:
        complaint = str(error)
    arrival = Arrival(
        door=Door.WEBHOOK,
        provider=name,
        received_at=front.clock(),
        raw=body,
        about={"content_type": content_type[:200], "query": query},
        state=InboxState.REFUSED if complaint else InboxState.PENDING,
        reason="unreadable" if complaint else "",
        explanation=complaint,
    )
    try:
        inbox_id = await front.receive(arrival)
    except StoreUnavailable as error:
        _log.error("webhook not stored", provider=name, error=str(error))
        return _refusal(503, "this post could not be stored; send it again", {"retry-after": "5"})
    if complaint:
        return JSONResponse({"error": complaint, "id": inbox_id}, 400)
    return JSONResponse({"id": inbox_id}, 202)


def check_secret(request: Request, secret: Secret) -> None:
    """Compare in constant time whatever the request offers as its secret; raises SecretWrong."""
    if not secret:
        return
    wanted = secret.reveal().encode()
    if not any(hmac.compare_digest(offered.encode(), wanted) for offered in _offered(request)):
        raise SecretWrong("the secret is missing or wrong: see `webhooks` in config.yaml")


def _offered(request: Request) -> list[str]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    offered = [
        request.path_params.get("secret"),
        request.query_params.get("secret"),
        request.headers.get("x-replycast-secret"),
    ]
    if scheme.lower() == "bearer":
        offered.append(credentials.strip())
    elif scheme.lower() == "basic":
        # what does not decode is no offer at all: it is refused like a missing one
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            offered.append(base64.b64decode(credentials, validate=True).decode().partition(":")[2])
    return [secret for secret in offered if secret]


async def _read(request: Request) -> bytes | None:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)


def _refusal(status: int, error: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers)


routes = [
    Route("/webhook/{provider}", receive_post, methods=["POST"]),
    Route("/webhook/{provider}/{secret}", receive_post, methods=["POST"]),
]
