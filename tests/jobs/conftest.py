"""A house in which an employee's silence publishes, so that it matters what comes first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.actions.house import House
from tests.rooms import CONFIG, make_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house that publishes ten minutes after it asked."""
    made = make_house(tmp_path, CONFIG + "    escalate: [{after: 10m, then: publish}]\n")
    yield made
    made.store.close()
