"""The wheel holds all that the program needs, and works where nothing else of ours is."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = "from service.cli import main; main()"
ASKED = ("--version", "--help", "schema", "demo --help")


def build(source: Path, target: str, folder: Path) -> Path:
    """Build a distribution of a source tree; gives its file."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [built] = folder.glob("replycast-*.whl" if target == "wheel" else "replycast-*.tar.gz")
    return built


@pytest.fixture(scope="module", params=["of the tree", "of the sdist"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, as pipx and uv do; of the sdist they first build it, as here."""
    folder, source = tmp_path_factory.mktemp("wheel"), ROOT
    if request.param == "of the sdist":
        sdist = build(ROOT, "sdist", folder)
        with tarfile.open(sdist) as packed:
            packed.extractall(folder, filter="data")
        source = folder / sdist.name.removesuffix(".tar.gz")
    wheel = build(source, "wheel", folder)
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")  # noqa: S202  a zip, and ours
    return folder / "installed"


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program as it was installed, in a folder in which nothing is."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_file_of_the_program_is_in_it(installed: Path) -> None:
    wanted = {
        path.relative_to(ROOT)
        for path in (ROOT / "service").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    wanted |= {Path("service") / path.relative_to(ROOT) for path in (ROOT / "mail_templates").rglob("*.*")}
    assert len(wanted) > 300
    assert not [str(path) for path in wanted if not (installed / path).is_file()]


def test_it_is_what_runs(installed: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import service; print(service.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(told.stdout.strip()).is_relative_to(installed)


@pytest.mark.parametrize("words", ASKED)
def test_it_answers_without_the_source(installed: Path, tmp_path: Path, words: str) -> None:
    done = run(installed, tmp_path, *words.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_what_it_writes_it_takes(installed: Path, tmp_path: Path) -> None:
    first = ("--sandbox", "--site-name", "Acme Status", "--url", "http://127.0.0.1:8080")
    whose = (
        "--admin-name",
        "Jordan Ray",
        "--admin-email",
        "jordan@acme.example",
        "--monitor",
        "Email Server",
    )
    made = run(installed, tmp_path, "init", *first, *whose)
    assert (made.returncode, made.stderr) == (0, "")
    checked = run(installed, tmp_path, "check", "--no-database")
    assert checked.returncode == 0, checked.stdout + checked.stderr
