"""What a subscriber's webhook is told, for each channel: our own JSON, a Slack message, a Teams card. Pure.

It gets what a subscriber's mail gets and nothing more: no employee, alert or monitor is named.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from service.calls.readings import slack_escaped, to_slack, to_teams
from service.model import Channel, ComponentState, UpdateStatus

LONGEST_TEXT: Final = 2_900
"""Characters of a text."""
LONGEST_SECTION: Final = 3_000
"""Characters that Slack's section blocks take; escaping and marks lengthen a text."""
LONGEST_HEADLINE: Final = 140
"""Characters of a headline: Slack's header blocks take 150."""

_KINDS: Final = {
    UpdateStatus.RESOLVED: "incident.resolved",
    UpdateStatus.POSTMORTEM: "incident.postmortem",
    UpdateStatus.SCHEDULED: "maintenance.scheduled",
    UpdateStatus.IN_PROGRESS: "maintenance.started",
    UpdateStatus.COMPLETED: "maintenance.completed",
}
_ENDS: Final = {UpdateStatus.RESOLVED, UpdateStatus.POSTMORTEM, UpdateStatus.COMPLETED}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an update is about: an incident or a maintenance, as the public reads it."""

    id: int
    name: str
    components: tuple[tuple[str, ComponentState], ...]
    starts_at: datetime
    ends_at: datetime | None
    url: str
    is_maintenance: bool = False
    is_called_off: bool = False
    """Of a maintenance."""


@dataclass(frozen=True, slots=True)
class News:
    """One update, told to one webhook."""

    subject: Subject
    status: UpdateStatus
    body: str
    """Markdown."""
    posted_at: datetime
    is_first: bool
    is_correction: bool = False

    @property
    def kind(self) -> str:
        """Name it as other webhooks name theirs: thing and happening."""
        if self.is_correction:
            return "maintenance.corrected" if self.subject.is_maintenance else "incident.corrected"
        if self.status in _KINDS:
            return _KINDS[self.status]
        return "incident.published" if self.is_first else "incident.updated"

    @property
    def words(self) -> str:
        """Give what the public reads for the status."""
        if self.subject.is_called_off and self.is_over:
            return "cancelled"
        return self.status.replace("_", " ").replace("postmortem", "post-mortem")

    @property
    def is_over(self) -> bool:
        """Whether what it tells of is over, so that its components are as they were before."""
        return self.status in _ENDS

    @property
    def components(self) -> tuple[tuple[str, ComponentState], ...]:
        """Give the state of each component by this update: work that is only announced changes none."""
        if self.is_over or self.status is UpdateStatus.SCHEDULED:
            return tuple((name, ComponentState.OPERATIONAL) for name, _ in self.subject.components)
        return self.subject.components


def payload(channel: Channel, news: News, *, site_name: str, site_url: str) -> bytes:
    """Write the body of a call in the way of its channel."""
    match channel:
        case Channel.SLACK:
            return orjson.dumps(_slack(news, site_name))
        case Channel.TEAMS:
            return orjson.dumps(_teams(news, site_name))
        case _:
            return orjson.dumps(_own(news, site_name, site_url))


def _own(news: News, site_name: str, site_url: str) -> dict[str, Any]:
    subject = news.subject
    return {
        "type": news.kind,
        "timestamp": _iso(news.posted_at),
        "page": {"name": site_name, "url": site_url},
        "maintenance" if subject.is_maintenance else "incident": {
            "id": subject.id,
            "name": subject.name,
            "status": news.status.value,
            "components": [{"name": name, "state": state.value} for name, state in news.components],
            "starts_at" if subject.is_maintenance else "started_at": _iso(subject.starts_at),
            "ends_at" if subject.is_maintenance else "resolved_at": _iso(subject.ends_at),
            "url": subject.url,
        },
        "update": {"status": news.status.value, "body": news.body, "posted_at": _iso(news.posted_at)},
    }


def _slack(news: News, site_name: str) -> dict[str, Any]:
    subject = news.subject
    headline = _cut(_headline(news), LONGEST_HEADLINE)
    sections = [_slack_section(news.body), _plain_text(_cut(_affected(news), LONGEST_TEXT))]
    return {
        # what notifications and screen readers say
        "text": slack_escaped(f"[{site_name}] {headline}"),
        "blocks": [
            {"type": "header", "text": _plain_text(headline)},
            *({"type": "section", "text": text} for text in sections if text["text"]),
            {
                "type": "context",
                "elements": [_mrkdwn(f"<{subject.url}|See it on {slack_escaped(site_name)}>")],
            },
        ],
    }


def _slack_section(body: str) -> dict[str, Any]:
    """Translate a text, and as much less of it as its marks and escapes make it too long."""
    limit = LONGEST_TEXT
    text = to_slack(_cut(body, limit))
    while len(text) > LONGEST_SECTION:
        limit = limit * LONGEST_SECTION // len(text)
        text = to_slack(_cut(body, limit))
    return _mrkdwn(text)


def _mrkdwn(text: str) -> dict[str, Any]:
    # verbatim: names are not looked for, so that "@channel" in a text calls nobody
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain_text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _teams(news: News, site_name: str) -> dict[str, Any]:
    """Write an Adaptive Card, as "Post to a channel when a webhook request is received" of Workflows takes it."""
    subject = news.subject
    text = to_teams(_cut(news.body, LONGEST_TEXT))
    blocks = [
        _plain(_cut(_headline(news), LONGEST_TEXT), size="Medium", weight="Bolder"),
        *([{"type": "TextBlock", "wrap": True, "text": text}] if text else []),
        *([_plain(_cut(_affected(news), LONGEST_TEXT))] if subject.components else []),
        _plain(site_name),
    ]
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": "See it on the status page", "url": subject.url}],
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "content": card}]}


def _plain(text: str, **style: str) -> dict[str, Any]:
    """Show a text as it is: a TextBlock would take `mail_in and mail_out` for Markdown, a TextRun does not."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _headline(news: News) -> str:
    return f"{news.words.capitalize()}: {news.subject.name}"


def _affected(news: News) -> str:
    """Say how components are, of what is over or only announced which ones, as mails do; empty: of none."""
    named = news.subject.components
    if named and (news.is_over or news.status is UpdateStatus.SCHEDULED):
        return f"{'Was affected' if news.is_over else 'Affected'}: {', '.join(name for name, _ in named)}"
    return "; ".join(f"{name}: {state.replace('_', ' ')}" for name, state in named)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 2].rstrip()} …"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
