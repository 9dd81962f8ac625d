"""What a provider is given to read: a webhook's post as it came in, before anything was made of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class RawPost(NamedTuple):
    """One webhook request, without its secrets: `query` is the URL's, such as `event=resolved`."""

    body: bytes
    content_type: str = ""
    query: Mapping[str, str] = MappingProxyType({})
    is_plain: bool = False
    """Whether it is in our own plain form, `monitorName` and `state`, whatever its provider: a simulation's."""
