"""Webhooks that are posted to a running service, as a provider does who sends again what was not taken.

It keeps account of what was answered with 202, and never looks at what came of it.
"""

import json
import random
import ssl
from collections import Counter
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final, Self

import httpx2

MONITORS: Final = ("Mail", "Calendar", "API")
FIRING, RECOVERING = "CRITICAL", "RECOVERY"
PAUSE: Final = 0.05
"""Seconds between two posts, and before one is sent again."""
PATIENCE: Final = 20.0
"""Seconds that an answer may take: a database that stands still holds it up."""
OPEN_AT_ONCE: Final = 4
"""Alerts that fire at a time; beyond, the oldest one recovers."""


@dataclass(frozen=True, slots=True)
class Post:
    """What was said."""

    monitor: str
    state: str
    entity_id: str | None

    def body(self) -> str:
        """Give it as it is posted."""
        said = {"monitorName": self.monitor, "state": self.state}
        return json.dumps(said if self.entity_id is None else said | {"entityId": self.entity_id})


class Load:
    """Posts from a thread of its own during a block; every entity id fires once and recovers later."""

    def __init__(
        self, seed: int, *urls: str, pause: float = PAUSE, trust: ssl.SSLContext | None = None
    ) -> None:
        self.accepted: dict[int, Post] = {}
        """What was answered with 202, by the id that the answer named."""
        self.answers: Counter[int] = Counter()
        """How often each status came."""
        self.without_hint = 0
        """How often a 503 did not say when to try again."""
        self.unanswered = 0
        """Posts of which nobody knows whether they were taken."""
        self.named_twice: list[int] = []
        """Ids that more than one answer named."""
        self._urls = urls
        self._pause = pause
        self._trust = trust
        self._chance = random.Random(seed)  # noqa: S311  an order of posts, not a secret
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def aim(self, *urls: str) -> None:
        """Post to these services from now on, to each in turn as chance will have it."""
        self._urls = urls

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and let the post under way have its answer."""
        self._stop.set()
        self._thread.join()

    def recover_all(self) -> None:
        """Say of each monitor that all is well; every service of the load must be there."""
        with self._client() as client:
            for monitor in MONITORS:
                assert self._is_taken(client, Post(monitor, RECOVERING, None)), f"{monitor}: {self.answers}"

    def _run(self) -> None:
        firing: list[Post] = []
        number = 0
        with self._client() as client:
            while not self._stop.is_set():
                if len(firing) < OPEN_AT_ONCE and self._chance.random() < 0.7:
                    number += 1
                    post = Post(self._chance.choice(MONITORS), FIRING, f"entity-{number}")
                    firing.append(post)
                elif firing:
                    fired = firing.pop(0)
                    post = Post(fired.monitor, RECOVERING, fired.entity_id)
                else:
                    continue
                while not self._is_taken(client, post) and not self._stop.wait(self._pause):
                    pass
                self._stop.wait(self._pause)

    def _client(self) -> httpx2.Client:
        return httpx2.Client(timeout=PATIENCE, verify=True if self._trust is None else self._trust)

    def _is_taken(self, client: httpx2.Client, post: Post) -> bool:
        url = self._chance.choice(self._urls)
        try:
            answer = client.post(f"{url}/webhook/victorops", content=post.body())
        except httpx2.TransportError:
            self.unanswered += 1
            return False
        self.answers[answer.status_code] += 1
        if answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE:
            self.without_hint += not answer.headers.get("retry-after", "").isdecimal()
        if answer.status_code != httpx2.codes.ACCEPTED:
            return False
        inbox_id = answer.json()["id"]
        if inbox_id in self.accepted:
            self.named_twice.append(inbox_id)
        self.accepted[inbox_id] = post
        return True
