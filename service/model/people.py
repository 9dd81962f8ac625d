"""Employees, who decide, and subscribers, who hear of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What an employee may do: look, publish, or administer as well."""

    VIEWER = "viewer"
    PUBLISHER = "publisher"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Employee:
    """A person of the company who is notified and may publish."""

    id: str
    name: str
    email: str
    role: Role = Role.PUBLISHER

    @property
    def may_publish(self) -> bool:
        """Whether the role allows to decide about incidents."""
        return self.role in {Role.PUBLISHER, Role.ADMIN}


AUTOMATIC = "automatic"
"""Stands for an employee's id where a rule of config.yaml acted and no person."""


class Channel(StrEnum):
    """How a subscriber hears of incidents."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    """JSON of ours, signed."""
    SLACK = "slack"
    TEAMS = "teams"


class SubscriberState(StrEnum):
    """Whether an address confirmed that it wants our mails."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An address or a webhook that asked to hear of published incidents."""

    id: int
    public_id: str
    """Unguessable; the unsubscribe token and a webhook's signing key are derived from it."""
    address: str
    """An e-mail address, or the URL of a webhook."""
    state: SubscriberState
    created_at: datetime
    confirmed_at: datetime | None = None
    suppressed_at: datetime | None = None
    """Since when nothing is sent, because nothing arrives there."""
    soft_bounces: int = 0
    channel: Channel = Channel.EMAIL
    components: tuple[str, ...] | None = None
    """The components that it wants to hear of; None: all."""
    groups: tuple[str, ...] = ()
    """Where an admin put it; a monitor's `audience` names some of them."""
    phone: str = ""
    tags: tuple[str, ...] = ()
    failing_since: datetime | None = None
    """Since when each call of a webhook has failed."""
    suppressed_because: str = ""
