"""Which posts are decided about as they are taken in, while their sender waits: those that are soon worked off."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.actions.house import House
from service.jobs import FEW_ALERTS, receive_post_and_decide
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door, InboxState
from tests.inbox.posting import NOW


def a_group(alerts: int, **more: Any) -> Arrival:  # noqa: ANN401  what an arrival has
    body = {
        "alerts": [
            {"status": "firing", "labels": {"alertname": "Email Server"}, "fingerprint": str(number)}
            for number in range(alerts)
        ]
    }
    given = Arrival(Door.WEBHOOK, NOW, json.dumps(body).encode(), provider="alertmanager")
    return given._replace(**more)


def count(house: House) -> int:
    with house.store.reading() as connection:
        return len(inbox_rows.listed(connection, limit=99))


def test_one_of_few_alerts_is_and_is_worked_off(house: House) -> None:
    assert receive_post_and_decide(house, a_group(FEW_ALERTS), NOW) == (1, True)
    with house.store.reading() as connection:
        (row,) = inbox_rows.listed(connection, limit=99)
    assert (row.state, row.reason) == (InboxState.REFUSED, "no_monitor"), "as none is of this product"


@pytest.mark.parametrize(
    "post",
    [
        pytest.param(a_group(FEW_ALERTS + 1), id="of many alerts"),
        pytest.param(a_group(1, content_key="4711"), id="that may have come before"),
        pytest.param(a_group(1, state=InboxState.REFUSED), id="that was refused"),
        pytest.param(a_group(1, raw=b"no post"), id="that cannot be read"),
    ],
)
def test_one_that_takes_longer_or_leads_to_nothing_is_not_nor_stored(house: House, post: Arrival) -> None:
    assert receive_post_and_decide(house, post, NOW) is None
    assert count(house) == 0


def test_how_long_it_waited_is_told_once_it_is_stored_and_of_no_other(house: House) -> None:
    waited = list[tuple[str, timedelta]]()
    told = replace(house, notes=replace(house.notes, waited=lambda *those: waited.append(those)))
    later = NOW + timedelta(seconds=2)
    receive_post_and_decide(told, a_group(FEW_ALERTS + 1), later)
    receive_post_and_decide(told, a_group(1), later)
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [a_group(1)])
    assert receive_post_and_decide(told, a_group(1), later) == (3, False)
    assert waited == [(Door.WEBHOOK, timedelta(seconds=2))]
