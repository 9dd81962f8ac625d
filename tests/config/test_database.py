"""The address of the database in config.yaml."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.config.sample import changed, marked, read

FAR = "postgresql://rc@db.example.com/replycast"


def address_of(said: str, environ: dict[str, str] | None = None, path: Path = Path("config.yaml")) -> str:
    return read(changed("webhooks:", f"{said}\nwebhooks:"), environ, path).database


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_goes_by_several_names(scheme: str) -> None:
    assert address_of(f"database: {scheme}://rc@db/replycast") == "postgresql://rc@db/replycast"


def test_a_socket_may_be_named() -> None:
    url = make_url(address_of("database: postgresql://rc@/replycast?host=/run/postgresql"))
    assert (url.host, url.query["host"], url.database) == (None, "/run/postgresql", "replycast")


def test_a_password_may_come_from_the_environment_within_the_address() -> None:
    address = address_of("database: 'postgresql://rc:${DB}@db/replycast'", {"DB": "PaSs-words"})
    assert make_url(address).password == "PaSs-words"


@pytest.mark.parametrize("password", ["PaSs-words", "p@ss:w/rd?#%41"])
def test_a_password_that_stands_apart_needs_no_escaping(password: str) -> None:
    address = address_of(f"database: {FAR}\ndatabase_password: '${{DB}}'", {"DB": password})
    url = make_url(address)
    assert (url.password, url.host, url.database) == (password, "db.example.com", "replycast")


def test_a_password_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("PaSs-words\n")
    address = address_of(f"database: {FAR}\ndatabase_password_file: db", path=tmp_path / "config.yaml")
    assert make_url(address).password == "PaSs-words"


@pytest.mark.parametrize(
    ("address", "is_warned_of"),
    [
        (FAR, True),
        (f"{FAR}?sslmode=disable", True),
        (f"{FAR}?sslmode=prefer", True),
        ("postgresql://rc@/replycast?host=db.example.com", True),
        (f"{FAR}?sslmode=require", False),
        (f"{FAR}?sslmode=verify-full", False),
        ("postgresql://rc@/replycast", False),
        ("postgresql://rc@/replycast?host=/run/postgresql", False),
        ("postgresql://rc@127.0.0.1/replycast", False),
        ("postgresql://rc@[::1]:5433/replycast", False),
        ("sqlite:///var/replycast.db", False),
    ],
)
def test_what_others_may_read_underway_is_warned_of(address: str, *, is_warned_of: bool) -> None:
    text, line, column = marked(changed("webhooks:", f"¦database: {address}\nwebhooks:"))
    warnings = [one for one in read(text).warnings if "sslmode" in one.text]
    assert [(one.line, one.column) for one in warnings] == [(line, column)] * is_warned_of
