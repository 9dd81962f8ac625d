"""Replaying a post of the inbox over the API, for real or dry. `actions.replaying` and the simulation do it."""

from datetime import timedelta

from pydantic import Field

from service.actions import replaying
from service.actions.api_tokens import Scope
from service.actions.simulating import simulate
from service.actions.simulation import GivenPost
from service.actions.simulation_posts import long_enough
from service.errors import NotAllowed, NotFound
from service.outbox.composing import compose_one
from service.store import inbox_rows
from service.store.inbox_rows import Door
from service.web.api.forms import Nothing
from service.web.api.operations import Call, Operation
from service.web.api.shown import Shown
from service.web.api.simulating import SimulationShown, simulation_shown
from service.web.rates import SIMULATIONS_A_MINUTE


class Replayed(Shown):
    """A post that counts once more."""

    inbox_id: int = Field(description="The number of the new arrival, which is worked off like any other.")


def replay_arrival(call: Call) -> Replayed:
    """Let a post count once more, as if it came now; a mail has used its token up, and is refused."""
    return Replayed(inbox_id=replaying.replay(call.house, call.ids["id"], call.by, call.now))


def simulate_arrival(call: Call) -> SimulationShown:
    """Show what a post would come to if it came now and nothing were open; nothing does."""
    number = call.ids["id"]
    with call.house.store.reading() as connection:
        row = inbox_rows.get(connection, number)
    if row is None:
        raise NotFound(f"nothing in the inbox has the number {number}")
    if row.door is not Door.WEBHOOK:
        raise NotAllowed("a mail cannot be replayed: its token is used up")
    given = [GivenPost(timedelta(0), replaying.post_of(row), row.provider)]
    config = call.house.config
    return simulation_shown(
        simulate(config, given, long_enough(config, given), start=call.now, compose=compose_one)
    )


OPERATIONS = (
    Operation(
        "POST",
        "/inbox/{id}/replay",
        Scope.INBOX_WRITE,
        replay_arrival,
        "Replay a post",
        Replayed,
        Nothing,
        status=201,
    ),
    Operation(
        "POST",
        "/inbox/{id}/simulate",
        Scope.INBOX_WRITE,
        simulate_arrival,
        "Replay a post dry",
        SimulationShown,
        Nothing,
        changes=False,
        most_a_minute=SIMULATIONS_A_MINUTE,
    ),
)
