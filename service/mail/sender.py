"""The header field From → the one address in it, or why it is unclear whose mail it is. Authenticates nobody."""

import email.policy
import re
import unicodedata
from collections.abc import Sequence
from email.errors import MessageDefect, ObsoleteHeaderDefect
from email.headerregistry import AddressHeader
from functools import lru_cache
from typing import Final

from service.mail.parsing import MOST_FIELD_CHARACTERS, PARSER_FAULTS, ParsedMail, decode_words

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_NAMED: Final = re.compile(
    rf"(?P<phrase>[^<>]*)<(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)>"
)
_CLOSED: Final = re.compile(r'"[^"]*"|\([^()]*\)')
_ENCODED_WORD: Final = re.compile(r"=\?([^?*]*)(?:\*[^?]*)?\?[bq]\?[^?]*\?=", re.IGNORECASE)
"""RFC 2047, section 2; a language may stand behind the character set (RFC 2231, section 5)."""
_PLAIN_CHARSET: Final = re.compile(
    r"utf-8|us-ascii|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|iso-2022-jp|shift_jis"
    r"|euc-jp|euc-kr|ks_c_5601-1987|tis-620",
    re.IGNORECASE,
)
"""Of an encoded word: all readers decode these alike, so that what is an @ to one of them is one to us."""


def read_sender(mail: ParsedMail) -> tuple[str | None, str]:
    """Give the one address of From with its domain in lower case, or None and why it is unclear.

    From must be one field with one address that the parser reads without a defect (RFC 5322, section 3.6.2).
    Let pass are the full stop in an unquoted name (`J. Ray <…>`, section 4.1), and what is wrong with the name
    alone and hides no other address (see `read_named`).
    """
    values = mail.values("from")
    if len(values) != 1:
        return (
            None,
            f"the mail has {len(values)} From fields instead of one" if values else "there is no From",
        )
    if len(values[0]) >= MOST_FIELD_CHARACTERS:
        return None, f"From is longer than {MOST_FIELD_CHARACTERS} characters"
    return _read_address(values[0])


@lru_cache(maxsize=256)
def _read_address(value: str) -> tuple[str | None, str]:
    try:
        header = email.policy.default.header_factory("From", value)
    except (*PARSER_FAULTS, RecursionError) as fault:
        return None, f"From cannot be read ({type(fault).__name__})"
    sender, why = _only_address(header, header.defects, value)
    return (sender, "") if sender else (named, "") if (named := read_named(value)) else (None, why)


def read_named(value: str) -> str | None:
    """Give the address of `NAME <ADDRESS>`, however odd the name is, if no reader can see another one in it.

    It ends in the only `<…>`, which holds a plain address. No @ stands in the name, neither as it is nor decoded,
    unless the name is that very address; and nothing opens in it that does not close, or is escaped.
    """
    match = _NAMED.fullmatch(value.strip())
    if match is None:
        return None
    phrase, address = match["phrase"], f"{match['local']}@{match['domain'].lower()}"
    if not all(_PLAIN_CHARSET.fullmatch(charset) for charset in _ENCODED_WORD.findall(phrase)):
        return None
    shown = decode_words(phrase)
    if "=?" in _ENCODED_WORD.sub("", phrase) or "=?" in shown:
        return None
    is_closed = not any(mark in _CLOSED.sub("", phrase) for mark in '"()')
    if not is_closed or "\\" in phrase or not phrase.replace("\t", " ").isprintable():
        return None
    return address if all(_is_harmless(text, address) for text in (phrase, shown)) else None


def _is_harmless(name: str, address: str) -> bool:
    plain = unicodedata.normalize("NFKC", name)
    return plain.strip(' \t"').casefold() == address.casefold() or not any(mark in plain for mark in "@<>")


def _only_address(
    header: AddressHeader, defects: Sequence[MessageDefect], value: str
) -> tuple[str | None, str]:
    for defect in defects:
        if not (isinstance(defect, ObsoleteHeaderDefect) and str(defect) == "period in 'phrase'"):
            # the parser leaves some without a word
            return None, f"From is malformed: {defect}" if str(defect) else "From is malformed"
    if len(header.addresses) != 1 or any(group.display_name is not None for group in header.groups):
        return None, f"From names {len(header.addresses)} addresses or a group instead of one address"
    address = header.addresses[0]
    sender = f"{address.username}@{address.domain.lower()}"
    is_literal = address.addr_spec.lower() in value.lower()
    if not (
        address.username and address.domain and is_literal and sender.isprintable() and " " not in sender
    ):
        return None, "From holds no plain address"
    return sender, ""
