"""POST /webhook/{provider}: checks secret and size, stores the body, and only then says 202."""

import base64
import contextlib
import hmac
import sys

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
    try:
        provider = provider_named(request.path_params["provider"])
        check_secret(request, front.house.config.webhooks.get(provider.name, Secret("")))
    except ProviderUnknown as error:
        return _refusal(404, str(error))
    except SecretWrong as error:
        _log.warning("webhook refused: wrong secret", provider=request.path_params["provider"][:80])
        return _refusal(401, str(error), {"www-authenticate": 'Basic realm="webhook"'})
    try:
        body = await _read(request)
    except ClientDisconnect:
        return _refusal(400, "the post was cut short; send it again")
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
        provider=provider.name,
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
        _log.error("webhook not stored", provider=provider.name, error=str(error))
        return _refusal(503, "this post could not be stored; send it again", {"retry-after": "5"})
    if complaint:
        return JSONResponse({"error": complaint, "id": inbox_id}, 400)
    return JSONResponse({"id": inbox_id}, 202)


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


async def _read(request: Request) -> bytes | None:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > LARGEST_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _refusal(status: int, error: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers)


# Starlette's own bound would answer for us, in its words, where a length beyond it is declared; `_read` is stricter
_NO_OTHER_BOUND = sys.maxsize

routes = [
    Route(path, receive_post, methods=["POST"], max_body_size=_NO_OTHER_BOUND)
    for path in ("/webhook/{provider}", "/webhook/{provider}/{secret:path}")
]
