"""The mail sandbox: mails shown as they look, answered as a person would, and only on this machine."""

from collections.abc import AsyncIterator
from email.message import EmailMessage

import httpx2
import pytest

from service.actions.house import House
from service.errors import RelayUnavailable
from service.mail.compose import PostOffice, compose
from service.mail.sandbox import Sandbox, SandboxMail
from service.store import deliveries
from service.web import sandbox_page
from service.web.application import build
from service.web.front import Front
from service.web.sandbox_page import LONGEST_REPLY, MAILS_SHOWN, framed, read_mail
from tests.rooms import OWN_ADDRESS, Clock, make_client, make_front
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

LOCAL = ("127.0.0.1", 4000)


class Outbox(Sandbox):
    """A sandbox that listens nowhere and notes what would have been answered."""

    def __init__(self) -> None:
        super().__init__(OWN_ADDRESS, mailbox=None)  # type: ignore[arg-type]  # nothing here is for us
        self.answered: list[tuple[int, str]] = []
