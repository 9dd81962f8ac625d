"""How many mails are fetched together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.imap_batches import FETCH_LIMIT, MOST_BYTES, MOST_TOGETHER, SMALL, portions

SOME = MOST_BYTES // FETCH_LIMIT


@pytest.mark.parametrize(
    ("count", "large", "lengths"),
    [
        (0, 0, []),
        (1, 1, [1]),
        (MOST_TOGETHER, 0, [MOST_TOGETHER]),
        (MOST_TOGETHER + 1, 0, [MOST_TOGETHER, 1]),
        (SOME, SOME, [SOME]),
        (SOME + 1, SOME + 1, [SOME, 1]),
    ],
)
def test_a_portion_is_bounded(count: int, large: int, lengths: list[int]) -> None:
    assert [len(portion) for portion in portions(range(count), range(large))] == lengths


@given(st.lists(st.booleans(), max_size=2000))
def test_portions_keep_the_order_and_the_bounds(sizes: list[bool]) -> None:
    large = {uid for uid, is_large in enumerate(sizes) if is_large}
    cut = list(portions(range(len(sizes)), large))
    assert [uid for portion in cut for uid in portion] == list(range(len(sizes)))
    for portion in cut:
        most = sum(FETCH_LIMIT if uid in large else SMALL for uid in portion)
        assert 0 < len(portion) <= MOST_TOGETHER
        assert most <= MOST_BYTES
