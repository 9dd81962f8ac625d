"""What a provider is given to read, a webhook's post as it came in, and what it makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from service.model import Alert


class RawPost(NamedTuple):
    """One webhook request, without its secrets: `query` is the URL's, such as `event=resolved`."""

    body: bytes
    content_type: str = ""
    query: Mapping[str, str] = MappingProxyType({})
    is_plain: bool = False
    """Whether it is in our own plain form, `monitorName` and `state`, whatever its provider: a simulation's."""


@dataclass(frozen=True, slots=True)
class PostContent:
    """The alerts of a post, and what is wrong with those beside them that cannot be read."""

    alerts: tuple[Alert, ...]
    complaint: str = ""
    """One sentence for all of them; empty: each could be read."""
