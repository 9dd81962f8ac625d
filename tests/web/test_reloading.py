"""POST /-/reload: who may have config.yaml read anew, and what is told; all else changes nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import httpx2
import pytest

from service.actions.api_tokens import Scope
from service.config.differences import Reloaded
from service.config.settings import Secret
from service.web import machine_checks
from service.web.front import Front
from tests.rooms import make_client
from tests.web.api.programs import make_secret
from tests.web.test_machine_checks import damage

pytestmark = pytest.mark.anyio

CHANGED = Reloaded(("site.name: Acme → Better",), ("database",))
REFUSED = Reloaded(faults=("config.yaml:3:1: `sight` is no setting", "config.yaml:9:2: too long"))


@dataclass
class File:
    """Stands for the reading of config.yaml."""

    outcome: Reloaded = CHANGED
    times_read: int = 0
    front: Front = field(init=False)

    async def read(self) -> Reloaded:
        """Count that it was read."""
        self.times_read += 1
        return self.outcome


@pytest.fixture
def file(front: Front) -> File:
    """Give a file that a front reads."""
    file = File()
    config = replace(front.house.config, metrics_token=Secret("sesame"))
    file.front = replace(front, house=replace(front.house, config=config), reload=file.read)
    return file


@pytest.fixture
async def machine(file: File) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a program of an admin's."""
    secret = make_secret(file.front.house, file.front.clock(), Scope.CONFIG_RELOAD)
    async with make_client(file.front, machine_checks.routes) as client:
        client.headers["authorization"] = f"Bearer {secret}"
        yield client


async def test_it_tells_what_changed_and_what_waits(machine: httpx2.AsyncClient, file: File) -> None:
    answer = await machine.post("/-/reload")
    assert answer.status_code == 200
    assert answer.json() == {"changes": ["site.name: Acme → Better"], "needs_restart": ["database"]}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.endswith("}\n")
    assert file.times_read == 1


async def test_a_faulty_file_is_answered_with_all_its_faults(machine: httpx2.AsyncClient, file: File) -> None:
    file.outcome = REFUSED
    answer = await machine.post("/-/reload")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    told = answer.json()
    assert answer.text.endswith("}\n")
    assert told["detail"] == "Nothing was put in force: config.yaml:3:1: `sight` is no setting."
    assert [one["detail"] for one in told["errors"]] == list(REFUSED.faults)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_nothing_but_a_post_has_it_read(machine: httpx2.AsyncClient, file: File, method: str) -> None:
    answer = await machine.request(method, "/-/reload")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert file.times_read == 0


@pytest.mark.parametrize("offered", ["", "Bearer sesame", "Basic cmM6cmM=", f"Bearer rc_{'x' * 43}"])
async def test_neither_this_machine_nor_the_token_of_metrics_may_do_it(
    machine: httpx2.AsyncClient, file: File, offered: str
) -> None:
    answer = await machine.post("http://localhost:8080/-/reload", headers={"authorization": offered})
    assert (answer.status_code, file.times_read) == (401, 0)


async def test_a_token_of_all_other_scopes_may_not_do_it(machine: httpx2.AsyncClient, file: File) -> None:
    others = [scope for scope in Scope if scope is not Scope.CONFIG_RELOAD]
    secret = make_secret(file.front.house, file.front.clock(), *others, name="other")
    answer = await machine.post("/-/reload", headers={"authorization": f"Bearer {secret}"})
    assert (answer.status_code, file.times_read) == (403, 0)
    assert 'scope="config:reload"' in answer.headers["www-authenticate"]


async def test_no_page_of_another_site_may_do_it(machine: httpx2.AsyncClient, file: File) -> None:
    answer = await machine.post("/-/reload", headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, file.times_read) == (403, 0)


async def test_without_its_database_nobody_can_be_let_in(machine: httpx2.AsyncClient, file: File) -> None:
    damage(file.front.house)
    answer = await machine.post("/-/reload")
    assert (answer.status_code, file.times_read) == (503, 0)


async def test_what_keeps_its_configuration_says_so(machine: httpx2.AsyncClient, front: Front) -> None:
    async with make_client(front, machine_checks.routes) as other:
        answer = await other.post("/-/reload", headers=machine.headers)
    assert (answer.status_code, "keeps the config.yaml" in answer.text) == (409, True)
