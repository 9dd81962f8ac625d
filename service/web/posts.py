"""A post to a webhook as it comes in: its fields, its parameters, its body, and the secret that it offers.

Starlette's request does the same and more, and takes twice as long: these may come by the thousand.
"""

import base64
import contextlib
import hmac
from typing import Final

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope

from service.config.settings import Secret
from service.errors import ReplycastError, SecretWrong
from service.web.front import Front

_NO_QUERY: Final = QueryParams()


class TooLarge(ReplycastError):
    """The body has more bytes than are taken."""

    def __init__(self, largest: int) -> None:
        super().__init__(f"the body is over {largest // 1024} KiB")


class CutShort(ReplycastError):
    """Who sent it hung up before its end."""

    def __init__(self) -> None:
        super().__init__("the post was cut short; send it again")


class Post:
    """A post that comes in. Fields and parameters are looked at as they are: most posts have none that matter."""

    __slots__ = ("fields", "front", "named", "query", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, front: Front) -> None:
        self.scope = scope
        self.receive = receive
        self.front = front
        self.named: dict[str, str] = scope["path_params"]
        # of a field that stands there twice the first one counts
        self.fields: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        self.query = QueryParams(scope["query_string"]) if scope["query_string"] else _NO_QUERY

    def field(self, name: bytes) -> str:
        """Give a header field, as Latin-1; "" where there is none."""
        return self.fields.get(name, b"").decode("latin-1")

    async def read(self, largest: int) -> bytes:
        """Read the body as it comes, which costs half of what Starlette's own stream does.

        Raises TooLarge for more bytes than `largest`, and CutShort.
        """
        declared = self.field(b"content-length")
        if declared.isdecimal() and int(declared) > largest:
            raise TooLarge(largest)
        body, pieces, is_whole = b"", bytearray(), False
        while not is_whole:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise CutShort
            piece: bytes = message.get("body", b"")
            is_whole = not message.get("more_body", False)
            if is_whole and not pieces:
                body = piece  # as nearly all come
            else:
                pieces += piece
            if len(pieces) + len(body) > largest:
                raise TooLarge(largest)
        return body or bytes(pieces)


def check_secret(post: Post, secret: Secret) -> None:
    """Compare in constant time whatever the post offers as its secret; raises SecretWrong."""
    if not secret:
        return
    wanted = secret.reveal().encode()
    if not any(hmac.compare_digest(offered, wanted) for offered in _offered(post)):
        raise SecretWrong("the secret is missing or wrong: see `webhooks` in config.yaml")


def _offered(post: Post) -> list[bytes]:
    scheme, _, credentials = post.field(b"authorization").partition(" ")
    in_url = post.named.get("secret"), post.query.get("secret")
    offered = [text.encode() for text in in_url if text]
    # as it came: a secret may be any text
    offered.append(post.fields.get(b"x-replycast-secret", b""))
    if scheme.lower() == "bearer":
        offered.append(credentials.strip().encode("latin-1"))
    elif scheme.lower() == "basic":
        # what does not decode is no offer at all: it is refused like a missing one
        with contextlib.suppress(ValueError):
            offered.append(base64.b64decode(credentials, validate=True).partition(b":")[2])
    return [secret for secret in offered if secret]
