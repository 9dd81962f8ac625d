"""Somebody who signs up: a browser on our pages, and a mailbox with our mails."""

import re
from dataclasses import dataclass, field
from datetime import timedelta

import httpx2

from service.actions.house import House
from service.mail.compose import PostOffice, compose, unsubscribe_token
from service.model import Subscriber, SubscriberState
from service.store import deliveries, subscribers
from tests.rooms import Clock

ADDRESS = "ada@example.org"


@dataclass(slots=True)
class Wakings:
    """Counts how often the outbox was woken."""

    count: int = 0

    def __call__(self) -> None:
        """Count."""
        self.count += 1


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody with a browser and a mailbox."""

    browser: httpx2.AsyncClient
    house: House
    clock: Clock
    wakings: Wakings = field(default_factory=Wakings)

    async def ask(self, email: str = ADDRESS) -> httpx2.Response:
        """Send the form."""
        return await self.browser.post("/subscribe", data={"email": email})

    def mails(self) -> list[str]:
        """Take the mails that are due, as they would be sent."""
        office = PostOffice(
            self.house.config.site, "Acme Status", self.house.own_address, "test", self.house.key
        )
        with self.house.store.transaction() as connection:
            due = deliveries.claim_due(
                connection, self.clock(), urgent=True, lease=timedelta(hours=9), limit=99
            )
        return [compose(one, office).message.decode().replace("=\r\n", "") for one in due]

    def link(self) -> str:
        """Take the path of the confirmation link from the only mail that is due."""
        (mail,) = self.mails()
        found = re.search(r"http://status\.acme\.example(/subscribe/confirm/[\w-]+)", mail)
        assert found is not None
        return found[1]

    async def subscribe(self) -> str:
        """Subscribe whole; gives the path of the unsubscribe link."""
        await self.ask()
        await self.browser.post(self.link())
        token = unsubscribe_token(self.house.key, self.known().public_id)
        return f"/unsubscribe/{token}"

    def known(self) -> Subscriber:
        """Read the subscriber."""
        with self.house.store.reading() as connection:
            found = subscribers.find_by_address(connection, ADDRESS)
        assert found is not None
        return found

    @property
    def state(self) -> SubscriberState:
        """What the house thinks of the address."""
        return self.known().state


def count_of_subscribers(house: House) -> int:
    """Count all, whatever became of them."""
    with house.store.reading() as connection:
        return len(subscribers.listed(connection, limit=99))
