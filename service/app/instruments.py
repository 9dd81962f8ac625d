"""What a process knows of its own work, kept while config.yaml is read anew: its meters, and when it last decided."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from service.actions.watchdog import Problem, Seen
from service.app.meters import Meters
from service.app.reloading import ReloadState
from service.app.tracing import Traces, Untraced
from service.jobs import Turn
from service.mail.imap import MailboxReader
from service.outbox import Relay


@dataclass(slots=True)
class Instruments:
    """Written by whoever works, read by pages and the watchdog, from whichever thread."""

    started_at: datetime
    reloads: ReloadState
    is_standby: bool
    """Whether another instance decides and sends."""
    meters: Meters = field(default_factory=Meters)
    decided_at: datetime | None = None
    """When the last turn of the decider ended."""
    mailbox_since: datetime | None = None
    """Since when there is a mailbox to read."""
    mailbox_read_at: datetime | None = None
    """When it was last read to its end, under whichever configuration."""
    traces: Traces = field(default_factory=Untraced)
    problems: tuple[Problem, ...] = ()
    """What the watchdog found when it last looked."""

    def play(self, now: datetime, *, is_standby: bool) -> None:
        """Remember who works; what we did not do while another did it counts from now on only."""
        if self.is_standby and not is_standby:
            self.decided_at = now
            self.mailbox_since, self.mailbox_read_at = (now if self.mailbox_since else None), None
        self.is_standby = is_standby

    def turn(self, decide: Callable[[], Turn], clock: Callable[[], datetime]) -> Turn:
        """Let the decider have a turn, and time it where it had anything to do."""
        began = time.perf_counter()
        turn = decide()
        if turn.did:
            self.meters.decided_for(time.perf_counter() - began)
        self.decided_at = clock()
        return turn

    def expect_mailbox(self, now: datetime, *, is_there: bool) -> None:
        """Remember whether the configuration that is to work has a mailbox to read."""
        if not is_there:
            self.mailbox_since = self.mailbox_read_at = None
        elif self.mailbox_since is None:
            self.mailbox_since = now

    def seen(self, mailbox: MailboxReader | None, relay: Relay) -> Seen:
        """Give what the watchdog and /metrics go by."""
        if mailbox is not None and mailbox.last_success_at is not None:
            self.mailbox_read_at = mailbox.last_success_at
        # another one reads it, and would say so
        is_ours = not self.is_standby
        return Seen(
            started_at=self.started_at,
            decided_at=self.decided_at,
            is_standby=self.is_standby,
            mailbox_since=self.mailbox_since if is_ours else None,
            mailbox_read_at=self.mailbox_read_at if is_ours else None,
            relay_fails_since=relay.fails_since,
            config_in_force_at=self.reloads.succeeded_at,
            config_refused_at=self.reloads.failed_at,
            config_fault=self.reloads.why,
        )
