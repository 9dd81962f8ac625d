"""Whether everybody can read the pages: contrast of every pair of colours that text or shapes are made of."""

import re
from collections.abc import Mapping

import pytest

from service.model import ComponentState, UpdateStatus
from service.web.front import STATIC

CSS = (STATIC / "replycast.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
)
SCHEMES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
TONES = ("good", "planned", "slow", "partial", "down", "quiet")


def luminance(colour: str) -> float:
    """Compute relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@SCHEMES
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((ink, ground) for ink in ("ink", "ink-soft", "accent") for ground in ("ground", "surface", "sunk")),
        *((f"{tone}-ink", ground) for tone in TONES for ground in (f"{tone}-soft", "surface")),
        *(("ink", f"{tone}-soft") for tone in TONES),
        ("on-accent", "accent"),
        ("on-accent", "accent-strong"),
    ],
)
def test_text_can_be_read(colours: Mapping[str, str], text: str, ground: str) -> None:
    assert contrast(colours[text], colours[ground]) >= 4.5  # WCAG 2.2, 1.4.3


@SCHEMES
@pytest.mark.parametrize(
    ("shape", "ground"),
    [
        *((tone, ground) for tone in TONES for ground in (f"{tone}-soft", "surface")),
        ("focus", "ground"),
        ("focus", "surface"),
        ("line-strong", "surface"),
    ],
)
def test_shapes_can_be_told_apart(colours: Mapping[str, str], shape: str, ground: str) -> None:
    assert contrast(colours[shape], colours[ground]) >= 3  # WCAG 2.2, 1.4.11


@pytest.mark.parametrize("state", [*ComponentState, *UpdateStatus])
def test_every_public_state_has_its_look(state: str) -> None:
    assert f'[data-state="{state}"]' in CSS


def test_the_stylesheet_fetches_nothing() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
