"""What may stand in XML 1.0 (section 2.2) and what may not. Pure."""

import re
from typing import Final

_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def only_xml(text: str) -> bytes:
    """Encode a document without the characters that XML cannot hold, not even escaped.

    One of them, in the subject of an alert, would make the whole document unreadable.
    """
    return _NOT_XML.sub("", text).encode()
