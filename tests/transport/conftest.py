"""Fixtures: the sandbox in an event loop of its own, for tests that are plain functions."""

from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from service.mail.sandbox import Sandbox

OWN_ADDRESS = "status@acme.example"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def sandbox(portal: BlockingPortal) -> Iterator[Sandbox]:
    async def start() -> Sandbox:
        return await Sandbox.start(own_address=OWN_ADDRESS)

    sandbox = portal.call(start)
    yield sandbox
    portal.call(sandbox.stop)


@pytest.fixture
def put_reply(portal: BlockingPortal, sandbox: Sandbox) -> Callable[[bytes], None]:
    """Deliver a mail to the reply mailbox."""

    def put(raw: bytes) -> None:
        portal.call(sandbox.put, "ana@acme.example", OWN_ADDRESS, raw)

    return put
