"""What `replycast doctor` says of traces: whether they can be sent, and whether a collector takes them."""

from collections.abc import Iterator, Mapping
from typing import Final

import httpx2

from service.app.tracing import are_wanted, endpoint_of, why_impossible
from service.cli.doctor import Finding, State
from service.cli.options import reason_of
from service.cli.surroundings import PATIENCE

_TYPE: Final = {"content-type": "application/x-protobuf"}
_NEEDS_A_KEY: Final = (401, 403)


def examine_traces(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Offer the collector an empty request, which it is to take (OTLP 1.0); nothing is said where none is wanted.

    A warning at worst: the service works without it.
    """
    if not are_wanted(environ):
        return
    if why_not := why_impossible(environ):
        yield Finding("traces", State.WARN, f"they are not sent: {why_not}")
        return
    endpoint = endpoint_of(environ)
    try:
        code = httpx2.post(endpoint, content=b"", headers=_TYPE, timeout=PATIENCE).status_code
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        yield Finding("traces", State.WARN, f"{endpoint} does not answer ({reason_of(error)})")
        return
    if code in _NEEDS_A_KEY:
        # only the exporter knows what it is shown (OTEL_EXPORTER_OTLP_HEADERS)
        yield Finding("traces", State.OK, f"{endpoint} answers, and wants a key, which was not tried")
    elif httpx2.codes.is_success(code):
        yield Finding("traces", State.OK, f"{endpoint} takes them")
    else:
        yield Finding("traces", State.WARN, f"{endpoint} answers {code}: is that a collector's OTLP/HTTP?")
