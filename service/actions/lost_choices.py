"""Components that subscribers chose and that config.yaml does not name: renamed there, or left out. It only asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from service.config.settings import Config
from service.store import chosen_components


@dataclass(frozen=True, slots=True)
class LostChoice:
    """A name that is no component, and how many subscribers that are reached chose it."""

    name: str
    subscribers: int

    @property
    def in_words(self) -> str:
        """For an admin: what is so, what follows, and what to do."""
        who = "1 subscriber" if self.subscribers == 1 else f"{self.subscribers:,} subscribers"
        return (
            f"{who} chose `{self.name}`, which is no component: whoever chose nothing else hears of everything. "
            "Where it was renamed, `replycast subscribers export`, the new name in that file, and `replycast "
            "subscribers import` let them follow"
        )


def lost_choices(connection: Connection, config: Config) -> tuple[LostChoice, ...]:
    """Find them, in the order of their names."""
    found = chosen_components.besides(connection, component_names(config))
    return tuple(LostChoice(name, number) for name, number in found.items())


def component_names(config: Config) -> tuple[str, ...]:
    """Name all components, in the order of config.yaml."""
    return tuple(one.name for one in config.components)


def still_chosen(config: Config, chosen: Sequence[str] | None) -> tuple[str, ...] | None:
    """Give what somebody hears of by what was chosen (None: of all).

    Of names that are none of config.yaml any more nobody could be told: whoever has no other hears of all, since one
    mail too many is better than silence.
    """
    known = frozenset(component_names(config))
    return tuple(name for name in chosen or () if name in known) or None


def no_longer_there(config: Config, chosen: Sequence[str] | None) -> tuple[str, ...]:
    """Give what was chosen and is no component of config.yaml."""
    known = frozenset(component_names(config))
    return tuple(name for name in chosen or () if name not in known)
