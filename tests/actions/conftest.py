"""A house over a database whose tables are there already: to make them takes longer than most of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.actions.house import House
from tests.rooms import make_house
from tests.store.databases import migrated_sqlite


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house without a row."""
    (tmp_path / "replycast.db").write_bytes(migrated_sqlite())
    made = make_house(tmp_path)
    yield made
    made.store.close()
