"""Asks PyPI whether a vulnerability is known of anything that is locked: `python -m tests.auditing [--strict]`.

It fails where one is known. What could not be looked up, as without a network, is told and fails only with `--strict`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
LOCKS: Final = (
    ROOT / "requirements.lock",
    ROOT / "tests/deploy/requirements.lock",
    ROOT / "bench/peers/requirements.lock",
)
PATIENCE: Final = 300
"""Seconds for one file."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known of the dependencies of one file."""

    looked_up: int
    known: tuple[str, ...] = ()
    """A line for each vulnerability."""
    missed: tuple[str, ...] = ()
    """A line for each dependency, or for the whole file, of which nothing could be learnt."""


def read_report(said: str, complaint: str) -> Audit:
    """Read the JSON that pip-audit writes; without it, its last complaint is why nothing was looked up."""
    try:
        dependencies = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit(0, missed=((complaint.strip().splitlines() or ["pip-audit said nothing"])[-1],))
    known = tuple(
        f"{one['name']} {one['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version'}"
        for one in dependencies
        for fault in one.get("vulns", ())
    )
    missed = tuple(f"{one['name']}: {one['skip_reason']}" for one in dependencies if "skip_reason" in one)
    return Audit(len(dependencies) - len(missed), known, missed)


def ask(lock: Path) -> Audit:
    """Let pip-audit look up what a file locks; it neither resolves nor installs anything."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"),
        *("--require-hashes", "--disable-pip", "--requirement", str(lock)),
    ]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Audit(0, missed=(f"PyPI did not answer within {PATIENCE} seconds",))
    return read_report(answer.stdout, answer.stderr)


def told(audits: Sequence[Audit]) -> Iterator[str]:
    """Say what was found, in lines."""
    for audit in audits:
        yield from (f"vulnerable: {one}" for one in audit.known)
    missed = [one for audit in audits for one in audit.missed]
    if missed:
        yield f"not looked up: {len(missed)}, such as {missed[0]}"
    yield f"{sum(audit.looked_up for audit in audits)} locked dependencies looked up"


def main(arguments: Sequence[str]) -> int:
    """Ask about each file; gives the exit code."""
    audits = [ask(lock) for lock in LOCKS]
    print(*told(audits), sep="\n")  # noqa: T201  it is a command
    is_strict = "--strict" in arguments
    return int(any(audit.known or (is_strict and audit.missed) for audit in audits))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
