"""What a page has to be for everybody: styled, no wider than its window, and without anything that axe finds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

from tests.web.chromium import SCREENS, fits

WCAG: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "iframes": False,
}
"""Rules of axe-core up to WCAG 2.2 AA, and what its makers recommend besides.

It does not look into frames: it could not, for those of ours let no script in, and waits for each in vain.
"""
COLOURS: Final = {**WCAG, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What of these a page in other colours can break."""

_STOPS: Final = """() => {
  const named = "a, button, input:not([type=hidden]), select, textarea, summary, [tabindex]", faults = [];
  for (const one of document.querySelectorAll(named)) {
    // what is kept from people as a whole is a trap for programs
    if (one.matches('[aria-hidden="true"] *, :disabled') || !one.checkVisibility({visibilityProperty: true})) continue;
    one.focus({focusVisible: true});
    one.scrollIntoView({block: "nearest", behavior: "instant"});
    const isRinged = [getComputedStyle(one), getComputedStyle(one, "::after")].some(
      (style) => style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2);
    const box = one.getBoundingClientRect();
    const above = document.elementFromPoint(box.x + Math.min(box.width / 2, 20), box.y + box.height / 2);
    const isCovered = !above || !(one.contains(above) || above.contains(one));
    const fault = document.activeElement !== one || one.tabIndex !== 0 ? "is no stop in its turn"
      : !isRinged ? "shows no focus" : isCovered ? "is covered" : "";
    if (fault) faults.push(`${fault}: ${one.outerHTML.slice(0, 120)}`);
  }
  return faults;
}"""
"""Finds what cannot be used by the keys: 2.1.1, 2.4.3, 2.4.7 and 2.4.11 of WCAG 2.2, of which axe sees but little."""


def judge(page: Page, rules: Mapping[str, object] = WCAG) -> None:
    """Judge a page as it stands."""
    assert fits(page), f"it does not fit into {page.viewport_size}"
    if not page.evaluate("'axe' in window"):  # to hand it over takes longer than to run it
        page.evaluate(AXE_SCRIPT)
    results = AxeResults(page.evaluate("options => axe.run(options)", rules))
    assert results.violations_count == 0, f"on {page.viewport_size}: {results.generate_report()}"


def judge_whole(page: Page) -> None:
    """Judge a page with all that is folded in it, in light and in dark; after that it is folded as before."""
    with _unfolded(page):
        page.emulate_media(color_scheme="light")
        judge(page)
        page.emulate_media(color_scheme="dark")
        judge(page, COLOURS)


def judge_on_each_screen(page: Page) -> None:
    """Judge a page whole, and its stops, on a phone and on a desk; for one that is only looked at."""
    for width, height in SCREENS.values():
        page.set_viewport_size({"width": width, "height": height})
        judge_whole(page)
        judge_stops(page)


def judge_stops(page: Page) -> None:
    """Judge whether the keys lead to all that can be used on a page, and whether it is seen where they are."""
    with _unfolded(page):
        faults = page.evaluate(_STOPS)
    assert not faults, "\n".join(faults)


@contextmanager
def _unfolded(page: Page) -> Iterator[None]:
    folded = page.evaluate_handle("[...document.querySelectorAll('details:not([open])')]")
    folded.evaluate("all => all.forEach(one => one.open = true)")
    yield
    folded.evaluate("all => all.forEach(one => one.open = false)")
