"""Whose turn it is among webhooks that wait to be called, so that those that do not answer hold up no others.

It decides and counts; it neither calls nor stores anything.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from service.model import Delivery

AT_ONCE: Final = 64
"""Calls at a time: one that does not answer takes all of its time."""
OF_A_HOST: Final = 16
"""Of them to one host, which many subscribers may share."""
FAILING_AT_ONCE: Final = 16
"""Of them to webhooks whose last call failed, and to hosts of which none is taken."""
FAILING_WAITING: Final = 32
"""So many of those wait here for their turn; the rest is asked for again later, before its lease ends."""
WAITING: Final = 256
"""No more are claimed while so many wait: those of one host, of which each takes 10 s at most, have their turn within
256 / 16 * 10 s = 160 s, long before their lease ends."""
HOST_FAILS_AFTER: Final = 3
"""Calls in a row, to whichever subscribers: a channel that is gone says nothing of its host."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    delivery: Delivery
    host: str
    is_failing: bool


class Turns:
    """The calls that wait and those under way."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._under_way: dict[int, _Waiting] = {}
        self._failing_under_way: set[int] = set()
        self._hosts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    def add(self, claimed: Sequence[Delivery], failing: Collection[int]) -> None:
        """Let calls wait; `failing` are the subscribers whose last call failed."""
        for one in claimed:
            self._waiting.append(_Waiting(one, host_of(one.recipient), one.subscriber_id in failing))

    def begin(self) -> list[Delivery]:
        """Give the calls whose turn it is, and count them as under way."""
        begun, still = [], []
        for one in self._waiting:
            if not self._may_begin(one):
                still.append(one)
                continue
            begun.append(one.delivery)
            self._under_way[one.delivery.id] = one
            self._hosts[one.host] += 1
            if self._is_failing(one):
                self._failing_under_way.add(one.delivery.id)
        self._waiting = still
        return begun

    def end(self, delivery: Delivery, *, is_taken: bool) -> None:
        """Count a call as over."""
        host = self._under_way.pop(delivery.id).host
        self._failing_under_way.discard(delivery.id)
        self._hosts[host] -= 1
        self._failures[host] = 0 if is_taken else self._failures[host] + 1

    def too_many(self) -> list[Delivery]:
        """Give the calls that would wait too long here, and forget them."""
        failing = [one for one in self._waiting if self._is_failing(one)][FAILING_WAITING:]
        gone = {one.delivery.id for one in failing}
        self._waiting = [one for one in self._waiting if one.delivery.id not in gone]
        return [one.delivery for one in failing]

    def leave(self) -> list[Delivery]:
        """Give all calls that wait, and forget them."""
        left, self._waiting = [one.delivery for one in self._waiting], []
        return left

    @property
    def has_room(self) -> bool:
        """Whether more calls should be claimed: those that fail do not count, lest they keep others out.

        Of those that wait for one host no more count than it may have at a time.
        """
        of_the_others = len(self._under_way) - len(self._failing_under_way)
        hosts = Counter(one.host for one in self._waiting if not self._is_failing(one))
        waiting = sum(min(number, OF_A_HOST) for number in hosts.values())
        return of_the_others + waiting < AT_ONCE and len(self._waiting) < WAITING

    def _may_begin(self, one: _Waiting) -> bool:
        if len(self._under_way) >= AT_ONCE or self._hosts[one.host] >= OF_A_HOST:
            return False
        return not self._is_failing(one) or len(self._failing_under_way) < FAILING_AT_ONCE

    def _is_failing(self, one: _Waiting) -> bool:
        return one.is_failing or self._failures[one.host] >= HOST_FAILS_AFTER


def host_of(url: str) -> str:
    """Give what of a webhook's address many may share; whatever cannot be read is its own."""
    try:
        return urlsplit(url).netloc.casefold() or url
    except ValueError:
        return url
