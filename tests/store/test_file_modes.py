"""Who may read the files that the database is made of."""

import stat
from contextlib import closing
from pathlib import Path

from sqlalchemy import insert

from service.store.database import open_store
from service.store.schema import instance


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_the_database_and_its_log_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/replycast.db")) as store:
        with store.transaction() as connection:
            connection.execute(insert(instance).values(name="instance_id", value="seven"))
        modes = {file.name: mode_of(file) for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("replycast.db", "replycast.db-wal", "replycast.db-shm"), 0o600)


def test_a_database_that_is_there_keeps_the_mode_that_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "replycast.db"
    open_store(f"sqlite:///{file}").close()
    file.chmod(0o640)
    open_store(f"sqlite:///{file}").close()
    assert mode_of(file) == 0o640


def test_a_link_to_a_database_that_is_there_is_followed(tmp_path: Path) -> None:
    file, link = tmp_path / "replycast.db", tmp_path / "link.db"
    open_store(f"sqlite:///{file}").close()
    link.symlink_to(file)
    open_store(f"sqlite:///{link}").close()
    assert link.is_symlink()
