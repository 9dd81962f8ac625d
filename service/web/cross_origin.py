"""Headers of what other sites may read, embed and show: it is public, and no cookie changes what it says."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FROM_ANYWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
)
