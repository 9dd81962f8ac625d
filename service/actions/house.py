"""What every action needs to know: the store, the configuration, and who we are. It does nothing itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from service.actions.notes import Notes
from service.config.settings import Authenticity, Config, Policy
from service.mail.authenticity import Judgement, judge
from service.mail.dkim_check import LookUp
from service.mail.replies import Reply, read_reply
from service.mail.ties import Notification
from service.mail.tokens import hash_token
from service.mail.words import ENGLISH, Vocabulary
from service.model import AUTOMATIC, Employee
from service.store import credentials
from service.store.audience import Audience, Reach
from service.store.audit import COMMAND_LINE
from service.store.credentials import Purpose
from service.store.database import Store

BY_PROGRAM = "token:"
"""Stands before the name of the API's token by which something was done; no employee's id holds a colon."""


@dataclass(frozen=True, slots=True)
class House:
    """Built once by `app` and handed to whoever acts."""

    store: Store
    config: Config
    key: bytes
    """Derives every token; 32 random bytes that never leave this machine."""
    own_address: str
    """The address that our mails come from and that replies go back to."""
    instance_id: str
    """What our own mails are recognised by."""
    new_id: Callable[[], str]
    """Gives 32 random hexadecimal digits."""
    look_up: LookUp
    """Gives a domain's DKIM key from the DNS."""
    vocabulary: Vocabulary = ENGLISH
    """The words that are commands, in the languages of config.yaml."""
    notes: Notes = field(default_factory=Notes, compare=False, repr=False)
    """Who is told of what came about."""
    counted: dict[Audience, tuple[Reach, datetime]] = field(default_factory=dict, compare=False, repr=False)
    """How many subscribers were counted last, and when: to count very many takes a while."""

    @property
    def names(self) -> Mapping[str, str]:
        """The employees' names by id."""
        return {employee.id: employee.name for employee in self.config.employees.values()}

    def name_of(self, by: str) -> str:
        """Give the name of whoever did something."""
        if by == AUTOMATIC:
            return "automatically"
        if by == COMMAND_LINE:
            return "the command line"
        if by.startswith(BY_PROGRAM):
            return f"token {by.removeprefix(BY_PROGRAM)}"
        employee = self.config.employees.get(by)
        return employee.name if employee else by

    def read_reply(self, raw: bytes) -> Reply:
        """Read a mail as a reply; raises MailUnreadable."""
        return read_reply(
            raw,
            own_address=self.own_address,
            instance_id=self.instance_id,
            vocabulary=self.vocabulary,
            any_reply_publishes=self.config.replies.any_reply_publishes,
        )

    @property
    def authenticity(self) -> Authenticity:
        """How we tell whether a reply really comes from its sender."""
        return self.config.mail.authenticity if self.config.mail else Authenticity()

    @property
    def believes_token_alone(self) -> bool:
        """Whether holding the token of a mail is proof enough of being the employee whom it was sent to."""
        return self.authenticity.policy is Policy.TOKEN_ONLY

    def judge(self, raw: bytes, reply: Reply, now: datetime) -> Judgement:
        """Judge whether a reply is its sender's; may wait for the DNS, so never within a transaction."""
        return judge(
            raw,
            reply.sender or "",
            self.authenticity,
            self.look_up,
            now=now,
            own_address=self.own_address,
            notification=self._notification(reply),
        )

    def _notification(self, reply: Reply) -> Notification | None:
        """Give the notification that a reply must be tied to; without a token of its sender's it cannot act at all."""
        sender = self.config.employee_by_email(reply.sender or "")
        if sender is None or not reply.tokens:
            return None
        with self.store.reading() as connection:
            for one in reply.tokens:
                token = credentials.find(connection, hash_token(one), Purpose.REPLY)
                if token and token.employee_id == sender.id:
                    tokens = frozenset({one})
                    return Notification(self.own_address, tokens, token.incident_id, token.created_at)
        return None

    def employee(self, employee_id: str | None) -> Employee | None:
        """Find an employee by id, if he is still one."""
        return self.config.employees.get(employee_id or "")
