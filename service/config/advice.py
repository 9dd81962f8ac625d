"""What in a faultless config.yaml is probably not meant so; advises and never refuses."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from service.config.document import Document, Keys
from service.config.settings import Config
from service.errors import Fault

_SHORTEST_KEY: Final = 32


def advise(config: Config, document: Document) -> tuple[Fault, ...]:
    """Give the warnings of a configuration, each at its place in the document that it was built from."""
    found = [document.fault(keys, text, at_key=True) for keys, text in _warnings(config)]
    return tuple(sorted(found, key=lambda one: (one.line, one.column)))


def _warnings(config: Config) -> Iterator[tuple[Keys, str]]:
    if not is_loopback(config.site.url):
        for provider, secret in config.webhooks.items():
            if not secret:
                text = f"anybody who finds the webhook of `{provider}` can post to it: give it a secret"
                yield ("webhooks", provider, "secret"), text
    if config.secret_key and len(config.secret_key.reveal()) < _SHORTEST_KEY:
        text = f"`secret_key` is short enough to guess: take {_SHORTEST_KEY} random characters or more"
        yield ("secret_key",), text
    for at, monitor in enumerate(config.monitors):
        if monitor.auto_close and not monitor.closing_comment.strip():
            text = "incidents close by themselves without a word: add a `closing_comment`"
            yield ("monitors", at, "auto_close"), text
        if monitor.auto_publish and not monitor.wait_time:
            text = "every short flap is published at once: give a `wait_time` such as 2m"
            yield ("monitors", at, "auto_publish"), text


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine alone (RFC 6761 for `localhost`)."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
