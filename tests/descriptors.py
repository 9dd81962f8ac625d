"""Lets a process open nothing more for a while, as one whose descriptors are all held by slow clients."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path


@contextmanager
def nothing_can_be_opened(process: int | None = None, *, but: int = 0) -> Iterator[None]:
    """Let a process, or this one, open nothing more during the block, but so many; what it has open it keeps."""
    pid = os.getpid() if process is None else process
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # asked one by one, since to list them takes a descriptor
    unused = (number for number in count() if not Path(f"/proc/{pid}/fd/{number}").is_symlink())
    limit = [next(unused) for _ in range(but + 1)][-1]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
