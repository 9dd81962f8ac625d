"""One incident that an employee must publish: how it is opened, and how it stands."""

import asyncio

import httpx2

from service.model import Phase
from service.store import incidents
from service.store.database import open_store
from tests.faults.load import FIRING, Post
from tests.faults.process import PATIENCE
from tests.faults.scene import LOOK_AGAIN, Scene


def phase_of_the_incident(address: str) -> Phase | None:
    """Look how the only incident stands; None where there is none yet."""
    store = open_store(address)
    with store.reading() as connection:
        found = incidents.listed(connection, limit=1)
    store.close()
    return found[0].phase if found else None


async def until_phase(scene: Scene, phase: Phase) -> None:
    """Wait until the only incident stands so."""
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(phase_of_the_incident, scene.address) is not phase:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_AGAIN)  # between two looks; the condition, not the time, ends the loop


async def open_an_incident(client: httpx2.AsyncClient, scene: Scene) -> None:
    """Post an alert, and wait for the incident that an employee must publish."""
    post = Post("API", FIRING, "one")
    assert (await client.post("/webhook/victorops", content=post.body())).status_code == 202
    await until_phase(scene, Phase.UNPUBLISHED)
