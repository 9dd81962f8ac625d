"""Dry runs: what a payload or a mail would be taken for, by the very code that decides. Nothing is stored."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from service.actions.foretelling import foretell_post
from service.app.building import DNS_PATIENCE
from service.app.ground import SANDBOX_ADDRESS
from service.config import Config, load
from service.config.settings import Authenticity, Policy, Replies
from service.config.spans import format_span
from service.errors import MailUnreadable, PostUnreadable
from service.mail.authenticity import judge
from service.mail.dkim_check import LookUp, dns_look_up
from service.mail.leaving import REASON, read_leaving
from service.mail.replies import explain, explain_unreadable, read_reply
from service.mail.ties import Notification
from service.mail.words import vocabulary
from service.providers.post import RawPost


def explain_post(
    config: Config, provider: str, body: bytes, content_type: str, query: Mapping[str, str]
) -> dict[str, Any]:
    """Say what a webhook's body would be taken for; raises ProviderUnknown."""
    try:
        foretold = foretell_post(config, provider, RawPost(body, content_type, query))
    except PostUnreadable as error:
        return {"accepted": False, "reason": str(error), "alerts": [], "complaint": ""}
    explained = [
        {
            "monitor_name": one.alert.monitor_name,
            "state": one.state.value,
            "entity_id": one.alert.entity_id,
            "matches": one.monitor.alert_names[0] if one.monitor else None,
            "did_you_mean": list(one.near),
            "reason": one.said,
        }
        for one in foretold.alerts
    ]
    return {"accepted": True, "reason": "read", "alerts": explained, "complaint": foretold.complaint}


class Explained(NamedTuple):
    """What a mail would be taken for."""

    found: dict[str, Any]
    """The JSON object of `replycast explain-reply`."""
    evidence: str = ""
    """What `authentic` in it rests on."""


@dataclass(slots=True)
class ReplyReader:
    """Reads mails as the service would under a config.yaml; without one, as it would with the mail sandbox."""

    own_address: str
    authenticity: Authenticity
    replies: Replies
    look_up: LookUp

    @classmethod
    def under(cls, path: Path) -> "ReplyReader":
        """Make one for a configuration file, if there is one; raises ConfigFaulty where it is not right."""
        if not path.exists():
            return cls(SANDBOX_ADDRESS, Authenticity(), Replies(), _patient_once())
        config = load(path, os.environ)
        mail = config.mail
        return cls(
            own_address=mail.sender_address if mail else SANDBOX_ADDRESS,
            authenticity=mail.authenticity if mail else Authenticity(),
            replies=config.replies,
            look_up=_patient_once(),
        )

    def explain(self, raw: bytes, now: datetime) -> Explained:
        """Say what a mail would be taken for; `authentic` is what could be proven, whatever the policy asks for.

        When the token of the mail was made stands in the database, so that here any readable Date will do.
        """
        try:
            reply = read_reply(
                raw,
                own_address=self.own_address,
                instance_id="",
                vocabulary=vocabulary(self.replies.languages, self.replies.words),
                any_reply_publishes=self.replies.any_reply_publishes,
            )
        except MailUnreadable as error:
            return Explained(explain_unreadable(error))
        judgement = judge(
            raw,
            reply.sender or "",
            replace(self.authenticity, policy=Policy.REQUIRE),
            self.look_up,
            now=now,
            own_address=self.own_address,
            notification=Notification(self.own_address, frozenset(reply.tokens)) if reply.tokens else None,
        )
        found = explain(reply, judgement)
        if read_leaving(raw, reply):
            found["reason"] = REASON
        return Explained(found, judgement.evidence)


def _patient_once() -> LookUp:
    """Look keys up in the DNS, but wait for it in vain only once, however many mails there are."""
    look_up, is_silent = dns_look_up(DNS_PATIENCE), False

    def ask(name: bytes) -> bytes | None:
        nonlocal is_silent
        if is_silent:
            raise TimeoutError("the DNS does not answer")
        try:
            return look_up(name)
        except OSError:
            is_silent = True
            raise

    return ask


def where_to_look(address: str, config: Config) -> str:
    """Say to whoever starts it for the first time what there is to see and to try."""
    tried = next((one for one in config.monitors if "*" not in one.alert_names[0]), None)
    name = tried.alert_names[0] if tried else "Email Server"
    secret = config.webhooks.get("victorops")
    header = " -H 'X-Replycast-Secret: …'" if secret else ""
    wait = format_span(tried.wait_time) if tried and tried.wait_time else ""
    then = f"  then a mail comes to the sandbox{f' after the wait time of {wait}' if wait else ''}: answer it"
    return "\n".join(
        (
            f"  status page   {address}/",
            f"  dashboard     {address}/dashboard",
            f"  mail sandbox  {address}/sandbox   (no mail server is configured: no mail leaves this machine)",
            "  try it:",
            f"""  curl {address}/webhook/victorops{header} -d '{{monitorName: "{name}", state: "CRITICAL"}}'""",
            then,
        )
    )
