"""Which monitoring products may post to us, by the name that stands in the URL of their webhook."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from service.config.settings import Reading
from service.errors import ProviderUnknown
from service.model import Alert
from service.providers import (
    alertmanager,
    datadog,
    email,
    generic,
    grafana,
    opsgenie,
    pagerduty,
    pingdom,
    sns,
    uptimekuma,
    uptimerobot,
    victorops,
)
from service.providers.post import PostContent, RawPost

_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Provider:
    """A monitoring product."""

    name: str
    reader: Callable[[RawPost, Reading], tuple[Alert, ...] | PostContent]
    """Gives the alerts alone where one that cannot be read is all that a post holds."""
    largest: int = 64 * _KIB
    """Bytes of a post; what is larger is refused."""
    is_signed_by_amazon: bool = False
    """Whether its posts carry a signature that is checked with a certificate of Amazon's."""
    delivery_of: Callable[[RawPost], str] = lambda _post: ""
    """Gives what a post has in common with its repetitions and with no other; empty: that cannot be told."""

    is_plain: Callable[[bytes], bool] = lambda _body: False
    """Tells cheaply of most posts that they can be read; of the others nothing."""

    def read(self, post: RawPost, reading: Reading = Reading()) -> PostContent:  # noqa: B008  it is frozen
        """Turn a post into alerts, or raise PostUnreadable, which says what to mend."""
        if post.is_plain:
            return PostContent(tuple(replace(one, provider=self.name) for one in victorops.read(post)))
        found = self.reader(post, reading)
        return found if isinstance(found, PostContent) else PostContent(found)


def _read_victorops(post: RawPost, _reading: Reading) -> tuple[Alert, ...]:
    return victorops.read(post)


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        provider.name: provider
        for provider in (
            Provider(victorops.NAME, _read_victorops, is_plain=victorops.is_plain),
            # these post all alerts of a group at once
            Provider(alertmanager.NAME, alertmanager.read, largest=1024 * _KIB),
            Provider(grafana.NAME, grafana.read, largest=1024 * _KIB),
            Provider(generic.NAME, generic.read, largest=1024 * _KIB),
            Provider(pagerduty.NAME, pagerduty.read, largest=256 * _KIB, delivery_of=pagerduty.delivery_of),
            Provider(email.NAME, email.read),
            Provider(opsgenie.NAME, opsgenie.read, largest=256 * _KIB),
            Provider(datadog.NAME, datadog.read, largest=256 * _KIB),
            Provider(pingdom.NAME, pingdom.read),
            # a message may have 256 KiB, and the quotes in it are escaped
            Provider(
                sns.NAME, sns.read, largest=640 * _KIB, is_signed_by_amazon=True, delivery_of=sns.delivery_of
            ),
            Provider(uptimekuma.NAME, uptimekuma.read, largest=256 * _KIB),
            Provider(uptimerobot.NAME, uptimerobot.read),
        )
    }
)


def provider_named(name: str) -> Provider:
    """Find the provider of this name, compared without case; raise ProviderUnknown if there is none."""
    provider = PROVIDERS.get(name.casefold())
    if provider is None:
        known = ", ".join(sorted(PROVIDERS))
        raise ProviderUnknown(f"there is no provider named {name[:80]!r}; known is: {known}")
    return provider


def read_post(provider: str, post: RawPost, readings: Mapping[str, Reading]) -> PostContent:
    """Turn a provider's post into alerts, as config.yaml has it read. Raises PostUnreadable and ProviderUnknown."""
    known = provider_named(provider)
    return known.read(post, readings.get(known.name, Reading()))
