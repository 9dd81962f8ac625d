"""What admins type about one subscriber: form fields → what it hears of, or what to mend. It changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from service.config.settings import Config
from service.model import Channel, Subscriber

MOST_GROUPS: Final = 50
LONGEST_GROUP: Final = 200
LONGEST_ADDRESS: Final = 2_000
"""Characters."""
PREFIX: Final = "component:"
CHANNELS: Final[Mapping[str, str]] = {
    "": "By its address",
    Channel.WEBHOOK: "Signed JSON",
    Channel.SLACK: "Slack",
    Channel.TEAMS: "Microsoft Teams",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, and by field what is wrong with it."""

    address: str = ""
    channel: Channel | None = None
    components: tuple[str, ...] | None = None
    """None: all."""
    groups: str = ""
    """As typed: names parted by semicolons or lines."""
    have_agreed: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups, each once."""
        named = (" ".join(one.split()) for one in self.groups.replace("\n", ";").split(";"))
        return tuple(dict.fromkeys(one for one in named if one))


def choosable(config: Config, subscriber: Subscriber | None = None) -> tuple[str, ...]:
    """Name the components of config.yaml, and those that a subscriber chose which are there no longer."""
    chosen = subscriber.components if subscriber else None
    return tuple(dict.fromkeys([*(one.name for one in config.components), *(chosen or ())]))


def typed_of(subscriber: Subscriber) -> Typed:
    """Give what a form shows of a subscriber before anything is typed."""
    return Typed(components=subscriber.components, groups="; ".join(subscriber.groups))


def read_choices(form: Mapping[str, str], names: Sequence[str]) -> Typed:
    """Read which components and groups were chosen."""
    typed = Typed(
        address=form.get("address", "").strip()[:LONGEST_ADDRESS],
        channel=Channel(named) if (named := form.get("channel", "")) and named in CHANNELS else None,
        components=tuple(name for name in names if f"{PREFIX}{name}" in form) or None,
        groups=form.get("groups", ""),
        have_agreed="have_agreed" in form,
    )
    problem = _wrong_groups(typed.group_names)
    return replace(typed, problems={"groups": problem}) if problem else typed


def _wrong_groups(groups: Sequence[str]) -> str:
    if len(groups) > MOST_GROUPS:
        return f"These are too many groups: at most {MOST_GROUPS} are kept."
    if any(len(one) > LONGEST_GROUP or not one.isprintable() for one in groups):
        return f"A group's name is one line of at most {LONGEST_GROUP} characters."
    return ""
