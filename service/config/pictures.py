"""Pictures that config.yaml names: read, and refused where a browser or a reader could be harmed by them.

What a file is called says nothing: only its bytes do.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final
from xml.parsers import expat

from service.config.settings import Picture
from service.errors import what_ran_out

LARGEST: Final = 256 * 1024
"""Bytes."""
_KINDS: Final = "a PNG, JPEG, WebP or SVG picture"
_ENDINGS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/svg+xml": "svg"}
_ACTIVE: Final = frozenset(
    {"script", "foreignobject", "iframe", "embed", "object", "audio", "video", "handler"}
)
_REFERENCES: Final = frozenset({"href", "src"})
_URL: Final = re.compile(r"""url\(\s*['"]?\s*(?!#)\S""", re.IGNORECASE)
_MARK: Final = re.compile(rb"\s*(<\?xml|<svg|<!--|<!doctype\s+svg)", re.IGNORECASE)


def read_picture(path: Path) -> Picture:
    """Read a picture; raises ValueError with a predicate ("does not exist") that says what is wrong with the file.

    Raises OSError where the machine has nothing left to open it with.
    """
    try:
        if not path.is_file():
            raise ValueError("is not a file" if path.exists() else "does not exist")
        with path.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        if what_ran_out(error):
            raise
        raise ValueError(f"cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise ValueError(f"is larger than {LARGEST // 1024} KiB: make the picture smaller")
    media_type = _media_type(content)
    if media_type == "image/svg+xml":
        _check_svg(content)
    return Picture(sha256(content).hexdigest()[:20], media_type, _ENDINGS[media_type], content)


def _media_type(content: bytes) -> str:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if _MARK.match(content.removeprefix(b"\xef\xbb\xbf")):
        return "image/svg+xml"
    raise ValueError(f"is not {_KINDS}")


def _check_svg(content: bytes) -> None:
    """Refuse what runs, what fetches from elsewhere, and what is no SVG."""
    names: list[str] = []
    wrong: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        names.append(name.rpartition(":")[2].lower())
        wrong.extend(_harm_of(names[-1], attributes))

    def say(text: str) -> None:
        if names[-1:] == ["style"] and ("@" in text or _URL.search(text)):
            wrong.append("fetches something from elsewhere in its styles")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler = begin, say
    # before it expands what a DOCTYPE declares
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(content, True)  # noqa: FBT003  expat's own
    except expat.ExpatError as error:
        raise ValueError(f"is not {_KINDS}: its XML is faulty ({error})") from error
    if names[0] != "svg":
        raise ValueError(f"is not {_KINDS}: it is some other XML")
    if wrong:
        raise ValueError(f"{wrong[0]}: save it as a plain SVG, or as a PNG")


def _harm_of(tag: str, attributes: Mapping[str, str]) -> Iterator[str]:
    if tag in _ACTIVE:
        yield f"holds <{tag}>, which may run"
    for key, value in attributes.items():
        name = key.rpartition(":")[2].lower()
        if name.startswith("on"):
            yield f"holds `{name}`, which may run"
        if name in _REFERENCES and not value.strip().startswith(("#", "data:image/")):
            yield f"fetches something from elsewhere by `{name}`"
        if _URL.search(value):
            yield "fetches something from elsewhere by url()"


def _refuse_doctype(*_: object) -> None:
    raise ValueError("holds a DOCTYPE: save it as a plain SVG, or as a PNG")
