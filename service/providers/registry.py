"""Which monitoring products may post to us, by the name that stands in the URL of their webhook."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from service.errors import ProviderUnknown
from service.model import Alert
from service.providers import victorops
from service.providers.post import RawPost


@dataclass(frozen=True, slots=True)
class Provider:
    """A monitoring product; `read` turns its post into alerts, or raises PostUnreadable."""

    name: str
    read: Callable[[RawPost], tuple[Alert, ...]]


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {provider.name: provider for provider in (Provider(victorops.NAME, victorops.read),)}
)


def provider_named(name: str) -> Provider:
    """Find the provider of this name, compared without case; raise ProviderUnknown if there is none."""
    provider = PROVIDERS.get(name.casefold())
    if provider is None:
        known = ", ".join(sorted(PROVIDERS))
        raise ProviderUnknown(f"there is no provider named {name[:80]!r}; known is: {known}")
    return provider
