"""An installation that is backed up, and its backup."""

from pathlib import Path

from tests.cli.running import run, run_json, write_config

SUBSCRIBERS = "Email\nana@reader.example\nben@reader.example\n"


def config_in(folder: Path) -> Path:
    """Write a config.yaml whose database has two subscribers and a key."""
    folder.mkdir()
    path = write_config(folder)
    (folder / "list.csv").write_text(SUBSCRIBERS)
    run_json("subscribers", "import", folder / "list.csv", "--have-agreed", "--config", path)
    return path


def backup_of(config: Path, path: Path) -> Path:
    """Back it up."""
    result = run("backup", path, "--config", config)
    assert result.exit_code == 0, result.output
    return path


def confirmed(config: Path) -> int:
    """Count its subscribers."""
    return int(run_json("subscribers", "list", "--config", config)["counts"]["confirmed"])


def lost(config: Path) -> None:
    """Lose the database and its key."""
    for file in config.parent.glob("replycast.*"):
        file.unlink()
