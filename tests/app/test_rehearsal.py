"""The rehearsal at start does what a day does, and leaves nothing behind."""

from dataclasses import replace
from pathlib import Path

import pytest

from service.actions.house import House
from service.app.rehearsal import rehearse
from service.config import parse
from service.model import Phase
from service.store import incidents
from tests.rooms import CONFIG, Clock, make_house


def phases_of(house: House, clock: Clock) -> list[Phase]:
    played = rehearse(house, clock())
    assert played is not None
    return [phase for step in played.steps for phase in step.phases.values()]


@pytest.mark.parametrize("auto_publish", ["true", "false"])
def test_an_incident_is_published_by_a_reply_and_closed(
    tmp_path: Path, clock: Clock, auto_publish: str
) -> None:
    text = CONFIG.replace("auto_publish: false", f"auto_publish: {auto_publish}")
    house = replace(make_house(tmp_path), config=parse(text, tmp_path / "config.yaml", {}))
    assert phases_of(house, clock) == [Phase.UNPUBLISHED, Phase.PUBLISHED, Phase.CLOSED]
    house.store.close()


def test_nothing_of_it_stands_in_the_database(tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path)
    before = house.store.commits
    rehearse(house, clock())
    with house.store.reading() as connection:
        assert not incidents.recent_public(connection, limit=1)
    assert house.store.commits == before
    house.store.close()


def test_a_house_without_monitors_has_nothing_to_rehearse(tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path)
    assert rehearse(replace(house, config=replace(house.config, monitors=())), clock()) is None
    house.store.close()
