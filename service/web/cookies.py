"""Our cookies: out of reach of scripts and other sites and, by https, bound to exactly this host."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from service.web.front import Front, front_of


def cookie_name(front: Front, name: str) -> str:
    """Give what the browser calls a cookie: by https with a prefix that lets no other host set it (RFC 6265bis)."""
    return f"__Host-{name}" if front.is_https else name


def read_cookie(request: Request, name: str) -> str:
    """Give what the browser holds; "" for nothing."""
    return request.cookies.get(cookie_name(front_of(request), name), "")


def set_cookie(request: Request, answer: Response, name: str, value: str, lifetime: timedelta) -> None:
    """Let the browser hold something."""
    # Lax, not Strict: the first page is opened by a link in a mail program, or by the provider
    front = front_of(request)
    answer.set_cookie(
        cookie_name(front, name),
        value,
        max_age=int(lifetime.total_seconds()),
        secure=front.is_https,
        httponly=True,
        samesite="lax",
    )


def forget_cookie(request: Request, answer: Response, name: str) -> None:
    """Let the browser forget it."""
    front = front_of(request)
    answer.delete_cookie(cookie_name(front, name), secure=front.is_https, httponly=True, samesite="lax")
