"""Single values of config.yaml that other parts of the program judge by too."""

import pytest

from service.config.values import is_loopback_host


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "status.localhost",
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
        "[::ffff:127.0.0.1]",
    ],
)
def test_this_machine_is_known_however_it_is_written(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "[]",
        "0.0.0.0",  # noqa: S104 - an address that is none of this machine's alone
        "192.0.2.7",
        "::ffff:192.0.2.7",
        "2001:db8::1",
        "localhost.example",
        "127.0.0.1.evil.example",
        "notlocalhost",
        "testclient",
    ],
)
def test_others_are_not_taken_for_this_machine(host: str) -> None:
    assert not is_loopback_host(host)
