"""The form of `limits`: what a relay allows those who send much. One value at a time."""

from typing import Annotated, Final

from pydantic import BeforeValidator

from service.config.kinds import Section
from service.config.settings import Limits

_MOST_CONNECTIONS: Final = 50
_MOST_MAILS: Final = 1_000_000
_USUAL: Final = Limits()
_LEAST_RATE, _MOST_RATE = 0.1, 100_000.0


def _whole_number(value: object, most: int, thing: str) -> int:
    """Read a number, also as the text that an expansion leaves."""
    number = value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(most)):
        number = int(value)
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= most:
        return number
    raise ValueError(f"is not a number of {thing}: write one from 1 to {most}")


def _connections(value: object) -> int:
    return _whole_number(value, _MOST_CONNECTIONS, "connections")


def _mails(value: object) -> int:
    return _whole_number(value, _MOST_MAILS, "mails")


def _rate(value: object) -> float:
    said = "is not a number of mails per second: write one from 0.1 to 100000"
    try:
        rate = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        raise ValueError(said) from None
    if not _LEAST_RATE <= rate <= _MOST_RATE:
        raise ValueError(said)
    return rate


class LimitsForm(Section):
    """What updates to subscribers keep to."""

    connections: Annotated[int, BeforeValidator(_connections)] = _USUAL.connections
    mails_per_connection: Annotated[int, BeforeValidator(_mails)] = _USUAL.mails_per_connection
    rate: Annotated[float, BeforeValidator(_rate)] | None = None

    def build(self) -> Limits:
        """Turn it into settings."""
        return Limits(self.connections, self.mails_per_connection, self.rate)
