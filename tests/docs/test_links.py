"""Every relative link in a Markdown file leads somewhere, and every key of config.yaml is written about."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docs.blocks import DOCS, ROOT, SCHEMA, without_code

_FOLDERS: Final = ("bench", "deploy", "docs", "mail_templates", "service", "tests")
_FILES: Final = sorted(
    [*ROOT.glob("*.md"), *(file for one in _FOLDERS for file in (ROOT / one).rglob("*.md"))]
)
_LINK: Final = re.compile(r"\]\(\s*<?(?P<target>[^()\s<>]+)")
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HEADING: Final = re.compile(r"^#{1,6} +(?P<text>.+?) *#*$", re.MULTILINE)


@pytest.mark.parametrize("file", _FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading_that_exist(file: Path) -> None:
    dead = [target for target in _targets(file.read_text()) if not _is_there(file, target)]

    assert not dead


def test_the_index_links_every_document() -> None:
    linked = {
        (DOCS / target.partition("#")[0]).resolve() for target in _targets((DOCS / "README.md").read_text())
    }

    assert {file.resolve() for file in DOCS.rglob("*.md")} - linked == {(DOCS / "README.md").resolve()}


def test_the_readme_links_the_index() -> None:
    assert "docs/README.md" in set(_targets((ROOT / "README.md").read_text()))


def test_a_dead_link_and_a_dead_heading_are_found(tmp_path: Path) -> None:
    file = tmp_path / "here.md"
    file.write_text("# It is *here*: `once`\n")

    assert _is_there(file, "#it-is-here-once")
    assert _is_there(file, "here.md")
    assert not _is_there(file, "#it-was-here")
    assert not _is_there(file, "there.md")
    assert list(_targets("[a](b.md) `[c](d.md)` [e](https://f.example) ![g](h.png#i)")) == ["b.md", "h.png#i"]


def _keys() -> Iterator[tuple[str, ...]]:
    """Give the keys of the schema: the top ones, and those of each section, wherever it stands."""
    for name in SCHEMA["properties"]:
        yield (name,)
    for section, schema in SCHEMA["$defs"].items():
        for name in schema.get("properties", ()):
            yield section, name


_KEYS: Final = tuple(_keys())
_ABOUT_CONFIG: Final = "\n".join(
    [
        (ROOT / "config.yaml").read_text(),
        *(file.read_text() for file in sorted(DOCS.rglob("*.md")) if file != DOCS / "config.md"),
    ]
)
"""Without the table of settings, which is made and names each."""


@pytest.mark.parametrize("keys", _KEYS, ids=".".join)
def test_every_key_of_config_yaml_is_written_about(keys: tuple[str, ...]) -> None:
    assert re.search(rf"(?<![\w-]){keys[-1]}(?=:|`)", _ABOUT_CONFIG), f"{'.'.join(keys)} is nowhere explained"


def test_keys_of_every_section_are_looked_for() -> None:
    expected = {("metrics",), ("SiteForm", "timezone"), ("MonitorForm", "wait_time"), ("OAuthForm", "tenant")}

    assert expected <= set(_KEYS)


def _targets(markdown: str) -> Iterator[str]:
    """Give the targets of links and pictures that stay within the repository."""
    for found in _LINK.finditer(without_code(markdown)):
        if not _ELSEWHERE.match(found["target"]):
            yield found["target"]


def _is_there(file: Path, target: str) -> bool:
    name, _, heading = target.partition("#")
    led_to = file.parent / name if name else file
    if not led_to.exists():
        return False
    return not heading or led_to.suffix != ".md" or heading in set(_headings(led_to.read_text()))


def _headings(markdown: str) -> Iterator[str]:
    """Give the anchors of the headings, as GitHub makes them."""
    prose = "\n".join(line for line in markdown.splitlines() if line.startswith("#"))
    for found in _HEADING.finditer(prose):
        plain = re.sub(r"[^\w\- ]", "", found["text"].lower())
        yield plain.strip().replace(" ", "-")
