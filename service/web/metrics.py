"""/metrics: what Prometheus reads, in its text form or as OpenMetrics, whichever it asks for. It changes nothing.

Numbers tell a stranger how a company fares, so that only this machine may read them, or who offers the token of
config.yaml.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.config.settings import Secret
from service.config.values import is_loopback_host
from service.web.from_here import is_from_here
from service.web.front import front_of
from service.web.gauges import read_gauges


@dataclass(frozen=True, slots=True)
class _All:
    """What the library's encoders take for a registry."""

    metrics: list[Metric]

    def collect(self) -> Iterator[Metric]:
        yield from self.metrics


def show_metrics(request: Request) -> Response:
    """Show all metrics to whoever may read them."""
    front = front_of(request)
    if refusal := _refusal(request, front.house.config.metrics_token):
        return refusal
    metrics = [*front.counted(), *read_gauges(front.house, front.seen(), front.clock())]
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(
        encode(_All(metrics)), headers={"content-type": content_type, "cache-control": "no-store"}
    )


def _refusal(request: Request, token: Secret) -> Response | None:
    if token:
        if _offers(request, token):
            return None
        said = "This needs the token of `metrics` in config.yaml, as `Authorization: Bearer …`.\n"
        return PlainTextResponse(said, 401, {"www-authenticate": 'Bearer realm="metrics"'})
    if _is_for_itself(request):
        return None
    said = "Only this machine may read this: set `metrics: {token: …}` in config.yaml for others.\n"
    return PlainTextResponse(said, 403)


def _offers(request: Request, token: Secret) -> bool:
    scheme, _, offered = request.headers.get("authorization", "").partition(" ")
    # Starlette reads header fields as Latin-1; in bytes again, a token may be any text
    is_same = hmac.compare_digest(offered.strip().encode("latin-1"), token.reveal().encode())
    return scheme.lower() == "bearer" and is_same


def _is_for_itself(request: Request) -> bool:
    """Tell whether a program on this machine asks for itself, and not for a browser or behind a proxy's back."""
    # a proxy that says nothing of those it speaks for often keeps the name that they asked for
    return is_from_here(request) and is_loopback_host(request.url.hostname or "")
