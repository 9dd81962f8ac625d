"""A disk without room for SQLite: posts are refused so that they come again, and all goes on once there is room."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.faults.relay import Relay
from tests.faults.scene import SOAK_SECONDS, Scene, until_refused, until_taken

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a file system that can be filled"),
]

MIB = 1024 * 1024
ROOM = 16 * MIB + int(SOAK_SECONDS * MIB / 2)
"""Bytes of the file system of the database: more than the posts of a long run need."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of its own with little room."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "replycast-tests", place],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip(f"no file system can be made here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(file: Path) -> None:
    """Take all room that there is."""
    with file.open("wb", buffering=0) as opened:
        try:
            while opened.write(bytes(4096)):
                pass
        except OSError:
            return


async def test_a_full_disk_refuses_posts_and_all_goes_on_without_a_restart_once_there_is_room(
    small_disk: Path, relay: Relay, tmp_path: Path
) -> None:
    scene = Scene(tmp_path, f"sqlite:///{small_disk / 'replycast.db'}", relay)
    scene.prepare()
    async with await scene.start() as service:
        with Load(6, service.url) as load:
            until = time.monotonic() + SOAK_SECONDS
            while time.monotonic() < until:
                await until_taken(load)
                fill(small_disk / "others")
                await until_refused(load)
                (small_disk / "others").unlink()
            await until_taken(load)
        assert await scene.settle(load) == []
        assert set(load.answers) == {202, 503}
        assert load.without_hint == 0
        assert await service.stop() == 0
