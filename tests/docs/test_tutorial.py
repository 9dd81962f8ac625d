"""The tutorial, run as a newcomer would: each `sh` block in order, in one shell, against real processes.

A `text` block is what the `sh` block above it prints, with `…` for what differs; the `console` blocks install, and
are not run.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.docs.blocks import DOCS, ROOT, Block, blocks_of
from tests.docs.shell import run_blocks
from tests.mailservers.processes import ServersMissing, find_program, free_port

_TUTORIAL: Final = (DOCS / "tutorial.md").read_text()
_WITH_A_SANDBOX, _HEADING, _WITH_SERVERS = _TUTORIAL.partition("\n## 9. With mail servers of your own\n")
_PORTS: Final = ("8080", "2525", "1143")
"""Those of the tutorial: of the service, Postfix and Dovecot."""
_PATIENCE: Final = 150
"""Seconds for a part of it; it takes 20 where nobody else needs the processor."""


@pytest.fixture
def mail_folder() -> Iterator[Path]:
    """Give a folder that the servers' own users may enter, and end the servers that a failed tutorial left there."""
    try:
        programs = {
            find_program("postfix", "postfix"): "postfix",
            find_program("doveadm", "dovecot-imapd dovecot-lmtpd"): "dovecot.conf",
        }
    except ServersMissing as missing:
        pytest.skip(str(missing))
    folder = Path(tempfile.mkdtemp(prefix="replycast-tutorial-"))
    folder.chmod(0o755)
    yield folder
    for made in folder.iterdir():
        for program, config in programs.items():
            stop = [program, "-c", str(made / config), "stop"]
            subprocess.run(stop, check=False, capture_output=True)
    shutil.rmtree(folder)


def test_every_command_of_the_tutorial_does_what_the_tutorial_says(tmp_path: Path) -> None:
    _follow(list(blocks_of(_WITH_A_SANDBOX)), tmp_path)


@pytest.mark.mailservers
def test_with_mail_servers_of_ones_own_the_tutorial_ends_in_an_incident_that_a_reply_published(
    tmp_path: Path, mail_folder: Path
) -> None:
    _follow(_for_the_dovecot_here(), tmp_path, TMPDIR=str(mail_folder))

    assert list(mail_folder.iterdir()) == []
    assert "Email Server is unavailable" in (tmp_path / "incident.html").read_text()
    assert (tmp_path / "reply.eml").read_text().endswith("\n\npublish\n")


def test_the_tutorial_has_no_block_that_is_neither_run_nor_compared() -> None:
    for part in (_WITH_A_SANDBOX, _WITH_SERVERS):
        languages = [block.language for block in blocks_of(part)]

        assert set(languages) == {"sh", "text", "console"}
        assert languages.count("console") == 1


def test_what_the_tutorial_installs_is_what_the_tests_have() -> None:
    [install] = [block.text for block in blocks_of(_WITH_SERVERS) if block.language == "console"]
    wanted = re.search(r"apt-get install (.*)", install)
    servers = (ROOT / "Makefile").read_text().partition("\nservers:")[2].partition("\n\n")[0]

    assert wanted is not None
    assert set(wanted[1].split()) - {"curl"} <= set(servers.split())


@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_each_dovecot_has_a_configuration_in_its_own_words_with_what_later_steps_need(version: str) -> None:
    [config] = [one.text for one in blocks_of(_WITH_SERVERS) if one.note == f"only-with: Dovecot {version}"]

    is_new = version == "2.4"
    lines = [line.strip() for line in config.splitlines()]
    assert lines[0] == "cat >$MAIL/dovecot.conf <<END"
    assert (lines[1].startswith("dovecot_config_version = 2.4")) is is_new
    for since, until in _RENAMED:
        assert (since in config) is is_new, since
        assert (until in config) is not is_new, until
    assert [line for line in lines if line in _SHARED] == _SHARED


_RENAMED: Final = (
    ("auth_allow_cleartext = yes", "disable_plaintext_auth = no"),
    ("mail_path = ~/Maildir", "mail_location = maildir:~/Maildir"),
    ("passdb passwd-file {", "passdb {"),
    ("userdb static {", "userdb {"),
    ("%{user}", "%u"),
)
"""What Dovecot 2.4 reads, and what 2.3 did: each refuses the other's."""
_SHARED: Final = [
    "protocols = imap lmtp",
    "listen = 127.0.0.1",
    "first_valid_uid = 1",
    "recipient_delimiter = +",
    "port = 1143",
    "user = postfix",
    "postmaster_address = postmaster@acme.example",
]
"""What the later steps rely on, in its order."""


def _for_the_dovecot_here() -> list[Block]:
    """Leave out what is for another Dovecot than the one that is installed."""
    dovecot = find_program("dovecot", "dovecot-imapd dovecot-lmtpd")
    told = subprocess.run([dovecot, "--version"], check=True, capture_output=True, text=True).stdout
    version = ".".join(told.split(".")[:2])
    return [one for one in blocks_of(_WITH_SERVERS) if one.note in {"", f"only-with: Dovecot {version}"}]


def _follow(told: Sequence[Block], folder: Path, **more: str) -> None:
    """Run the commands, and compare what they print with what is told under them."""
    commands = [block for block in told if block.language == "sh"]

    printed = run_blocks([_on_free_ports(one.text) for one in commands], folder, patience=_PATIENCE, **more)

    assert len(printed) == len(commands)
    expected = {_at(told, block): block.text for block in told if block.language == "text"}
    for at, text in expected.items():
        assert re.fullmatch(_pattern(text), printed[at].strip(), re.DOTALL), (text, printed[at])
    assert len(expected) >= 5


_FREE: Final = {port: str(free_port()) for port in _PORTS}


def _on_free_ports(text: str) -> str:
    return re.sub("|".join(_PORTS), lambda found: _FREE[found[0]], text)


def _at(told: Sequence[Block], block: Block) -> int:
    """Give the number of the `sh` block above a block."""
    return sum(1 for one in told if one.language == "sh" and one.line < block.line) - 1


def _pattern(text: str) -> str:
    return ".*".join(map(re.escape, text.strip().split("…")))
