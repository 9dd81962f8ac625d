"""Posts that are decided about together, or as they are taken in, come to the same as one by one, to the last row."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import orjson
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service.actions.house import House
from service.inbox import working_off
from service.jobs import decide_what_is_due, receive_post_and_decide
from service.store import inbox_rows, incidents, open_incidents
from service.store.columns import metadata
from service.store.inbox_rows import Arrival, Door
from tests.rooms import CONFIG, Clock, make_house

COMBINED = CONFIG.replace("wait_time: 5m", "wait_time: 0")
APART = COMBINED.replace("combine_alerts: true", "combine_alerts: false")
WAITING = CONFIG.replace("combine_alerts: true", "combine_alerts: false")
PUBLISHED = COMBINED.replace("auto_publish: false", "auto_publish: true")

posts = st.lists(
    st.tuples(
        st.sampled_from(["CRITICAL", "CRITICAL", "OK", "INFO"]), st.sampled_from(["a", "b", "c", None])
    ),
    min_size=1,
    max_size=14,
)


Said = Sequence[tuple[str, str | None]]
"""The state and the entity id of some posts."""


def arrivals(clock: Clock, said: Said) -> list[Arrival]:
    bodies = [
        {"monitorName": "Email Server", "state": state, "entityId": entity_id} for state, entity_id in said
    ]
    return [
        Arrival(Door.WEBHOOK, clock(), orjson.dumps(body), provider="victorops", about={}) for body in bodies
    ]


def store_posts(house: House, clock: Clock, said: Said) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, arrivals(clock, said))


def take_in_one_by_one(house: House, clock: Clock, said: Said) -> None:
    for number, arrival in enumerate(arrivals(clock, said)):
        taken = receive_post_and_decide(house, arrival, clock())
        assert taken is not None, number
        assert taken[1], number


def everything(house: House) -> dict[str, list[tuple[object, ...]]]:
    """Read all tables but what differs between any two installations."""
    with house.store.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in metadata.sorted_tables
            if table.name != "instance"
        }


def outcome(
    config: str,
    portions: Sequence[Said],
    fewest: int = 1_000,
    take_in: Callable[[House, Clock, Said], None] = store_posts,
) -> object:
    with (
        TemporaryDirectory() as folder,
        patch.object(working_off, "FEWEST_TOGETHER", fewest),
    ):
        clock, house = Clock(), make_house(Path(folder), config)
        for said in portions:
            take_in(house, clock, said)
            while decide_what_is_due(house, clock()):
                pass
            clock.move(timedelta(minutes=7))
            while decide_what_is_due(house, clock()):
                pass
        found = everything(house)
        house.store.close()
    return found


@given(
    st.sampled_from([COMBINED, APART, PUBLISHED, CONFIG, WAITING]),
    st.lists(posts, max_size=3),
    st.sampled_from([0, 1, 20]),
)
def test_posts_decided_together_come_to_the_same_as_one_by_one(
    config: str, portions: Sequence[Said], few: int
) -> None:
    with patch.object(open_incidents, "FEW_OPEN", few), patch.object(incidents, "MOST_OPEN", few + 1):
        together = outcome(config, portions, 2)
    assert together == outcome(config, portions)


@given(st.sampled_from([COMBINED, APART, PUBLISHED, CONFIG, WAITING]), st.lists(posts, max_size=3))
def test_posts_decided_as_they_are_taken_in_come_to_the_same_as_one_by_one(
    config: str, portions: Sequence[Said]
) -> None:
    assert outcome(config, portions, take_in=take_in_one_by_one) == outcome(config, portions)
