"""A database belongs to one secret key: another one is refused by whatever uses it, until somebody accepts it."""

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from service.actions import house_key
from service.actions.house import House
from service.actions.subscribing import subscribe, unsubscribe
from service.errors import TokenInvalid
from service.mail.compose import unsubscribe_token
from service.store import audit, subscribers
from service.store.database import open_store
from service.store.schema import instance
from tests.cli.running import ON_THIS_MACHINE, run, run_json, run_process, write_config
from tests.rooms import KEY, Clock

OTHER = b"o" * 32
ANA = "ana@reader.example"
KEYS = "secret_key: {}\n"
FIRST, SECOND = "the-first-key-of-this-database-00", "the-second-key-of-this-database-0"


def with_key(folder: Path, key: str) -> Path:
    """Write a config.yaml that names a key."""
    return write_config(folder, KEYS.format(key) + ON_THIS_MACHINE)


def test_the_first_key_that_a_database_is_shown_is_its_own(house: House) -> None:
    with house.store.transaction() as connection:
        house_key.demand_key(connection, KEY, "a file")
        house_key.demand_key(connection, KEY, "a file")
        with pytest.raises(house_key.KeyDiffers, match=r"than the one in a file: give every instance"):
            house_key.demand_key(connection, OTHER, "a file")


def test_the_text_of_a_key_file_is_its_key_also_as_a_setting(house: House, clock: Clock) -> None:
    text = KEY.hex().encode()
    with house.store.transaction() as connection:
        house_key.demand_key(connection, KEY, "a file")
        assert house_key.demand_key(connection, text, "config.yaml") == KEY
        with pytest.raises(house_key.KeyDiffers):
            house_key.demand_key(connection, OTHER.hex().encode(), "config.yaml")
    assert house_key.accept_key(house.store, text, clock()) is None, "it is the key that the database has"


def test_digits_that_a_database_began_with_stay_the_key_as_they_stand(house: House) -> None:
    text = KEY.hex().encode()
    with house.store.transaction() as connection:
        assert house_key.demand_key(connection, text, "config.yaml") == text
        assert house_key.demand_key(connection, text, "config.yaml") == text
        with pytest.raises(house_key.KeyDiffers, match="links in mails that were sent no longer work"):
            house_key.demand_key(connection, KEY, "a file")


def test_the_database_does_not_hold_the_key(house: House) -> None:
    with house.store.transaction() as connection:
        house_key.demand_key(connection, KEY, "a file")
        kept = connection.execute(select(instance.c.value)).scalars().all()
    assert all(KEY.decode() not in one and KEY.hex() not in one for one in kept)


def test_a_key_that_is_accepted_derives_the_links_by_which_subscribers_leave(
    house: House, clock: Clock
) -> None:
    with house.store.transaction() as connection:
        house_key.demand_key(connection, KEY, "a file")
    subscribe(house, ANA, clock())
    assert house_key.accept_key(house.store, KEY, clock()) is None
    assert house_key.accept_key(house.store, OTHER, clock()) == (1, 1), "one subscriber, asked to confirm"
    with house.store.reading() as connection:
        ana = subscribers.find_by_address(connection, ANA)
        acts = [one.act for one in audit.listed(connection, limit=5)]
    assert ana is not None
    assert acts == ["key_accepted"]
    with pytest.raises(TokenInvalid):
        unsubscribe(house, unsubscribe_token(KEY, ana.public_id))
    assert unsubscribe(house, unsubscribe_token(OTHER, ana.public_id)).address == ANA


def test_what_comes_with_another_key_is_refused_until_it_is_accepted(tmp_path: Path) -> None:
    listing = ("token", "list", "--config", with_key(tmp_path, FIRST))
    assert run(*listing).exit_code == 0
    with_key(tmp_path, SECOND)
    refused = run(*listing)
    assert refused.exit_code == 1
    said = r"another secret key than the one in config\.yaml \(`secret_key`\): give every instance the key"
    assert re.search(said, refused.stderr)
    assert FIRST not in refused.stderr
    assert SECOND not in refused.stderr
    accepting = ("accept-key", "--config", tmp_path / "config.yaml")
    assert "from now on; 0 subscribers have new links" in run(*accepting).stdout
    assert "and did before" in run(*accepting).stdout
    told = run_json(*accepting)
    assert (told["is_new"], told["subscribers_renewed"], told["mails_waiting"]) == (False, 0, 0)
    with_key(tmp_path, FIRST)
    assert run_json(*accepting)["is_new"] is True
    assert run(*listing).exit_code == 0


@pytest.mark.xdist_group("processes")
def test_a_service_with_another_key_does_not_start(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/replycast.db").close()
    assert run("token", "list", "--config", with_key(tmp_path, FIRST)).exit_code == 0
    config = with_key(tmp_path, SECOND)
    code, out, err = run_process("serve", "--config", config, "--port", 0, folder=tmp_path)
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("replycast: the database belongs to another secret key")
