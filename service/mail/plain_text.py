"""Text of a mail's body → the lines a person reads. Knows format=flowed (RFC 3676), and what of a text nobody sees."""

import re
import unicodedata

MOST_CHARACTERS = 64 * 1024
MOST_LINES = 400
# Not str.splitlines(): it also breaks at form feeds and the like, which no client shows as a new line.
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# Letters and marks by their category, and yet nothing is seen of them.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def without_invisible(text: str) -> str:
    """Drop control, zero-width and bidi characters, fillers and variation selectors; white space stays."""
    if "\n" in text:
        return "\n".join(map(without_invisible, text.split("\n")))
    if text.isprintable():
        return text if text.isascii() else _UNSEEN.sub("", text)
    return "".join(
        letter
        for letter in _UNSEEN.sub("", text)
        if letter.isspace() or unicodedata.category(letter) not in {"Cc", "Cf", "Cs"}
    )


def cut_to_lines(text: str) -> tuple[str, ...]:
    """Split into lines, at most 400 of at most 64 KiB together."""
    return tuple(_LINE_BREAK.split(text[:MOST_CHARACTERS])[:MOST_LINES])


def unflow(text: str, *, delete_space: bool) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676); `delete_space` is its DelSp=yes.

    A soft break only joins lines of the same quote depth; the signature's `-- ` is never one.
    """
    paragraphs: list[str] = []
    open_depth: int | None = None
    for line in _LINE_BREAK.split(text):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        is_signature = content == "-- "
        if open_depth == depth and not is_signature:
            paragraphs[-1] += content
        else:
            paragraphs.append(f"{'>' * depth} {content}" if depth else content)
        is_soft = content.endswith(" ") and not is_signature
        if is_soft and delete_space:
            paragraphs[-1] = paragraphs[-1][:-1]
        open_depth = depth if is_soft else None
    return "\n".join(paragraphs)
