"""Choosing what to hear of: as one signs up, on the page after confirming, and by the link of each mail."""

import re

import pytest

from service.mail.compose import unsubscribe_token
from service.store import subscribers
from tests.web.strangers import ADDRESS, Stranger, count_of_subscribers

pytestmark = pytest.mark.anyio


async def test_what_is_chosen_on_the_form_is_heard_of_and_can_be_changed_later(stranger: Stranger) -> None:
    wanted = {"email": ADDRESS, "hear_of": "some", "component": ["API", "Email"]}
    await stranger.browser.post("/subscribe", data=wanted)
    link = stranger.link()
    assert "as far as they affect API, Email" in (await stranger.browser.get(link)).text
    confirmed = await stranger.browser.post(link)
    assert re.findall(r'value="(\w+)" checked', confirmed.text) == ["some", "Email", "API"]
    token = unsubscribe_token(stranger.house.key, stranger.known().public_id)
    changed = {"hear_of": "some", "component": "Calendar"}
    saved = await stranger.browser.post(f"/subscription/{token}", data=changed)
    assert "Your choice is saved. You hear of Calendar." in saved.text
    assert stranger.known().components == ("Calendar",)
    shown = re.search(r'name="was" value="(\w+)"', saved.text)
    assert shown is not None
    all_again = {"was": shown[1], "hear_of": "all", "component": "Calendar"}
    saved = await stranger.browser.post(f"/subscription/{token}", data=all_again)
    assert "Your choice is saved. You hear of all components." in saved.text
    assert stranger.known().components is None


async def test_components_that_are_ticked_under_all_components_are_what_is_heard_of(
    stranger: Stranger,
) -> None:
    ticked = {"was": "all", "hear_of": "all", "component": "API"}
    await stranger.browser.post("/subscribe", data={"email": ADDRESS, **ticked})
    assert stranger.known().components == ("API",)
    confirmed = await stranger.browser.post(stranger.link())
    assert re.findall(r'value="(\w+)" checked', confirmed.text) == ["some", "API"]
    token = unsubscribe_token(stranger.house.key, stranger.known().public_id)
    await stranger.browser.post(f"/subscription/{token}", data={"hear_of": "all"})
    for _ in range(2):
        saved = await stranger.browser.post(f"/subscription/{token}", data=ticked)
        assert "Your choice is saved. You hear of API." in saved.text
        assert stranger.known().components == ("API",)


@pytest.mark.parametrize("component", [[], ["Fax"]])
async def test_only_these_of_nothing_is_no_choice(component: list[str], stranger: Stranger) -> None:
    nothing = {"hear_of": "some", "component": component}
    refused = await stranger.browser.post("/subscribe", data={"email": ADDRESS, **nothing})
    assert refused.status_code == 422
    assert 'role="alert">Choose at least one component, or all of them.' in refused.text
    assert f'value="{ADDRESS}"' in refused.text
    assert re.findall(r'value="(\w+)" checked', refused.text) == ["some"]
    assert count_of_subscribers(stranger.house) == stranger.wakings.count == 0

    leave = await stranger.subscribe()
    own = leave.replace("/unsubscribe/", "/subscription/")
    await stranger.browser.post(own, data={"hear_of": "some", "component": "API"})
    refused = await stranger.browser.post(own, data=nothing)
    assert refused.status_code == 422
    assert 'role="alert">Choose at least one component, or all of them.' in refused.text
    assert re.findall(r'value="(\w+)" checked', refused.text) == ["some"]
    assert "is saved" not in refused.text
    assert stranger.known().components == ("API",)


async def test_what_was_saved_stands_on_top_of_the_page_on_which_nobody_has_left_yet(
    stranger: Stranger,
) -> None:
    own = (await stranger.subscribe()).replace("/unsubscribe/", "/subscription/")
    saved = (await stranger.browser.post(own, data={"hear_of": "some", "component": "API"})).text
    assert saved.index("Your choice is saved") < saved.index("<h1>")
    assert f"Press the button, and <strong>{ADDRESS}</strong> hears no more" in saved


async def test_who_left_is_told_so_and_no_choice_is_said_to_be_saved(stranger: Stranger) -> None:
    leave = await stranger.subscribe()
    await stranger.browser.post(leave)
    late = await stranger.browser.post(
        leave.replace("/unsubscribe/", "/subscription/"), data={"hear_of": "all"}
    )
    assert "You are unsubscribed" in late.text
    assert "is saved" not in late.text


async def test_a_choice_needs_the_link_of_a_mail(stranger: Stranger) -> None:
    await stranger.subscribe()
    answer = await stranger.browser.post(f"/subscription/{'a' * 26}", data={"hear_of": "all"})
    assert answer.status_code == 410


@pytest.mark.parametrize(
    ("chosen", "ticked", "said"),
    [
        (
            ["Fax"],
            ["all"],
            "is no longer on this status page. Until you choose anew, you hear of all components.",
        ),
        (["API", "Fax", "Pager"], ["some", "API"], "are no longer on this status page. You hear of API."),
    ],
)
async def test_who_chose_what_is_no_longer_there_is_told_what_that_means(
    chosen: list[str], ticked: list[str], said: str, stranger: Stranger
) -> None:
    leave = await stranger.subscribe()
    with stranger.house.store.transaction() as connection:
        subscribers.choose(connection, stranger.known().id, components=chosen, groups=())
    shown = (await stranger.browser.get(leave)).text
    gone = ", ".join(name for name in chosen if name != "API")
    assert f"You chose {gone}, which {said}" in shown
    assert re.findall(r'value="(\w+)" checked', shown) == ticked
    saved = await stranger.browser.post(
        leave.replace("/unsubscribe/", "/subscription/"), data={"hear_of": "some", "component": "Email"}
    )
    assert "Your choice is saved. You hear of Email." in saved.text
    assert "no longer on this status page" not in saved.text
