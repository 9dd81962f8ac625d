"""What a page has to be for everybody: styled, no wider than its window, and without anything that axe finds."""

from typing import Final

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

from tests.web.chromium import fits

WCAG: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
"""Rules of axe-core up to WCAG 2.2 AA, and what its makers recommend besides."""


def judge(page: Page) -> None:
    """Judge a page as it stands."""
    assert fits(page)
    if not page.evaluate("'axe' in window"):  # to hand it over takes longer than to run it
        page.evaluate(AXE_SCRIPT)
    results = AxeResults(page.evaluate("options => axe.run(options)", WCAG))
    assert results.violations_count == 0, results.generate_report()


def judge_whole(page: Page) -> None:
    """Judge a page with all that is folded in it, in light and in dark; after that it is folded as before."""
    folded = page.evaluate_handle("[...document.querySelectorAll('details:not([open])')]")
    folded.evaluate("all => all.forEach(one => one.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        judge(page)
    folded.evaluate("all => all.forEach(one => one.open = false)")
