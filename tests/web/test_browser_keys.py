"""What counts as the use of keys alone, in a real Chromium, and as a page that can be used so."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page

from tests.web.by_keys import COMPLAINT, watch_hands
from tests.web.chromium import SCREENS, opened
from tests.web.judging import judge_on_each_screen, judge_stops
from tests.web.keyboard import choose_file, tab_to, tick, write

pytestmark = pytest.mark.chromium

FORM = """\
<!doctype html><html lang="en"><title>A form</title>
<style>:focus-within { outline: solid }</style><a id="link" href="#here">Link</a>
<form id="form" method="post" action="/sent">
<input id="name" name="name"><input id="day" name="day" type="date"><textarea id="text" name="text"></textarea>
<input id="box" name="box" type="checkbox"><label for="box">Box</label>
<input id="one" name="pick" type="radio" value="one" checked><input id="two" name="pick" type="radio" value="two">
<select id="list" name="list"><option>Ada<option>Ben</select>
<input id="file" name="file" type="file"><button id="send">Send</button></form>
"""
ADDRESS = "http://form.example/"
FILE: FilePayload = {"name": "list.csv", "mimeType": "text/csv", "buffer": b"Email"}


def by_script(which: str, what: str) -> Callable[[Page], object]:
    """Give what a script does with an element."""
    return lambda page: page.evaluate(f"document.querySelector('{which}').{what}")


def put_in(page: Page) -> None:
    """Put a text in where the keys led."""
    tab_to(page, "name")
    page.keyboard.insert_text("Ada")


def set_and_send(which: str, what: str) -> Callable[[Page], object]:
    """Give what sets a field by a script, which leaves no event, and sends it."""

    def act(page: Page) -> None:
        by_script(which, what)(page)
        tab_to(page, "name")
        page.keyboard.press("Enter")

    return act


CHEATS: dict[str, tuple[str, Callable[[Page], object]]] = {
    "a click": ("pointerdown at button send", lambda page: page.locator("#send").click()),
    "a click on a link": ("pointerdown at a link", lambda page: page.get_by_role("link").click()),
    "a click on a label": ("pointerdown at label", lambda page: page.get_by_text("Box").click()),
    "a click beside all": ("pointerdown at html", lambda page: page.mouse.click(700, 500)),
    "a pointer that hovers": ("pointermove at button send", lambda page: page.locator("#send").hover()),
    "a dispatched click": ("click at button", lambda page: page.locator("#send").dispatch_event("click")),
    "a text filled in": ("input at input name", lambda page: page.locator("#name").fill("Ada")),
    "lines filled in": ("input at textarea text", lambda page: page.locator("#text").fill("Ada")),
    "a day filled in": ("input at input day", lambda page: page.locator("#day").fill("2026-11-24")),
    "a text put in": ("input at input name", put_in),
    "a ticked box": ("pointerdown at input box", lambda page: page.locator("#box").check()),
    "a chosen option": ("input at select list", lambda page: page.locator("#list").select_option("Ben")),
    "a focus": ("focusin at input name", lambda page: page.locator("#name").focus()),
    "keys after a focus": ("focusin at input", lambda page: page.locator("#name").press_sequentially("A")),
    "a file": ("input at input file", lambda page: page.locator("#file").set_input_files([FILE])),
    "a click by a script": ("click at button send", by_script("#send", "click()")),
    "a focus by a script": ("focusin at input name", by_script("#name", "focus()")),
    "a form sent by a script": ("submit at form form", by_script("#form", "requestSubmit()")),
    "a form sent without a word": ("formdata at form form", by_script("#form", "submit()")),
    "a key by a script": ("keydown at input", by_script("#name", "dispatchEvent(new Event('keydown'))")),
    "a text set by a script": ("value at textarea text", set_and_send("#text", "value = 'Ada'")),
    "a box set by a script": ("value at input box", set_and_send("#box", "checked = true")),
    "a radio button set by a script": ("value at input two", set_and_send("#two", "checked = true")),
    "a list set by a script": ("value at select list", set_and_send("#list", "selectedIndex = 1")),
}
"""What is done, and the complaint."""


def show(page: Page) -> None:
    """Open the form; the page stays when it is sent."""
    page.route(ADDRESS, lambda route: route.fulfill(body=FORM, content_type="text/html"))
    page.route(f"{ADDRESS}sent", lambda route: route.fulfill(status=204))
    page.goto(ADDRESS)


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[BrowserContext]:
    """Give where pages may be opened that fail no test."""
    context = chromium.new_context()
    yield context
    context.close()


@pytest.fixture
def watched(window: BrowserContext) -> Iterator[Page]:
    """Give a page that complains."""
    page = window.new_page()
    watch_hands(page)
    show(page)
    yield page
    page.close()


@pytest.mark.parametrize("cheat", CHEATS)
def test_what_is_done_by_no_key_is_complained_of(cheat: str, watched: Page) -> None:
    complaint, act = CHEATS[cheat]
    with watched.expect_console_message(lambda said: said.text.startswith(f"{COMPLAINT}{complaint}")):
        act(watched)


def send_with_a_mouse(chromium: Browser) -> None:
    """Use the form as no test may that says to use the keys alone."""
    with opened(chromium, *SCREENS["desktop"], by_keys=True) as page:
        show(page)
        page.locator("#send").click()


def test_such_a_complaint_fails_the_test(chromium: Browser) -> None:
    with pytest.raises(pytest.fail.Exception, match=f"{COMPLAINT}pointerdown at button send of /"):
        send_with_a_mouse(chromium)


def test_a_form_is_filled_and_sent_with_the_keys_alone(chromium: Browser) -> None:
    with opened(chromium, *SCREENS["desktop"], by_keys=True) as page:
        show(page)
        tab_to(page, "link")
        page.keyboard.press("Enter")
        write(page, "name", "Ada")
        tab_to(page, "day")
        page.keyboard.type("11242026")
        write(page, "text", "Lines\nof hers")
        tick(page, "Box")
        tab_to(page, "one")
        page.keyboard.press("ArrowDown")
        tab_to(page, "list")
        page.keyboard.type("Ben")
        choose_file(page, "file", FILE)
        tab_to(page, "send")
        with page.expect_request("**/sent") as sent:
            page.keyboard.press("Space")
    assert parse_qs(sent.value.post_data or "") == {
        "name": ["Ada"],
        "day": ["2026-11-24"],
        "text": ["Lines\r\nof hers"],
        "box": ["on"],
        "pick": ["two"],
        "list": ["Ben"],
        "file": ["list.csv"],
    }


STOPS = {
    "a ring": ("<button>Send</button>", ""),
    "none": ("<button style='outline: none'>Send</button>", "shows no focus"),
    "a button that Tab passes by": ("<button tabindex='-1'>Send</button>", "is no stop in its turn"),
    "one that comes before its turn": ("<button tabindex='1'>Send</button>", "is no stop in its turn"),
    "a link that leads nowhere": ("<a>Link</a>", "is no stop in its turn"),
    "one within a fold": (
        "<details><summary>More</summary><a href='/' style='outline: none'>Link</a></details>",
        "shows no focus",
    ),
    "one under a bar": (
        "<div style='position: fixed; inset: 0'></div><button>Send</button>",
        "is covered",
    ),
    "a trap for programs": ("<p aria-hidden='true'><input tabindex='-1'></p>", ""),
    "one that is off": ("<button disabled>Send</button>", ""),
}
"""What stands on a page, and what is wrong with it."""


@pytest.mark.parametrize("name", STOPS)
def test_it_is_found_where_the_keys_do_not_lead_or_are_not_seen(name: str, window: BrowserContext) -> None:
    markup, fault = STOPS[name]
    page = window.new_page()
    page.set_content(f"<style>:focus-visible {{ outline: 3px solid }}</style>{markup}")
    if fault:
        with pytest.raises(AssertionError, match=fault):
            judge_stops(page)
    else:
        judge_stops(page)
    page.close()


PAGES: dict[str, tuple[str, str | None]] = {
    "a page": ("", None),
    "one that is pale in the dark": (
        "@media (prefers-color-scheme: dark) { html { background: #000; color: #333 } }",
        "color-contrast",
    ),
    "a link that is only seen by its colour in the dark": (
        "@media (prefers-color-scheme: dark) { html { background: #000; color: #fff } a { all: unset; color: #ccc } }",
        "link-in-text-block",
    ),
    "one that is too wide for a phone": ("main { min-width: 800px }", "does not fit into {'width': 360"),
    "one that shows its focus nowhere but on a phone": (
        "@media (min-width: 800px) { a { outline: none !important } }",
        "shows no focus",
    ),
}
"""A sheet, and what is wrong with a page that is styled with it."""


@pytest.mark.parametrize("name", PAGES)
def test_what_is_wrong_on_one_screen_or_in_one_scheme_is_found(name: str, window: BrowserContext) -> None:
    sheet, fault = PAGES[name]
    page = window.new_page()
    rules = ":focus-visible { outline: 3px solid }" + ".of-no-use { margin: 0 }" * 50
    text = "<main><h1>A page</h1><p>It has a <a href='/'>link</a> in its text.</p></main>"
    page.set_content(
        f"<!doctype html><html lang='en'><title>A page</title>"
        f"<meta name='viewport' content='width=device-width'><style>{rules}{sheet}</style>{text}"
    )
    if fault:
        with pytest.raises(AssertionError, match=re.escape(fault)):
            judge_on_each_screen(page)
    else:
        judge_on_each_screen(page)
    page.close()
