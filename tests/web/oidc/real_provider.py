"""A real OpenID Connect provider, in a process and on a port of its own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_LISTENING = re.compile(r"http://127\.0\.0\.1:[0-9]+")


@contextmanager
def running_provider() -> Iterator[str]:
    """Run oidc-provider-mock, which is Authlib's provider; it serves plain http, as a loopback address may."""
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", "0", "--require-nonce", "true"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := _LISTENING.search(line):
                break
        else:
            pytest.fail("".join(said))
        try:
            yield found[0]
        finally:
            process.terminate()
            process.stderr.read()
