"""Hands that know no mouse: what a person does with the keys alone, and what is said to it."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.judging import judge


def tab_to(page: Page, text: str) -> None:
    """Press Tab until a line of what is focused, or its id, begins with a text.

    Each stop on the way has to be visible as such.
    """
    page.wait_for_load_state("load")  # a page that is not there whole loses the focus again
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        said, outline = page.evaluate(
            """() => {
                const focused = document.activeElement;
                if (focused === document.body) return ['', true];
                const said = focused.id || focused.title || focused.innerText || '';
                const style = getComputedStyle(focused), after = getComputedStyle(focused, '::after');
                return [said, [style.outlineStyle, after.outlineStyle].includes('solid')];
            }"""
        )
        assert outline or said.startswith("The mail"), f"focus on {said!r} cannot be seen"
        seen.append(said)
        if any(line.startswith(text) for line in said.splitlines()):
            return
    pytest.fail(f"{text!r} is not reached by Tab: {seen}")


def press(page: Page, text: str) -> None:
    """Go to a link or button by Tab, press Enter, and wait for the page that it leads to."""
    tab_to(page, text)
    enter(page)


def enter(page: Page) -> None:
    """Press Enter and wait for the page that comes."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def write(page: Page, field: str, text: str) -> None:
    """Go to a field by Tab and write into it, over what stands there."""
    tab_to(page, field)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def choose(page: Page, label: str, option: str) -> None:
    """Go to a list by Tab and choose one of it by its first letters."""
    field = page.get_by_label(label, exact=True)
    tab_to(page, str(field.get_attribute("id")))
    page.keyboard.type(option)
    expect(field.locator("option:checked")).to_have_text(option)


def told(page: Page, text: str) -> None:
    """Wait until a status says something, on a page of which nothing is wrong."""
    page.get_by_role("status").filter(has_text=text).first.wait_for()
    judge(page)
