"""The wait-time adviser: what it reckons, for any history."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions.wait_advice import CANDIDATES, FEWEST, Outage, advice_in_words, advise

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NO_BETTER = "no other is clearly better."

spans = st.none() | st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=2))
histories = st.lists(
    st.builds(lambda span: Outage(NOW, NOW + span if span is not None else None), spans), max_size=30
)
waits = st.sampled_from(CANDIDATES) | st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=1)).map(
    lambda span: timedelta(minutes=span // MINUTE)
)


def lasting(*minutes: int | None) -> list[Outage]:
    """Give outages of so many minutes; None: it has not recovered."""
    return [Outage(NOW, None if one is None else NOW + one * MINUTE) for one in minutes]


@given(histories, waits)
def test_the_longer_the_wait_the_more_is_spared_and_never_more_than_there_was(
    history: list[Outage], present: timedelta
) -> None:
    options = advise(history, present).options
    spared = [one.spared for one in options]
    assert spared == sorted(spared)
    assert {*CANDIDATES, present} == {one.wait for one in options}
    assert spared[0] == 0  # at once: everybody hears of everything
    assert spared[-1] <= sum(one.recovered_at is not None for one in history)


@given(histories, waits, st.randoms())
def test_the_order_of_the_past_does_not_matter(
    history: list[Outage], present: timedelta, random: object
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis's own
    assert advise(shuffled, present) == advise(history, present)


@given(histories, waits)
def test_what_is_suggested_is_better_than_what_is(history: list[Outage], present: timedelta) -> None:
    advice = advise(history, present)
    if advice.suggested is not None:
        assert advice.outages >= FEWEST
        assert advice.suggested in advice.options
        is_longer = advice.suggested.wait > present
        assert (
            (advice.suggested.spared > advice.present.spared)
            if is_longer
            else (advice.suggested.wait < present and advice.suggested.spared >= advice.present.spared)
        )


@given(histories, waits)
def test_every_advice_is_one_sentence(history: list[Outage], present: timedelta) -> None:
    said = advice_in_words(advise(history, present))
    assert said.endswith(".")
    assert said[0].isupper() or said[0].isdigit()


@pytest.mark.parametrize(
    ("minutes", "present", "said"),
    [
        ([], 5, "Nothing has fired yet, so there is nothing to learn from."),
        (
            [3] * 14 + [90] * 6,
            0,
            "5m would have spared 14 of your last 20 incidents (0 now), and told of the others 5m later.",
        ),
        (
            [1] * 10 + [90] * 10,
            10,
            (
                "2m would have spared as many as the present 10m (10 of your last 20 incidents), and told of the"
                " others 8m sooner."
            ),
        ),
        (
            [90] * 9,
            5,
            (
                "0 would have spared as many as the present 5m (0 of your last 9 incidents), and told of the others 5m"
                " sooner."
            ),
        ),
        ([90] * 9, 0, f"The present wait time of 0 spares 0 of your last 9 incidents; {NO_BETTER}"),
        ([None] * 9, 0, f"The present wait time of 0 spares 0 of your last 9 incidents; {NO_BETTER}"),
        ([3] + [90] * 9, 0, f"The present wait time of 0 spares 0 of your last 10 incidents; {NO_BETTER}"),
        (
            [3],
            0,
            "The present wait time of 0 spares 0 of your only incident; that is too few to suggest another.",
        ),
    ],
)
def test_it_says_what_it_reckoned(minutes: list[int | None], present: int, said: str) -> None:
    assert advice_in_words(advise(lasting(*minutes), present * MINUTE)) == said


def test_who_recovers_just_when_the_wait_ends_is_not_counted_as_spared() -> None:
    (five,) = [one for one in advise(lasting(5, 5), 5 * MINUTE).options if one.wait == 5 * MINUTE]
    assert five.spared == 0
