"""Vulnerabilities that are known fail the gate; what could not be looked up is told, and fails only where asked to."""

import json
from pathlib import Path

import pytest

from tests import auditing
from tests.auditing import LOCKS, Audit, read_report, told

FOUND = {
    "dependencies": [
        {"name": "sound", "version": "1", "vulns": []},
        {
            "name": "broken",
            "version": "2",
            "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "aliases": []}],
        },
        {"name": "hopeless", "version": "4", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]},
        {"name": "unknown", "skip_reason": "not on PyPI"},
    ]
}


def test_what_is_known_and_what_could_not_be_learnt_is_read() -> None:
    known = ("broken 2: PYSEC-1, mended in 3", "hopeless 4: PYSEC-2, mended in no version")
    assert read_report(json.dumps(FOUND), "") == Audit(3, known, ("unknown: not on PyPI",))


@pytest.mark.parametrize("said", ["", "{", "[]", "{}"])
def test_without_a_report_the_last_complaint_tells_why(said: str) -> None:
    assert read_report(said, "INFO\nERROR: no network\n") == Audit(0, missed=("ERROR: no network",))
    assert read_report(said, "") == Audit(0, missed=("pip-audit said nothing",))


@pytest.mark.parametrize(
    ("audit", "usual", "strict"),
    [
        (Audit(3), 0, 0),
        (Audit(3, missed=("unknown: not on PyPI",)), 0, 1),
        (Audit(3, known=("broken 2: PYSEC-1, mended in 3",)), 1, 1),
    ],
)
def test_only_what_is_known_fails_the_gate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], audit: Audit, usual: int, strict: int
) -> None:
    asked: list[Path] = []

    def ask(lock: Path) -> Audit:
        asked.append(lock)
        return audit

    monkeypatch.setattr(auditing, "ask", ask)
    assert (auditing.main([]), auditing.main(["--strict"])) == (usual, strict)
    assert asked == [*LOCKS, *LOCKS]
    assert f"{3 * len(LOCKS)} locked dependencies looked up" in capsys.readouterr().out


def test_it_is_said_how_much_was_not_looked_up() -> None:
    lines = [*told([Audit(1, missed=("a: no", "b: no")), Audit(2)])]
    assert lines == ["not looked up: 2, such as a: no", "3 locked dependencies looked up"]
