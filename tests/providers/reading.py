"""Short ways to read one post, for the tests of this room."""

from pathlib import Path

from service.model import Alert
from service.providers.post import RawPost
from service.providers.victorops import read

PAYLOADS = Path(__file__).parent / "payloads"
TEMPLATE = '{\nmonitorName: "%s",\nstate: "%s"\n}'
"""The payload that the vendor's guide asks for, with places for the two values."""


def alert_of(body: str | bytes, content_type: str = "application/json", **query: str) -> Alert:
    (alert,) = read(RawPost(body if isinstance(body, bytes) else body.encode(), content_type, query))
    return alert


def named(name: str, state: str = "CRITICAL") -> str:
    """Paste a name into the vendor's template, as VictorOps does, and give the name that is read from it."""
    return alert_of(TEMPLATE % (name, state)).monitor_name
