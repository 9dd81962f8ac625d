"""Colours of the company's own: whether text can be read in them, and what is made of them. Pure."""

import re
from typing import Final

READABLE: Final = 4.5
"""Contrast between a text and what it stands on: WCAG 2.2, 1.4.3."""
LIGHT_GROUND: Final = "#f0f1ed"
"""The darkest ground of the light pages; on it a colour is hardest to read, and white upon the colour is easier."""
DARK_GROUND: Final = "#282d32"
"""The brightest ground of the dark pages and mails."""
_BLACK, _WHITE = "#000000", "#ffffff"
_STEPS: Final = 100
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")


def is_colour(text: str) -> bool:
    """Whether a text is `#rrggbb`, in small letters."""
    return _COLOUR.fullmatch(text) is not None


def parse_colour(text: str) -> str:
    """Read a colour as `#rrggbb`; raises ValueError."""
    colour = text.lower()
    if not is_colour(colour):
        raise ValueError('is not a colour: write one such as "#3350b0", in quotes')
    return colour


def luminance(colour: str) -> float:
    """Compute the relative luminance of `#rrggbb` as WCAG 2.2 defines it."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  sRGB's own


def contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of two colours, from 1 to 21."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def mixed(colour: str, other: str, part: float) -> str:
    """Mix a part (0 to 1) of another colour into one."""
    channels = ((int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(own + (its - own) * part):02x}" for own, its in channels)


def readable(colour: str, *, is_dark: bool) -> str:
    """Give the nearest shade that can be read on the light or the dark pages; the colour itself where it can be."""
    ground, towards = (DARK_GROUND, _WHITE) if is_dark else (LIGHT_GROUND, _BLACK)
    shades = (mixed(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(shade for shade in shades if contrast(shade, ground) >= READABLE)


def stronger(colour: str, *, is_dark: bool) -> str:
    """Give the shade for what a pointer is on."""
    return mixed(colour, _WHITE if is_dark else _BLACK, 0.25)
