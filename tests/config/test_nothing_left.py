"""A file that cannot be opened just now, since the machine has nothing left to do it with, is no fault of the file."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from service.config import load, values
from service.errors import MachineExhausted
from tests.config.certificates import write_certificate
from tests.config.sample import MAIL, SAMPLE, changed, read
from tests.config.test_brand import PNG
from tests.descriptors import nothing_can_be_opened

DOOR = "  receive: {protocol: lmtp, host: 127.0.0.1, certificate: c.pem, key: k.pem}\n"


def test_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(SAMPLE + MAIL)
    with nothing_can_be_opened(), pytest.raises(MachineExhausted, match="no file descriptor left"):
        load(path, {})
    load(path, {})


@pytest.mark.parametrize(
    "names",
    [
        changed("password: PaSs-words", "password_file: imap.password"),
        changed("name: Acme,", "name: Acme, logo: logo.png,"),
        SAMPLE + MAIL + DOOR,
    ],
    ids=["a secret", "a picture", "a certificate"],
)
def test_what_it_names(tmp_path: Path, names: str) -> None:
    (tmp_path / "imap.password").write_text("PaSs-words")
    (tmp_path / "logo.png").write_bytes(PNG)
    write_certificate(tmp_path / "c.pem", tmp_path / "k.pem")
    path = tmp_path / "config.yaml"
    read(names, path=path)
    with nothing_can_be_opened(), pytest.raises(OSError, match="Too many open files"):
        read(names, path=path)


def test_a_time_zone_that_was_never_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ZoneInfo.clear_cache(only_keys=["Antarctica/Troll"])
    monkeypatch.setattr(values, "available_timezones", lambda: {"Europe/Berlin"})
    with nothing_can_be_opened(), pytest.raises(OSError, match="Too many open files"):
        values.parse_timezone("Antarctica/Troll")
    assert values.parse_timezone("Antarctica/Troll").key == "Antarctica/Troll"
