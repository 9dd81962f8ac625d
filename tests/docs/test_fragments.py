"""Every fragment of config.yaml in the documentation, merged into a small configuration that it is loaded with."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from service.config import parse
from service.errors import ConfigFaulty
from tests.docs.blocks import DOCS, ROOT, SCHEMA, Block, blocks_of

_FILES: Final = sorted([*DOCS.rglob("*.md"), ROOT / "README.md"])
_OTHERS: Final = {"receivers": "Alertmanager's"}
"""Keys with which a fragment of another program's file begins that its text around it names."""
_FILE_SAID: Final = re.compile(r"# \S+\.ya?ml\n")
_OURS: Final = frozenset(SCHEMA["properties"])
_SMTP: Final = {"host": "mail.acme.example", "security": "none"}
_BASE: Final[Mapping[str, Any]] = {
    "site": {"name": "Acme Status", "url": "https://status.acme.example"},
    "employees": [
        {"id": "jordan", "name": "Jordan Ray", "email": "jordan@acme.example", "role": "admin"},
        {"id": "sam", "name": "Sam Okoye", "email": "sam@acme.example"},
    ],
    "components": [{"name": "Email"}, {"name": "Calendar"}, {"name": "API"}, {"name": "Website"}],
}
_MONITOR: Final[Mapping[str, Any]] = {
    "alert_name": "Email Server",
    "authored_by": "jordan",
    "type": "performance",
    "affected_components": ["Email"],
    "subject": "Email is unavailable",
    "message": "We are looking into it.",
    "notify_employees": ["jordan"],
    "wait_time": "5m",
    "closing_comment": "Email works again.",
}
_MAIL: Final[Mapping[str, Any]] = {"from": "Acme Status <status@acme.example>", "smtp": _SMTP}
_FILE_NAMED: Final = re.compile(r"\b\w*_file: (?P<path>[^\s}#]+)")


def _fragments() -> Iterator[tuple[str, str]]:
    for file in _FILES:
        for block in blocks_of(file.read_text()):
            for number, text in enumerate(_alternatives(block)):
                yield f"{file.relative_to(ROOT)}:{block.line}.{number}", text


def _alternatives(block: Block) -> Iterator[str]:
    """Give a `yaml` block that is ours; one that writes a top-level key twice shows alternatives, each by itself."""
    if block.language != "yaml":
        return
    parts = re.split(r"^(?=[a-z_]+:)", block.text, flags=re.MULTILINE)
    keyed = [(part.partition(":")[0], part) for part in parts[1:]]
    if _first_key(block.text) not in _OURS:
        return
    keys = [key for key, _ in keyed]
    if len(set(keys)) == len(keys):
        yield block.text
    else:
        yield from (part for _, part in keyed)


def _first_key(text: str) -> str:
    """Give the first top-level key of a YAML text, or ""."""
    found = re.search(r"^(\w+):", text, re.MULTILINE)
    return found[1] if found else ""


_FRAGMENTS: Final = dict(_fragments())


@pytest.mark.parametrize("text", _FRAGMENTS.values(), ids=_FRAGMENTS.keys())
def test_every_fragment_of_config_yaml_in_the_documentation_loads(tmp_path: Path, text: str) -> None:
    found = _faults(text, tmp_path)

    assert not found


@pytest.mark.parametrize("file", _FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_block_of_yaml_is_ours_or_begins_by_saying_whose_it_is(file: Path) -> None:
    begin = [one.text.lstrip() for one in blocks_of(file.read_text()) if one.language in {"yaml", "yml"}]
    strange = [text for text in begin if _first_key(text) not in _OURS and _first_key(text) not in _OTHERS]

    assert [text for text in strange if not _FILE_SAID.match(text)] == []


def test_a_made_up_option_in_a_fragment_is_found(tmp_path: Path) -> None:
    assert _faults("mail: {smtp: {retry: 3}}", tmp_path)
    assert _faults("monitors: [{provider: nagios}]", tmp_path)


def test_fragments_are_there_in_how_tos_and_elsewhere() -> None:
    assert sum(name.startswith("docs/howto/") for name in _FRAGMENTS) >= 6
    assert any(name.startswith("docs/providers.md") for name in _FRAGMENTS)


def _faults(text: str, folder: Path) -> tuple[str, ...]:
    """Load a fragment within what it leaves out, and give its faults; files and the environment are made up for it."""
    try:
        fragment = YAML(typ="safe").load(text)
    except YAMLError as error:
        return (str(error),)
    for found in _FILE_NAMED.finditer(text):
        name = found["path"].strip("\"'").rsplit("/", 1)[-1]
        (folder / name).write_text(_content(name))
    written = _within_folder(_completed(fragment), folder)
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)", text), "made-up-for-this-test-and-long-enough")
    config = folder / "config.yaml"
    with config.open("w") as file:
        YAML(typ="safe").dump(written, file)
    try:
        parse(config.read_text(), config, environ)
    except ConfigFaulty as error:
        return tuple(map(str, error.faults))
    return ()


def _completed(fragment: Mapping[str, Any]) -> dict[str, Any]:
    """Add what a whole configuration needs and the fragment leaves out."""
    whole = {**_BASE, **fragment}
    whole["site"] = {**_BASE["site"], **whole["site"]}
    if "mail" in fragment:
        whole["mail"] = {**_MAIL, **fragment["mail"]}
    whole["monitors"] = [{**_MONITOR, **one} for one in whole.get("monitors", [_MONITOR])]
    return whole


def _within_folder(value: Any, folder: Path) -> Any:  # noqa: ANN401  a tree of YAML
    """Name files that stand elsewhere on a server, as /run/secrets/token, by their place in the test's folder."""
    if isinstance(value, dict):
        return {
            key: str(folder / one.rsplit("/", 1)[-1])
            if str(key).endswith("_file") and isinstance(one, str)
            else _within_folder(one, folder)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_within_folder(one, folder) for one in value]
    return value


def _content(name: str) -> str:
    """Give what a secret file of this name holds: a private key, or any secret."""
    if not name.endswith(".pem"):
        return "made-up-for-this-test-and-long-enough\n"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
