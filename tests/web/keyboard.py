"""Hands that know no mouse: what a person does with the keys alone, and what is said to it."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.web.judging import judge

FRAME_PATIENCE: Final = 1_000
"""Milliseconds after which no frame of a page has the focus, and neither has anything else."""
FOCUS_PATIENCE: Final = 10_000
"""Milliseconds that a page has to give the focus to something."""
# `wait_for_function` looks a second time by `eval`, which our pages forbid
_FOCUS: Final = """({patience, unless}) => new Promise((done) => {
    const until = performance.now() + patience;
    const look = () => {
        const isThere = document.activeElement !== document.body || (unless && document.body.matches(unless));
        if (isThere || performance.now() > until) done(); else setTimeout(look, 10);
    };
    look();
})"""
"""Waits until something has the focus, but not for ever, and not on a page that is something else."""


def tab_to(page: Page, text: str) -> None:
    """Press Tab until a line of what is focused, or its id, begins with a text.

    Each stop on the way has to be visible as such.
    """
    seen = []
    for said, _ in _stops(page):
        seen.append(said)
        if any(line.startswith(text) for line in said.splitlines()):
            return
    pytest.fail(f"{text!r} is not reached by Tab: {seen}")


def _stops(page: Page) -> Iterator[tuple[str, str]]:
    """Press Tab again and again; gives what each stop says, and the label of a box."""
    page.wait_for_load_state("load")  # a page that is not there whole loses the focus again
    for _ in range(60):
        page.keyboard.press("Tab")
        # a frame that lets no script in has a process of its own, which takes its time to tell that it has the focus:
        # whoever does not wait for that presses Tab once too often
        page.evaluate(_FOCUS, {"patience": FRAME_PATIENCE, "unless": "body:not(:has(iframe))"})
        said, box, outline = page.evaluate(
            """() => {
                const focused = document.activeElement;
                if (focused === document.body) return ['', '', true];
                const said = focused.id || focused.title || focused.innerText || '';
                const box = focused.type === 'checkbox' ? focused.labels[0].innerText : '';
                const style = getComputedStyle(focused), after = getComputedStyle(focused, '::after');
                return [said, box, [style.outlineStyle, after.outlineStyle].includes('solid')];
            }"""
        )
        assert outline or said.startswith("The mail"), f"focus on {said or box!r} cannot be seen"
        yield said, box.strip()


def press(page: Page, text: str) -> None:
    """Go to a link or button by Tab, press Enter, and wait for the page that it leads to."""
    tab_to(page, text)
    enter(page)


def enter(page: Page) -> None:
    """Press Enter, once something has the focus, and wait for the page that comes."""
    # a page gives it by `autofocus` with its next frame, which may be later than it is loaded
    page.evaluate(_FOCUS, {"patience": FOCUS_PATIENCE, "unless": ""})
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


def choose_file(page: Page, field: str, file: FilePayload) -> None:
    """Go to a field for a file by Tab and open the system's own window by Enter, which no test can type into."""
    with (
        page.expect_file_chooser() as chooser
    ):  # before the way there: to take the window's place takes a moment
        tab_to(page, field)
        page.keyboard.press("Enter")
    chooser.value.set_files(file)


def tick(page: Page, label: str) -> None:
    """Go to a box by Tab and tick it, or take its tick away."""
    seen = []
    for _, box in _stops(page):
        seen.append(box)
        if box.startswith(label):
            page.keyboard.press("Space")
            return
    pytest.fail(f"{label!r} is not reached by Tab: {seen}")


def told(page: Page, text: str) -> None:
    """Wait until a status says something, on a page of which nothing is wrong."""
    page.get_by_role("status").filter(has_text=text).first.wait_for()
    judge(page)
