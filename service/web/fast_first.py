"""The application with what is asked most in front: pages that are ready, and posts. Neither needs the routing.

Both are as guarded as all else. A page that is ready is answered without a look at the database.
"""

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from service.web.public.pages import PublicPages
from service.web.webhooks import named_in, take_post


class FastFirst(Starlette):
    """An application that looks at these two before anything else; what is neither goes its usual way."""

    pages: PublicPages
    takes_posts = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, or pass the request on."""
        if scope["type"] == "http":
            pages, path, method = self.pages, scope["path"], scope["method"]
            if method == "POST" and self.takes_posts:
                named = named_in(path)
                if named is not None:
                    scope["app"], scope["path_params"] = self, named
                    await take_post(scope, receive, send)
                    return
            elif path in pages.prepared and method in {"GET", "HEAD"}:
                if not pages.is_fresh():
                    await pages.refresh()
                prepared = pages.prepared.get(path)
                if prepared is not None:
                    start, body = prepared.answer(method, scope["headers"])
                    await send(start)
                    await send({"type": "http.response.body", "body": body})
                    return
        await super().__call__(scope, receive, send)
