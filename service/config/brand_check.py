"""The company's own look: whether its pictures can be shown, and whether text can be read in its colours.

Reads the pictures that config.yaml names and nothing else; paths are relative to its folder.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from service.config.colours import DARK_GROUND, LIGHT_GROUND, READABLE, contrast, is_colour, readable
from service.config.document import Document, find, texts
from service.config.pictures import read_picture
from service.errors import Fault

_GROUNDS: Final = {"brand": ("light", LIGHT_GROUND), "brand_dark": ("dark", DARK_GROUND)}


def check_brand(document: Document, folder: Path) -> list[Fault]:
    """Report pictures that cannot be shown and colours that cannot be read."""
    return [*_pictures(document, folder), *_colours(document)]


def _pictures(document: Document, folder: Path) -> Iterator[Fault]:
    for name in ("logo", "favicon"):
        for keys, written in texts(document.tree, "site", name):
            try:
                read_picture(folder / written.strip())
            except ValueError as error:
                yield document.fault(keys, f"the file {document.quoted(keys)} {error}")


def _colours(document: Document) -> Iterator[Fault]:
    for name, (scheme, ground) in _GROUNDS.items():
        for keys, written in texts(document.tree, "site", "colours", name):
            colour = written.strip().lower()
            if not is_colour(colour) or (ratio := contrast(colour, ground)) >= READABLE:
                continue
            nearest = readable(colour, is_dark=scheme == "dark")
            said = (
                f"can hardly be read on the {scheme} pages: its contrast is {_cut(ratio)} to 1, and {READABLE} are"
                f' needed; the nearest shade that has them is "{nearest}"'
            )
            yield document.fault(keys, f"{document.quoted(keys)} {said}")
    for keys, colours in find(document.tree, "site", "colours"):
        if isinstance(colours, dict) and "brand_dark" in colours and "brand" not in colours:
            yield document.fault((*keys, "brand_dark"), "`brand_dark` needs a `brand` beside it", at_key=True)


def _cut(ratio: float) -> str:
    """Write a ratio, never rounded up to one that was not reached."""
    return f"{int(ratio * 100) / 100:.2f}"
