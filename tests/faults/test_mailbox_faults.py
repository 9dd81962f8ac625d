"""A real IMAP server that is killed, slow, or answers with errors as replies come in: each of them counts, and once."""

import asyncio
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.employee import ADDRESS, Employee, deliver_by_lmtp
from tests.faults.load import Load
from tests.faults.relay import Relay
from tests.faults.scene import LOOK_AGAIN, SOAK_SECONDS, Scene, until_taken
from tests.mailservers import dovecot, processes
from tests.mailservers.dovecot import Dovecot
from tests.rooms import OWN_ADDRESS
from tests.store.databases import new_database
from tests.thoroughness import IN_CI
from tests.transport.proxy import proxied

pytestmark = [pytest.mark.mailservers, pytest.mark.anyio, pytest.mark.xdist_group("processes")]

SLOW = 0.2
"""Seconds that each answer takes."""
_ANSWER = re.compile(rb"^(\w+) OK ", re.MULTILINE)


@contextmanager
def own_dovecot(*, also_at: str = "") -> Iterator[Dovecot]:
    """Run a Dovecot of one test's own."""
    try:
        processes.find_program("dovecot", "dovecot-imapd dovecot-lmtpd")
    except processes.ServersMissing as missing:
        if IN_CI:
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    root = Path(tempfile.mkdtemp(prefix="replycast-mail-"))
    root.chmod(0o755)  # the server's own users must get through
    keys = processes.certificate(root)
    made = dovecot.configure(root, [OWN_ADDRESS, ADDRESS], *keys, also_at=also_at)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(root)


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with own_dovecot() as made:
        yield made


@asynccontextmanager
async def answered(server: Dovecot, port: int, relay: Relay, folder: Path) -> AsyncIterator[Scene]:
    """Give a service whose mails are answered during the block, and see to all promises after it."""
    imap = replace(server.imap_for(OWN_ADDRESS), port=port)
    with Employee(deliver_by_lmtp(server.lmtp_port)) as employee:
        relay.told = employee.got
        scene = Scene(folder, new_database(folder), relay, imap=imap, employee=employee)
        scene.prepare()
        async with await scene.start() as service:
            with Load(8, service.url) as load:
                await scene.until_obeyed()
                yield scene
                await until_taken(load)
                await scene.until_obeyed()
            assert await scene.settle(load) == []
            assert set(load.answers) == {202}, "a mailbox's fault is no provider's"
            await until_tidy(server)
            assert await service.stop() == 0


async def until_tidy(server: Dovecot) -> None:
    """Wait until every reply was moved away."""
    box, until = server.maildir(OWN_ADDRESS), time.monotonic() + processes.PATIENCE
    while left := [*box.glob("new/*"), *box.glob("cur/*")]:
        assert time.monotonic() < until, f"{len(left)} replies were left in the mailbox"
        await asyncio.sleep(LOOK_AGAIN)  # between two looks; the condition, not the time, ends the loop


async def test_an_imap_server_that_is_killed_again_and_again_loses_no_reply(
    server: Dovecot, relay: Relay, tmp_path: Path
) -> None:
    async with answered(server, server.imap_port, relay, tmp_path) as scene:
        until = time.monotonic() + SOAK_SECONDS
        while time.monotonic() < until:
            server.kill()
            await asyncio.sleep(SOAK_SECONDS / 3)  # the length of the fault is the experiment
            await asyncio.to_thread(server.start)
            await scene.until_obeyed()


async def test_a_slow_imap_server_holds_up_nothing_but_its_replies(
    server: Dovecot, relay: Relay, tmp_path: Path
) -> None:
    delay = 0.0

    def think(answer: bytes) -> bytes:
        time.sleep(delay)  # being slow is what is wanted of it
        return answer

    with proxied(server.imap_port, think) as proxy:
        async with answered(server, proxy.port, relay, tmp_path) as scene:
            delay = SLOW
            await asyncio.sleep(SOAK_SECONDS)  # as above
            await scene.until_obeyed()
            delay = 0.0


async def test_what_an_imap_server_answers_with_errors_is_read_later(
    server: Dovecot, relay: Relay, tmp_path: Path
) -> None:
    is_failing, failures = False, 0

    def fail(answer: bytes) -> bytes:
        nonlocal failures
        if not is_failing:
            return answer
        failed, count = _ANSWER.subn(rb"\1 NO [SERVERBUG] Internal error: ", answer)
        failures += count
        return failed

    with proxied(server.imap_port, fail) as proxy:
        async with answered(server, proxy.port, relay, tmp_path):
            is_failing = True
            while failures < 2:  # noqa: ASYNC110  it happens in a thread of the proxy
                await asyncio.sleep(LOOK_AGAIN)
            await asyncio.sleep(SOAK_SECONDS)  # as above
            is_failing = False
