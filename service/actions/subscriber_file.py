"""The list of subscribers as a CSV file: read with all its faults at once, and written. It changes no row.

The columns are StatusCast's: Email, Phone, Components, Groups, Webhook URL, Tags; in any order, with `;` or `|`
between several names in one cell.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.actions.subscribing import checked_address
from service.calls.calling import UrlUnusable, check_url
from service.errors import AddressInvalid, PermanentFault
from service.model import Channel, Subscriber

COLUMNS: Final = ("Email", "Phone", "Components", "Groups", "Webhook URL", "Tags")
MOST_LINES: Final = 100_000
"""Besides the first."""
MOST_FAULTS: Final = 1_000
"""Faults that are told of; a file with more is of another kind altogether."""
LONGEST_NAME: Final = 200

_BY_FOLDED: Final = {re.sub(r"[^a-z]", "", name.lower()): name for name in COLUMNS}
_SYNONYMS: Final = {"mail": "Email", "emailaddress": "Email", "webhook": "Webhook URL", "url": "Webhook URL"}
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()./-]{2,38}")
_BETWEEN_NAMES: Final = re.compile(r"[;|]")
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""
_CHANNELS: Final = {"hooks.slack.com": Channel.SLACK, "webhook.office.com": Channel.TEAMS}


class SubscriberFileFaulty(PermanentFault):
    """A file of subscribers cannot be taken; `faults` names every bad line, and nothing of it was imported."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Entry:
    """One address of the file; a line with an e-mail address and a webhook gives two."""

    line: int
    channel: Channel
    address: str
    components: tuple[str, ...] | None
    groups: tuple[str, ...]
    phone: str
    tags: tuple[str, ...]


def read_file(raw: bytes, components: Sequence[str], *, may_be_private: bool = False) -> tuple[Entry, ...]:
    """Read a file against the components that there are; raises SubscriberFileFaulty with every bad line.

    `may_be_private` lets its webhooks be at addresses of our own network.
    """
    rows = _rows(raw)
    columns = _columns(next(rows, (1, []))[1])
    by_folded = {name.casefold(): name for name in components}
    entries: list[Entry] = []
    faults: list[str] = []
    first_line: dict[str, int] = {}
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        row = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
        found, wrong = _entries(line, row, by_folded, may_be_private=may_be_private)
        for entry in found:
            key = entry.address.casefold()
            if key in first_line:
                wrong.append(f"line {line}: `{entry.address}` stands in line {first_line[key]} already")
            first_line.setdefault(key, line)
        entries.extend(found)
        faults.extend(wrong)
        if len(faults) > MOST_FAULTS:
            faults[MOST_FAULTS:] = ["and more: is this a list of subscribers?"]
            break
    if not faults and not entries:
        faults = ["there is no subscriber in the file"]
    if faults:
        raise SubscriberFileFaulty(faults)
    return tuple(entries)


def named_columns(raw: bytes) -> frozenset[str]:
    """Tell which columns a file has, whatever stands in them; raises SubscriberFileFaulty."""
    return frozenset(_columns(next(_rows(raw), (1, []))[1]))


def _rows(raw: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = raw[: error.start].count(b"\n") + 1
        raise SubscriberFileFaulty([f"line {where}: it is not in UTF-8; save it as `CSV UTF-8`"]) from error
    if "\0" in text:
        raise SubscriberFileFaulty(["it holds zero bytes, as no text file does; save it as `CSV UTF-8`"])
    first = text.partition("\n")[0]
    # spreadsheets of some countries write semicolons between the cells
    between = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            if reader.line_num > MOST_LINES + 1:
                raise SubscriberFileFaulty([f"it has more than {MOST_LINES:,} lines: split it"])
            line = reader.line_num + 1
    except csv.Error as error:
        raise SubscriberFileFaulty([f"line {line}: {error}"]) from error


def _columns(header: Sequence[str]) -> Mapping[str, int]:
    columns: dict[str, int] = {}
    faults = []
    for at, cell in enumerate(header):
        folded = re.sub(r"[^a-z]", "", cell.lower())
        name = _BY_FOLDED.get(folded) or _SYNONYMS.get(folded)
        if name is None and cell.strip():
            faults.append(f"line 1: unknown column `{cell.strip()[:60]}`; there are {', '.join(COLUMNS)}")
        elif name in columns:
            faults.append(f"line 1: the column {name} stands there twice")
        elif name is not None:
            columns[name] = at
    if not faults and "Email" not in columns and "Webhook URL" not in columns:
        faults.append(
            "line 1: neither a column Email nor Webhook URL is there; the first line names the columns"
        )
    if faults:
        raise SubscriberFileFaulty(faults)
    return columns


def _entries(
    line: int, row: Mapping[str, str], by_folded: Mapping[str, str], *, may_be_private: bool
) -> tuple[list[Entry], list[str]]:
    wrong: list[str] = []
    addresses: list[tuple[Channel, str]] = []
    if row.get("Email"):
        try:
            addresses.append((Channel.EMAIL, checked_address(_bare(row["Email"]))))
        except AddressInvalid as error:
            wrong.append(f"line {line}: Email `{row['Email'][:80]}`: {error}")
    if row.get("Webhook URL"):
        try:
            url = check_url(row["Webhook URL"], may_be_private=may_be_private)
            addresses.append((channel_of(url), url))
        except UrlUnusable as error:
            wrong.append(f"line {line}: Webhook URL `{row['Webhook URL'][:80]}` {error}")
    if not row.get("Email") and not row.get("Webhook URL"):
        wrong.append(f"line {line}: neither an Email nor a Webhook URL is there")
    phone = _bare(row.get("Phone", ""))
    if phone and not _PHONE.fullmatch(phone):
        wrong.append(f"line {line}: Phone `{phone[:60]}` is no telephone number")
    asked = _names(row.get("Components", ""))
    unknown = [name for name in asked if name.casefold() not in by_folded]
    wrong.extend(f"line {line}: unknown component `{name[:80]}`" for name in unknown)
    groups, tags = _names(row.get("Groups", "")), _names(row.get("Tags", ""))
    wrong.extend(
        f"line {line}: `{name[:60]}…` is too long" for name in (*groups, *tags) if len(name) > LONGEST_NAME
    )
    chosen = tuple(by_folded[name.casefold()] for name in asked if name not in unknown) or None
    entries = [Entry(line, channel, one, chosen, groups, phone, tags) for channel, one in addresses]
    return entries, wrong


def channel_of(url: str) -> Channel:
    """Tell by a webhook's host in which form it wants to be told; any other gets ours."""
    host = url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    if host.endswith((".webhook.office.com", ".logic.azure.com", ".environment.api.powerplatform.com")):
        return Channel.TEAMS
    return _CHANNELS.get(host, Channel.WEBHOOK)


def write_file(subscribers: Iterable[Subscriber]) -> Iterator[str]:
    """Write a file line by line, so that no list is too long; what it gives can be imported again."""
    yield _line(COLUMNS)
    for one in subscribers:
        is_mail = one.channel is Channel.EMAIL
        cells = (
            _guarded(one.address) if is_mail else "",
            one.phone,
            "; ".join(map(_guarded, one.components or ())),
            "; ".join(map(_guarded, one.groups)),
            "" if is_mail else one.address,
            "; ".join(map(_guarded, one.tags)),
        )
        yield _line(cells)


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text


def _bare(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:].startswith(_RISKY) else text


def _names(cell: str) -> tuple[str, ...]:
    named = (" ".join(one.split()) for one in _BETWEEN_NAMES.split(cell))
    return tuple(dict.fromkeys(_bare(one) for one in named if one))
