"""The house rules that no other tool checks, read off the code itself."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from service.cli import main
from service.workflow import Reason

ROOT = Path(__file__).parent.parent
SERVICE = ROOT / "service"
BANNED = {
    "manager",
    "helper",
    "util",
    "utils",
    "handler",
    "processor",
    "data",
    "info",
    "base",
    "common",
    "misc",
}
LIBRARIES_OWN = {"_data", "handle_DATA", "data_received", "base32", "bind_processor"}
"""Named after the command of RFC 5321, asyncio's own, the encoding of RFC 4648, and SQLAlchemy's own."""
LONGEST_MODULE = 400
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
}


@cache
def modules() -> dict[str, ast.Module]:
    """Parse every module of the service; by its path below service/."""
    paths = sorted(SERVICE.rglob("*.py"))
    return {str(path.relative_to(SERVICE)): ast.parse(path.read_text()) for path in paths}


def uses(module: ast.Module) -> set[str]:
    """Give every `name.attribute` that a module speaks of."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def imports(module: ast.Module) -> set[str]:
    """Give everything that a module imports from another: `service.workflow.decide`."""
    return {
        f"{node.module}.{alias.name}"
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def who_uses(*wanted: str) -> set[str]:
    """Name the modules that speak of one of these."""
    return {name for name, module in modules().items() if uses(module) & set(wanted)}


def names(module: ast.Module) -> Iterator[str]:
    """Give the names of what a module defines."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def words(name: str) -> set[str]:
    """Take a name apart: `read_raw_mail`, `RawMail`."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def test_no_module_is_longer_than_a_person_reads() -> None:
    paths = [path for folder in ("service", "tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(path): len(path.read_text().splitlines()) for path in paths}
    assert not {name for name, length in lengths.items() if length > LONGEST_MODULE}


def test_only_the_composition_root_reads_the_clock() -> None:
    assert who_uses(*CLOCKS) == {"app/__init__.py"}


def test_the_clock_is_not_imported_by_another_name() -> None:
    assert not {name for name, module in modules().items() if imports(module) & {"time.time", "time.time_ns"}}


def test_only_actions_decide() -> None:
    deciding = who_uses("workflow.decide", "workflow.open_incident")
    deciding |= {
        name
        for name, module in modules().items()
        if imports(module) & {"service.workflow.decide", "service.workflow.open_incident"}
    }
    assert deciding
    assert {Path(name).parts[0] for name in deciding} == {"actions"}


def test_only_actions_write_incidents() -> None:
    writing = who_uses("incidents.save", "incidents.reserve_id")
    assert writing
    assert {Path(name).parts[0] for name in writing} == {"actions"}
    written_by_name = {"service.store.incidents.save", "service.store.incidents.reserve_id"}
    assert not {name for name, module in modules().items() if imports(module) & written_by_name}


def test_only_the_store_speaks_of_tables() -> None:
    speaking = {
        name for name, module in modules().items() if any("store.schema" in one for one in imports(module))
    }
    assert {Path(name).parts[0] for name in speaking} == {"store"}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_given_by_some_decision(reason: Reason) -> None:
    deciding = {name for name in who_uses(f"Reason.{reason.name}") if name.startswith("workflow/")}
    assert deciding - {"workflow/vocabulary.py"}


def test_no_name_says_nothing() -> None:
    said = {
        one
        for name, module in modules().items()
        for one in (*names(module), *Path(name).with_suffix("").parts)
    }
    assert not {one for one in said - LIBRARIES_OWN if words(one) & BANNED}


def test_every_module_says_briefly_what_it_is_for() -> None:
    said = {name: ast.get_docstring(module) or "" for name, module in modules().items()}
    assert not {name for name, text in said.items() if not 1 <= len(text.splitlines()) <= 6}


def test_every_make_target_of_the_readme_is_there() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    spoken_of = re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert spoken_of
    assert set(spoken_of) <= set(targets)


def test_every_command_of_the_readme_is_there() -> None:
    spoken_of = re.findall(r"`?replycast ([a-z][a-z-]+)", (ROOT / "README.md").read_text())
    assert spoken_of
    assert set(spoken_of) <= set(main.list_commands(click.Context(main))), (
        "docs/cli.md, which is made of them, names them all"
    )


@pytest.mark.parametrize("link", re.findall(r"\]\(([^):]+)\)", (ROOT / "README.md").read_text()))
def test_every_link_of_the_readme_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
