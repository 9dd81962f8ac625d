"""The form of `webhooks`: how each provider proves itself, and how its posts are read.

What must fit together within it is in `webhook_check`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from service.config.expressions import check_expression
from service.config.kinds import Line, OneOrMoreNames, SecretText, Section
from service.config.settings import Proof, Reading, Secret

DEFAULT_PROVIDER: Final = "victorops"
GENERIC: Final = "generic"
BY_MAIL: Final = "email"
"""The provider of the alerts that come as mails; nothing can post as it."""
PROVIDERS: Final = (
    DEFAULT_PROVIDER,
    "alertmanager",
    "datadog",
    GENERIC,
    "grafana",
    "opsgenie",
    "pagerduty",
    "pingdom",
    "sns",
    "uptimekuma",
    "uptimerobot",
)
"""The monitoring products that can post to us."""


def _expression(text: str) -> str:
    if fault := check_expression(text):
        raise ValueError(fault)
    return text


Expression = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=1000),
    AfterValidator(_expression),
]


class WebhookForm(Section):
    """How one provider proves itself, and how its posts are read."""

    secret: SecretText = Secret("")
    secret_file: Line | None = None
    signing_secret: SecretText = Secret("")
    signing_secret_file: Line | None = None
    topics: list[Line] = Field(default_factory=list)
    monitor_name: Expression | None = None
    each: Expression | None = None
    state: Expression | None = None
    entity_id: Expression | None = None
    message: Expression | None = None
    firing: OneOrMoreNames | None = None
    recovered: OneOrMoreNames | None = None
    acknowledged: OneOrMoreNames | None = None

    def reading(self) -> Reading:
        """Give how posts are read."""
        return Reading(
            monitor_name=self.monitor_name or "",
            each=self.each or "",
            state=self.state or "",
            entity_id=self.entity_id or "",
            message=self.message or "",
            firing=tuple(self.firing or ()),
            recovered=tuple(self.recovered or ()),
            acknowledged=tuple(self.acknowledged or ()),
        )

    def proof(self) -> Proof:
        """Give what proves a post, beside the secret."""
        return Proof(self.signing_secret, tuple(self.topics))


def secrets_of(webhooks: Mapping[str, WebhookForm], monitored: frozenset[str]) -> Mapping[str, Secret]:
    """Give the secret of each provider that may post: the default one, those of `webhooks`, those of a monitor."""
    may_post = (one for one in PROVIDERS if one == DEFAULT_PROVIDER or one in webhooks or one in monitored)
    return MappingProxyType(
        {one: webhooks[one].secret if one in webhooks else Secret("") for one in may_post}
    )
