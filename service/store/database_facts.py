"""What the database itself is: its kind, its version, how large it has become. It only asks."""

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What is to be known of the database as a whole."""

    kind: str
    version: str
    size: int
    """Bytes."""


def database_facts(connection: Connection) -> DatabaseFacts:
    """Ask the database for its version and size; neither takes longer where there is more in it."""
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    if connection.dialect.name == "postgresql":
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        return DatabaseFacts("PostgreSQL", version, int(size))
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    bytes_each = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    return DatabaseFacts("SQLite", version, int(pages) * int(bytes_each))
