"""What `replycast doctor` looks at besides the database: mail servers, DNS, clocks, files, the public address.

Each examination is short, changes nothing, and says in one line what is wrong and what to do.
"""

import asyncio
import os
import socket
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
import httpx2
from sqlalchemy import func, select

from service.app.own_files import database_file, key_file
from service.cli.doctor import Finding, State
from service.cli.looking import looking
from service.cli.options import reason_of
from service.config import Config, Mail
from service.config.document import texts
from service.config.secret_files import PLACES
from service.config.yaml_text import read_document
from service.errors import ReplycastError
from service.mail.imap_login import log_in
from service.mail.oauth import AccessTokens
from service.mail.smtp import open_session

PATIENCE: Final = 10.0
"""Seconds for one answer."""
CLOCK_MAY_DIFFER: Final = timedelta(seconds=5)
CLOCK_MUST_NOT_DIFFER: Final = timedelta(minutes=5)
"""A reply's token, a signature and a link all have an hour."""
RENEW_BEFORE: Final = timedelta(days=14)
"""What is renewed by itself is so 30 days before its end."""

LookUp = Callable[[str], tuple[str, ...] | None]
"""The TXT records of a name; None: there is no such name. Raises TimeoutError."""


def examine_files(config: Config) -> Iterator[Finding]:
    """Look whether files that hold secrets are for their owner alone, and whether we may write where we have to."""
    for folder in dict.fromkeys(_written_to(config)):
        if not _is_writable(folder):
            said = (
                "is no folder that whoever runs this may write into: give it to the user who runs the service"
            )
            yield Finding("files", State.BAD, f"{folder} {said}")
    document, _ = read_document(config.path.read_text(), str(config.path))
    folder = config.path.parent
    holders = [key_file(config), database_file(config)]
    for *above, name in PLACES:
        holders += [folder / file for _, file in texts(document.tree, *above, f"{name}_file")]
        if any(value and "${" not in value for _, value in texts(document.tree, *above, name)):
            holders.append(config.path)
    open_to_others = [
        file for file in dict.fromkeys(holders) if file is not None and file.exists() and _is_open(file)
    ]
    for file in open_to_others:
        # the service itself refuses such a key; other files may be mounted so on purpose
        state = State.BAD if file == key_file(config) else State.WARN
        yield Finding("files", state, f"{file} holds secrets and is readable by others: chmod 600 it")
    if not open_to_others:
        yield Finding("files", State.OK, "those that hold secrets are for their owner alone")


def _written_to(config: Config) -> Iterator[Path]:
    for file in (database_file(config), key_file(config)):
        if file is not None:
            yield file.parent
    if config.site.export_to is not None:
        yield config.site.export_to


def _is_writable(folder: Path) -> bool:
    """Whether a folder may be written into or, where it is not there yet, made."""
    while not os.path.lexists(folder):
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK, effective_ids=True)


def _is_open(file: Path) -> bool:
    return bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def examine_public(config: Config, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Ask the public address how the service is, and look at the time it tells."""
    url = f"{config.site.url}/healthz"
    try:
        answer = httpx2.get(url, timeout=PATIENCE)
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        text = f"{url} does not answer ({reason_of(error)}): does the service run, and does `site.url` lead to it?"
        yield Finding("public address", State.BAD, text)
        return
    now = clock()
    if answer.status_code != httpx2.codes.OK or answer.text.strip() != "ok":
        text = (
            f"{url} answers {answer.status_code}, and not as this service does: does `site.url` lead to it?"
        )
        yield Finding("public address", State.BAD, text)
    else:
        yield Finding("public address", State.OK, f"{config.site.url} leads to the service")
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return
    yield compare_clocks("clock of the web server", theirs, now)


def examine_certificate(config: Config, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Look how long the certificate of the public address is valid still; nothing is said of plain HTTP here."""
    parts = urlsplit(config.site.url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return
    try:
        with (
            socket.create_connection((host, parts.port or 443), timeout=PATIENCE) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as protected,
        ):
            ends = str((protected.getpeercert() or {}).get("notAfter", ""))
    except ssl.SSLCertVerificationError as error:
        yield Finding("certificate", State.BAD, f"browsers refuse that of {host}: {error.verify_message}")
        return
    except OSError as error:
        yield Finding("certificate", State.BAD, f"{host} gives none: {reason_of(error)}")
        return
    left = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) - clock()
    state = State.OK if left > RENEW_BEFORE else State.WARN
    yield Finding("certificate", state, f"that of {host} is valid for {left.days} days more")


def examine_database_clock(config: Config, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Compare the clock of a database server with ours; SQLite has none of its own."""
    if database_file(config) is not None:
        return
    try:
        with looking(config) as connection:
            if connection is not None:
                yield compare_clocks("clock of the database", connection.scalar(select(func.now())), clock())
    except ReplycastError:
        return  # the examination of the database itself says so


def compare_clocks(name: str, theirs: datetime | None, ours: datetime) -> Finding:
    """Say whether two clocks agree."""
    if theirs is None:
        return Finding(name, State.WARN, "it tells no time")
    apart = abs(theirs.astimezone(UTC) - ours)
    if apart <= CLOCK_MAY_DIFFER:
        return Finding(name, State.OK, "agrees with this machine's")
    text = f"is {apart.total_seconds():,.0f} s from this machine's: let both follow a time server"
    return Finding(name, State.BAD if apart > CLOCK_MUST_NOT_DIFFER else State.WARN, text)


def examine_relay(mail: Mail, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Log in to the relay and leave again; nothing is sent."""

    async def visit() -> None:
        tokens = AccessTokens(mail.smtp.oauth, username=mail.smtp.username) if mail.smtp.oauth else None
        async with open_session(mail.smtp, tokens=tokens, now=clock(), command_timeout=PATIENCE):
            pass

    begun = time.monotonic()
    try:
        asyncio.run(visit())
    except ReplycastError as error:
        yield Finding("smtp", State.BAD, reason_of(error))
        return
    took = (time.monotonic() - begun) * 1_000
    yield Finding("smtp", State.OK, f"{mail.smtp.host} let us in within {took:.0f} ms")


def examine_mailbox(mail: Mail, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Log in to the mailbox and look whether its folder is there; nothing is read."""
    imap = mail.imap
    if imap is None:
        where = "replies come by `mail.receive`" if mail.door else "replies cannot be read"
        yield Finding("imap", State.OK if mail.door else State.WARN, f"there is no `mail.imap`: {where}")
        return
    try:
        tokens = AccessTokens(imap.oauth, username=imap.username) if imap.oauth else None
        client = log_in(imap, tokens, clock())
    except ReplycastError as error:
        yield Finding("imap", State.BAD, reason_of(error))
        return
    try:
        if client.folder_exists(imap.folder):
            yield Finding("imap", State.OK, f"{imap.username} at {imap.host}, folder {imap.folder}")
        else:
            yield Finding("imap", State.BAD, f"{imap.username} at {imap.host} has no folder {imap.folder}")
    finally:
        client.shutdown()


def examine_dns(mail: Mail, look_up: LookUp) -> Iterator[Finding]:
    """Give advice on what the DNS says of the domain that our mails come from; other servers judge us by it."""
    domain = mail.sender_address.rpartition("@")[2]
    for name, at, is_it, without in (
        ("SPF", domain, "v=spf1", "name your relay in one (RFC 7208)"),
        ("DMARC", f"_dmarc.{domain}", "v=dmarc1", "large providers ask for one (RFC 7489): v=DMARC1; p=none at least"),
    ):  # fmt: skip
        try:
            records = look_up(at) or ()
        except TimeoutError as error:
            yield Finding(name, State.WARN, str(error))
            continue
        found = next((one for one in records if one.lower().startswith(is_it)), None)
        text = found or f"{at} has no such record: {without}"
        yield Finding(name, State.OK if found else State.WARN, text)
    try:
        keys = look_up(f"_domainkey.{domain}")
    except TimeoutError as error:
        yield Finding("DKIM", State.WARN, str(error))
        return
    # RFC 8020: what has names below it is there itself, though without a record
    text = f"keys are published below _domainkey.{domain}; `doctor mail` shows whether your relay signs"
    if keys is None:
        text = f"no key is published below _domainkey.{domain}: let your relay sign (RFC 6376)"
    yield Finding("DKIM", State.WARN if keys is None else State.OK, text)


def dns_texts(name: str) -> tuple[str, ...] | None:
    """Ask the system's resolver; the real port of `LookUp`."""
    try:
        answer = dns.resolver.resolve(
            name, "TXT", lifetime=PATIENCE / 2, raise_on_no_answer=False, search=False
        )
    except dns.resolver.NXDOMAIN:
        return None
    except dns.exception.DNSException as fault:
        raise TimeoutError(f"the DNS gives no answer for {name} ({type(fault).__name__})") from fault
    return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in answer.rrset or ())
