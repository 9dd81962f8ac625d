"""The page that simulates a recorded day."""

from datetime import timedelta

import httpx2
import pytest

from service.actions.house import House
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
from service.web.dashboard import recorded_days
from service.web.front import Front
from tests.rooms import Clock
from tests.web.employees import employee_at

pytestmark = pytest.mark.anyio

HERE = "/dashboard/simulate"
CRITICAL = b'{"monitorName": "Email Server", "state": "CRITICAL"}'


@pytest.fixture
def yesterday(house: House, clock: Clock) -> str:
    """Let two posts have been received yesterday."""
    at = clock() - timedelta(days=1)
    arrivals = [
        Arrival(Door.WEBHOOK, at, CRITICAL, provider="victorops"),
        Arrival(Door.WEBHOOK, at, CRITICAL.replace(b"Email Server", b"<b>Nobody</b>"), provider="victorops"),
    ]
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, arrivals)
    return "2026-11-23"


async def ask(client: httpx2.AsyncClient, **form: str) -> httpx2.Response:
    return await client.post(f"{HERE}/day", data=form)


async def test_a_viewer_reads_what_would_have_happened(front: Front, clock: Clock, yesterday: str) -> None:
    async with employee_at(front, clock, "vera") as vera:
        assert f'value="{yesterday}"' in (await vera.get(HERE)).text
        answer = await ask(vera, day=yesterday, publish_after="3m")
    assert answer.status_code == 200
    text = " ".join(answer.text.split())
    assert "2 posts were received that day; 1 incident would have been opened." in text
    assert "Email is unavailable" in text
    assert "published <time" in text
    assert (
        "<code>&lt;b&gt;Nobody&lt;/b&gt;</code> was received from victorops, and no monitor takes it." in text
    )


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"day": "yesterday"}, "Choose a day, as 2026-11-23."),
        ({"day": "9999-12-31"}, "Choose a day, as 2026-11-23."),
        ({"day": "2026-11-23", "publish_after": "soon"}, "This "),
    ],
)
async def test_what_cannot_be_read_is_named(
    form: dict[str, str], said: str, front: Front, clock: Clock
) -> None:
    async with employee_at(front, clock, "sam") as sam:
        answer = await ask(sam, **form)
    assert (answer.status_code, said in answer.text) == (422, True)


async def test_a_day_of_too_many_posts_is_for_the_command_line(
    front: Front, clock: Clock, yesterday: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_days, "MOST_POSTS", 1)
    async with employee_at(front, clock, "sam") as sam:
        answer = await ask(sam, day=yesterday)
    assert answer.status_code == 422
    assert "2 posts were received then, and at most 1 can be simulated at once" in answer.text
    assert "replycast simulate --recorded" in answer.text
