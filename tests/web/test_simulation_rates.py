"""Simulating takes a processor's time: one person or program gets so much of it, and the others theirs."""

import httpx2
import pytest

from service.actions.house import House
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
from service.web.api.routes import ROOT
from service.web.dashboard.monitor_words import slug_of
from service.web.front import Front
from service.web.rates import SIMULATIONS_A_MINUTE
from tests.rooms import Clock, make_client
from tests.web.api.programs import make_secret, program_at
from tests.web.employees import ALL_ROUTES, start_session

pytestmark = pytest.mark.anyio

BODY = {"monitor": "Email Server"}
ARRIVED = {
    Door.WEBHOOK: b'{monitorName: "Email Server", state: "CRITICAL"}',
    Door.MAIL: b"From: sam@acme.example\r\nSubject: Re: x\r\n\r\npublish\r\n",
}
PROVIDERS = {Door.WEBHOOK: "victorops", Door.MAIL: ""}


async def test_an_employee_who_simulates_again_and_again_is_asked_to_wait(
    front: Front, house: House, clock: Clock
) -> None:
    path = f"/dashboard/monitors/{slug_of(house.config.monitors[0])}/simulate"

    async def simulate(browser: httpx2.AsyncClient) -> httpx2.Response:
        return await browser.post(path, data={"name": "Email Server"})

    async with make_client(front, ALL_ROUTES) as browser:
        browser.cookies.set("replycast_session", start_session(house, clock, "vera"))
        answers = [await simulate(browser) for _ in range(SIMULATIONS_A_MINUTE + 1)]
        assert {one.status_code for one in answers[:-1]} == {200}
        assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "60")
        assert "wait a moment" in answers[-1].text
        assert "Mail to" in answers[0].text
        assert "Mail to" not in answers[-1].text
        browser.cookies.set("replycast_session", start_session(house, clock, "sam"))
        assert (await simulate(browser)).status_code == 200


@pytest.mark.parametrize("door", Door)
async def test_replaying_dry_counts_as_a_simulation_does(
    front: Front, house: House, clock: Clock, door: Door
) -> None:
    with house.store.transaction() as connection:
        [number] = inbox_rows.add_many(connection, [Arrival(door, clock(), ARRIVED[door], PROVIDERS[door])])
    path = f"/dashboard/inbox/{number}/dry"
    async with make_client(front, ALL_ROUTES) as browser:
        browser.cookies.set("replycast_session", start_session(house, clock, "vera"))
        answers = [await browser.post(path) for _ in range(SIMULATIONS_A_MINUTE + 1)]
        assert {one.status_code for one in answers[:-1]} == {200}
        assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "60")
        assert "wait a moment" in answers[-1].text
        assert "What would happen" not in answers[-1].text
        simulated = f"/dashboard/monitors/{slug_of(house.config.monitors[0])}/simulate"
        assert (await browser.post(simulated, data={"name": "Email Server"})).status_code == 429
        browser.cookies.set("replycast_session", start_session(house, clock, "sam"))
        assert (await browser.post(path)).status_code == 200


async def test_a_token_that_simulates_again_and_again_is_asked_to_wait_and_may_do_the_rest(
    front: Front,
) -> None:
    async with program_at(front) as program:
        answers = [
            await program.post(f"{ROOT}/monitors/simulate", json=BODY)
            for _ in range(SIMULATIONS_A_MINUTE + 1)
        ]
        assert {one.status_code for one in answers[:-1]} == {200}
        assert answers[-1].status_code == 429
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert "asked for `/monitors/simulate` more than 20 times in a minute" in answers[-1].json()["detail"]
        assert (await program.get(f"{ROOT}/monitors")).status_code == 200
        other = {"authorization": f"Bearer {make_secret(front.house, front.clock(), name='other')}"}
        again = await program.post(f"{ROOT}/monitors/simulate", json=BODY, headers=other)
        assert again.status_code == 200
