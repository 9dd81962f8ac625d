"""Bytes of a mail and the name of their character set → text. Names mean what mail programs mean by them.

A wrong guess would be read by the public: a letter that nobody can be sure of becomes U+FFFD, for the caller to ask.
"""

import codecs
import re
from types import MappingProxyType
from typing import Final

UNKNOWN_LETTER: Final = "\ufffd"

_MEANT: Final = MappingProxyType(
    {
        "windows-1252": "iso-8859-1 iso8859-1 latin1 latin-1 l1",
        "windows-1254": "iso-8859-9 iso8859-9 latin5 latin-5",
        "cp874": "iso-8859-11 tis-620",
        "iso-8859-8": "iso-8859-8-i iso-8859-8-e",
        "gb18030": "gb2312 gb-2312-80 gbk x-gbk euc-cn chinese",
        "big5hkscs": "big5 x-x-big5 cn-big5",
        "cp932": "shift-jis shift-jis-2004 x-sjis sjis windows-31j cswindows31j ms-kanji",
        "cp949": "ks-c-5601-1987 ks-c-5601-1989 ks-c-5601 ksc5601 euc-kr korean",
        "mac-roman": "macintosh x-mac-roman mac",
    }
)
_CODECS: Final = MappingProxyType({name: codec for codec, names in _MEANT.items() for name in names.split()})
"""Which larger set is meant where one is named (https://encoding.spec.whatwg.org/#names-and-labels)."""
_WINDOWS: Final = re.compile(r"(?:x-)?cp-?(125[0-8])")
_REFUSED: Final = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
"""Codecs that are slow on purpose-made input, or turn escapes into other letters."""
_NOT_WESTERN: Final = re.compile("[^\x00-\x7f]{4,}")
"""What another writing looks like in windows-1252; no language that is written in it has such a word."""


def decode_bytes(payload: bytes, charset: str) -> str:
    """Decode as declared, else as UTF-8, else as windows-1252; an unknown or hostile charset is passed over.

    A few bytes that do not fit become U+FFFD, and so does what is clearly not windows-1252. A last character cut in
    two, where a mail was truncated, is dropped.
    """
    for name in (_codec_of(charset), "utf-8"):
        text = _decoded(payload, name)
        if text is not None:
            return text
    western = payload.decode("windows-1252", errors="replace")
    return _NOT_WESTERN.sub(lambda found: UNKNOWN_LETTER * len(found[0]), western)


def _codec_of(charset: str) -> str:
    label = charset.strip().lower().replace("_", "-").replace(" ", "-")
    if found := _WINDOWS.fullmatch(label):
        return f"cp{found[1]}"
    return _CODECS.get(label, charset)


def _decoded(payload: bytes, name: str) -> str | None:
    """Decode, or give None where there is no such codec, or more bytes do not fit than letters that do."""
    try:
        if codecs.lookup(name).name.replace("_", "-") in _REFUSED:
            return None
        return payload.decode(name)
    except UnicodeDecodeError as fault:
        if fault.end == len(payload) and fault.reason == "unexpected end of data":
            return payload[: fault.start].decode(name, errors="replace")
    except (LookupError, ValueError):
        return None
    text = payload.decode(name, errors="replace")
    unknown = text.count(UNKNOWN_LETTER)
    fitting = sum(not letter.isascii() for letter in text) - unknown
    return text if fitting > unknown else None
