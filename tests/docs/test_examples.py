"""Each shell command of the documentation is run, or its fence says why it is not.

A `sh` block is run by a test. A block that begins with `sh not-run: …` is not, for the reason that it gives; one that
begins with `sh only-with: …` is run where that version of a program is. All other fences hold what a program prints or
reads.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.docs.blocks import DOCS, ROOT, Block, blocks_of
from tests.docs.shell import run_blocks
from tests.docs.worlds import SERVE, busy, with_mail, with_postgresql
from tests.mailservers.servers import MailServers
from tests.store.databases import needs_postgresql
from tests.store.postgres import server

_FILES: Final = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
_PATIENCE: Final = 500
"""Seconds for the examples of one test; they take 30 where nobody else needs the processor."""
_NOT_SHELL: Final = {"console", "crontab", "html", "ini", "json", "powershell", "sql", "text", "yaml"}
_COMMANDS: Final = (
    "apt|apt-get|cd|cp|curl|docker|install|kubectl|make|mkdir|openssl|pip|postfix|psql|python3?|replycast|sudo"
    "|systemctl|uv"
)
_NOTE: Final = r"not-run: .{10,}|only-with: Dovecot 2\.[34]"
_FOLLOWED: Final = {"tutorial.md"}
"""Run by `test_tutorial`, block by block."""


def _examples() -> Iterator[tuple[str, Block]]:
    """Give each block of shell that is to be run here, and the file that it is in."""
    for file in _FILES:
        if file.name in _FOLLOWED:
            continue
        for block in blocks_of(file.read_text()):
            # tests/web/api/test_examples.py sends what curl would
            is_sent = file.name == "api.md" and block.text.startswith("curl ")
            if block.language == "sh" and not block.note and not is_sent:
                yield str(file.relative_to(ROOT)), block


def _world_of(file: str, block: Block) -> str:
    """Say what an example needs."""
    if block.text.strip() == SERVE:
        return "itself"  # every world is started by this very command
    if file.endswith("postfix-dovecot.md") or re.search(
        r"replycast (doctor mail|send-test mail)", block.text
    ):
        return "mail"
    if file.endswith("postgresql.md") or "replycast move-database" in block.text:
        return "postgresql"
    if file != "docs/cli.md":
        return "guides"
    # in two halves, which two workers run side by side
    return "commands A-H" if block.text < "replycast i" else "commands I-Z"


def _texts(world: str) -> list[str]:
    return [block.text for file, block in _examples() if _world_of(file, block) == world]


@pytest.mark.timeout(_PATIENCE + 60)
@pytest.mark.parametrize(("world", "least"), [("commands A-H", 12), ("commands I-Z", 18), ("guides", 12)])
def test_every_example_does_what_it_says(world: str, least: int, tmp_path: Path) -> None:
    texts = _texts(world)

    printed = run_blocks(busy(texts, tmp_path), tmp_path, patience=_PATIENCE)

    assert len(printed) == len(texts) + 2
    assert len(texts) >= least


@pytest.mark.mailservers
@pytest.mark.timeout(_PATIENCE + 60)
def test_every_example_that_needs_mail_servers_does_what_it_says(
    mail_servers: MailServers, tmp_path: Path
) -> None:
    printed = run_blocks(with_mail(_texts("mail"), tmp_path, mail_servers), tmp_path, patience=_PATIENCE)

    assert "token in Delivered-To    the token is there" in "".join(printed)


@needs_postgresql
@pytest.mark.timeout(_PATIENCE + 60)
def test_every_example_that_needs_postgresql_does_what_it_says(tmp_path: Path) -> None:
    texts = _texts("postgresql")
    with ExitStack() as until_then:
        addresses = [
            until_then.enter_context(server().database(template="template1")) for _ in range(len(texts) + 2)
        ]
        printed = run_blocks(with_postgresql(texts, tmp_path, iter(addresses)), tmp_path, patience=_PATIENCE)

    assert len(printed) == len(texts) + 2


def test_the_service_is_started_as_the_reference_says() -> None:
    assert _texts("itself") == [f"{SERVE}\n"]


@pytest.mark.parametrize("file", _FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_fence_is_run_or_says_why_it_is_not_or_holds_no_command(file: Path) -> None:
    for block in blocks_of(file.read_text()):
        if block.language == "sh":
            assert not block.note or re.fullmatch(_NOTE, block.note), block
        else:
            assert (block.language in _NOT_SHELL, block.note) == (True, ""), block
        if block.language == "text" and not _is_usage(file, block):
            assert not re.search(rf"^(\$ )?({_COMMANDS}) ", block.text, re.MULTILINE), block


def _is_usage(file: Path, block: Block) -> bool:
    """Tell whether a text is the one line of the reference that says how a command is called."""
    return file.name == "cli.md" and re.fullmatch(r"replycast [a-z -]+.*\n", block.text) is not None


def test_only_the_tutorial_installs_with_a_block_that_is_not_run() -> None:
    found = {
        file.name for file in _FILES for block in blocks_of(file.read_text()) if block.language == "console"
    }

    assert found == _FOLLOWED


def test_examples_are_found_in_all_kinds_of_documents() -> None:
    files = {file for file, _ in _examples()}

    assert {"README.md", "docs/api.md", "docs/cli.md", "docs/metrics.md"} < files
    assert sum(file.startswith("docs/howto/") for file in files) == len(list((DOCS / "howto").glob("*.md")))
    worlds = [_world_of(*one) for one in _examples()]
    assert set(worlds) == {"commands A-H", "commands I-Z", "guides", "mail", "postgresql", "itself"}
