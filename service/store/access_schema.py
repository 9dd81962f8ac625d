"""The tables of who may come in, and of what they did. As in `schema`, a change needs a migration."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from service.store.columns import UtcDateTime, metadata, one_of, own_id

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("public_id", String(32), nullable=False),
    Column("employee_id", String(64), nullable=False),
    Column("way", String(16), nullable=False, server_default="mail"),
    Column("browser", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    one_of("way", ["mail", "oidc"]),
    UniqueConstraint("public_id"),
    Index("ix_sessions_expires_at", "expires_at"),
    Index("ix_sessions_employee_id", "employee_id"),
    comment="Browsers in which employees are logged in; `browser` is what it calls itself.",
)

api_tokens = Table(
    "api_tokens",
    metadata,
    own_id(),
    Column("hash", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    UniqueConstraint("hash"),
    sqlite_autoincrement=True,
    comment="Bearer tokens of the API: only SHA-256 hashes, as of all tokens.",
)

given_answers = Table(
    "given_answers",
    metadata,
    Column("token_id", ForeignKey("api_tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_given_answers_at", "at"),
    comment="What the API answered to a request with an Idempotency-Key, to be answered again.",
)

audit = Table(
    "audit",
    metadata,
    own_id(),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(80), nullable=False),
    Column("act", String(64), nullable=False),
    Column("about", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_audit_by", "by", "id"),
    Index("ix_audit_act", "act", "id"),
    sqlite_autoincrement=True,
    comment="What people did that no incident's timeline tells: log-ins, tokens, lists of subscribers, settings.",
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE")),
    Column("employee_id", String(64)),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE")),
    Column("browser", String(64), nullable=False, server_default=""),
    Column("text_version", Integer),
    Column("confirms", BigInteger),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    one_of("purpose", ["reply", "login", "confirm"]),
    Index("ix_tokens_expires_at", "expires_at"),
    comment="Only SHA-256 hashes: who reads the database can publish nothing.",
)
