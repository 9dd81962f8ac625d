"""Whether a configuration may be served without a mail server: what the mail sandbox holds is for one machine alone."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from service.config.document import Document, texts
from service.config.values import is_loopback_host, parse_site_url
from service.errors import Fault

SANDBOX_IS_ON: Final = "without `mail` in config.yaml the mail sandbox is on, and it is for this machine only"
"""It shows every mail, log-in links and reply tokens among them."""


def check_sandbox(document: Document) -> Iterator[Fault]:
    """Report that readers on other machines are to come while no mail server is named."""
    if isinstance(document.tree, dict) and document.tree.get("mail") is None:
        for keys, url in texts(document.tree, "site", "url"):
            if is_for_others(url):
                remedy = "configure a mail server, or let `site.url` be http://127.0.0.1:8080"
                yield document.fault(keys, f"{SANDBOX_IS_ON}: {remedy}")


def is_for_others(url: str) -> bool:
    """Whether a URL that could be a site's leads to it from other machines."""
    try:
        host = urlsplit(parse_site_url(url)).hostname
    except ValueError:
        return False
    return not is_loopback_host(host or "")
