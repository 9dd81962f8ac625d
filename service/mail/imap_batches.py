"""Fetches mails ahead and files them away behind, so that the server works while the caller stores those between.

Commands are sent before the answers to earlier ones have come (RFC 9051 section 5.5): by UIDs none of them is
ambiguous. It decides nothing; no text of a mail ever gets into a command.
"""

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError
from imapclient.imap_utf7 import encode as encode_utf7
from imapclient.response_parser import parse_fetch_response

from service.config.settings import Imap
from service.errors import MailboxUnavailable
from service.mail.imap_faults import faults, plain

FETCH_LIMIT: Final = 256 * 1024
"""Bytes that are fetched of a mail at most."""
SMALL: Final = 16 * 1024
"""Bytes of a usual mail; only larger ones are told apart."""
MOST_TOGETHER: Final = 256
"""Mails that are fetched, stored and moved together."""
MOST_BYTES: Final = MOST_TOGETHER * SMALL
"""Bytes that are fetched together at most, save one large mail alone; twice as much may be held."""

_BODY: Final = f"BODY.PEEK[]<0.{FETCH_LIMIT}>"


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of a mail on the server; `size` is that of the whole, in bytes."""

    uid: int
    size: int
    raw: bytes


def portions(uids: Sequence[int], large: Collection[int]) -> Iterator[Sequence[int]]:
    """Cut UIDs into portions that may be fetched together; `large` are those of mails over SMALL."""
    portion: list[int] = []
    held = 0
    for uid in uids:
        most = FETCH_LIMIT if uid in large else SMALL
        if portion and (held + most > MOST_BYTES or len(portion) >= MOST_TOGETHER):
            yield portion
            portion, held = [], 0
        portion.append(uid)
        held += most
    if portion:
        yield portion


class Batches:
    """The traffic in mails of one connection; `client` is an IMAPClient with the folder selected."""

    def __init__(self, client: Any, imap: Imap, filing_folder: str) -> None:  # noqa: ANN401 # IMAPClient has no type information
        self._wire = client._imap  # noqa: SLF001 # IMAPClient waits for each answer before it sends the next command
        self._imap = imap
        self._filing_folder = filing_folder
        self._quoted_folder = _quoted(filing_folder)
        self._can_move = bool(client.has_capability("MOVE"))
        self._can_expunge_by_uid = bool(client.has_capability("UIDPLUS"))
        self.complaint = ""
        """Which mail the server would not give last, and why; "" for none."""
        self.has_moved = False
        """Whether any mail was moved since somebody set this back."""
        self._arrived: dict[int, Part] = {}
        self._moving: bytes | None = None
        self._expected: tuple[bytes, int] | None = None

    def prepare(self, uid: int) -> bytes:
        """Give the question for the mail that news will probably be about, which spares a search and its trip.

        It is not sent; `expect_none` must follow where it never is.
        """
        with _held_back(self._wire) as held:
            self._expected = (self._ask([uid]), uid)
        return b"".join(held)

    def pushed(self) -> Part | None:
        """Give a whole mail that the server sent without being asked for it, if it is among what was said."""
        said = self._wire.untagged_responses.pop("FETCH", [None])
        whole = (part for part in _parts_in(said) if len(part.raw) == part.size)
        return next(whole, None)

    def expect_none(self) -> None:
        """Take the question back that was prepared."""
        if self._expected is not None:
            del self._wire.tagged_commands[self._expected[0]]
            self._expected = None

    def expected(self) -> list[Part]:
        """Give the mail that was asked for as `prepare` said; none where none was, or where no mail has that UID.

        What the server would not give is asked for again after the search. Raises MailboxUnavailable.
        """
        if self._expected is None:
            return []
        (tag, uid), self._expected = self._expected, None
        self._read_answer(tag)
        found = [self._arrived[uid]] if uid in self._arrived else []
        self._arrived.clear()
        return found

    def fetch(self, found: Iterable[Sequence[int]]) -> Generator[list[Part]]:
        """Fetch portion after portion, asking for the next before giving one.

        Of each mail come the first 256 KiB, without marking it read. What has gone meanwhile, or what the
        server will not give (Exchange refuses some broken mails, and then all that were asked for together),
        is left out. Close the iterator where it is not read to its end. Raises MailboxUnavailable.
        """
        asked: list[tuple[bytes, Sequence[int]]] = []
        try:
            for uids in found:
                asked.append((self._ask(uids), uids))
                if len(asked) > 1:
                    yield self._answer(*asked.pop(0))
            while asked:
                yield self._answer(*asked.pop(0))
        finally:
            with suppress(MailboxUnavailable):
                for tag, uids in asked:
                    self._answer(tag, uids)
            self._arrived.clear()

    def file_away(self, uids: Sequence[int]) -> str:
        """Begin to move mails to the folder for processed ones; give "" or why the last such order was refused.

        Without MOVE (RFC 6851) they are copied, marked and expunged by UID; without UIDPLUS (RFC 4315) they
        stay marked, since a plain EXPUNGE would also remove what others have marked.
        """
        refusal = self.settle()
        self.has_moved = True
        with faults(self._imap):
            if self._can_move:
                self._moving = self._wire._command("UID", "MOVE", _listed(uids), self._quoted_folder)  # noqa: SLF001 # as above
                return refusal
            try:
                self._order("COPY", _listed(uids), self._quoted_folder)
                self._order("STORE", _listed(uids), "+FLAGS.SILENT", r"(\Deleted)")
                if self._can_expunge_by_uid:
                    self._order("EXPUNGE", _listed(uids))
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                return self._refused(fault)
            return refusal

    def settle(self) -> str:
        """Wait until the last move is done; give "" or why the server refused it."""
        tag, self._moving = self._moving, None
        if tag is None:
            return ""
        with faults(self._imap):
            try:
                self._complete("MOVE", tag)
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                return self._refused(fault)
            return ""

    def _ask(self, uids: Sequence[int]) -> bytes:
        with faults(self._imap):
            tag: bytes = self._wire._command("UID", "FETCH", _listed(uids), f"(RFC822.SIZE {_BODY})")  # noqa: SLF001 # as above
            return tag

    def _answer(self, tag: bytes, uids: Sequence[int]) -> list[Part]:
        refusal = self._read_answer(tag)
        if refusal and len(uids) == 1:
            self.complaint = (
                f"mail {uids[0]} of {self._imap.folder} stays there, for it cannot be fetched: {refusal}"
            )
        elif refusal:
            for uid in uids:
                if uid not in self._arrived:
                    self._arrived.update({part.uid: part for part in self._answer(self._ask([uid]), [uid])})
        return [self._arrived.pop(uid) for uid in uids if uid in self._arrived]

    def _read_answer(self, tag: bytes) -> str:
        """Keep the mails that come with this answer; give "" or why there are not all of them."""
        refusal = ""
        with faults(self._imap):
            try:
                self._complete("FETCH", tag)
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                refusal = plain(fault, self._imap)
            said = self._wire.untagged_responses.pop("FETCH", [None])
            self._arrived.update({part.uid: part for part in _parts_in(said)})
        return refusal

    def _order(self, command: str, *arguments: str) -> None:
        self._complete(command, self._wire._command("UID", command, *arguments))  # noqa: SLF001 # as above

    def _complete(self, command: str, tag: bytes) -> None:
        kind, told = self._wire._command_complete(command, tag)  # noqa: SLF001 # as above
        if kind != "OK":
            raise IMAPClientError(f"{command} failed: {(told[-1] or b'').decode('utf-8', 'replace')}")

    def _refused(self, fault: IMAPClientError) -> str:
        return f"read mails cannot be moved to {self._filing_folder}: {plain(fault, self._imap)}"


def _parts_in(said: Sequence[Any]) -> Iterator[Part]:
    for uid, items in parse_fetch_response(said).items():
        if b"BODY[]<0>" in items and b"RFC822.SIZE" in items:
            raw = items[b"BODY[]<0>"] or b""
            yield Part(uid, int(items[b"RFC822.SIZE"]), raw[:FETCH_LIMIT])


@contextmanager
def _held_back(wire: Any) -> Iterator[list[bytes]]:  # noqa: ANN401 # imaplib's send may be anything that takes bytes
    """Give what would be sent meanwhile, and send nothing."""
    held: list[bytes] = []
    wire.send = held.append
    try:
        yield held
    finally:
        del wire.send


def _listed(uids: Iterable[int]) -> str:
    return ",".join(map(str, uids))


def _quoted(folder: str) -> str:
    """Give a folder's name as commands want it, with nothing in it but printable ASCII."""
    escaped = encode_utf7(folder).decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
