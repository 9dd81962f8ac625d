"""The facts of what mails are about: an incident, an alert, a maintenance, the site and its links.

The sentences under the variables are what docs/mail-variables.md is made of.
"""

from typing import TypedDict


class ComponentFacts(TypedDict):
    """A component that the incident affects."""

    name: str
    """As config.yaml calls it."""
    state: str
    """How it is shown while the incident lasts: `major_outage`."""
    state_words: str
    """The same for people: `major outage`."""


class IncidentFacts(TypedDict):
    """An incident as it was when the mail was queued; times are ISO strings with their offset, or None."""

    id: int
    """Its number."""
    tag: str
    """What people call it: `INC-12`."""
    monitor: str
    """The alert name in config.yaml; for employees' eyes only."""
    subject: str
    """What it is called in public."""
    message: str
    """Its first text, Markdown."""
    type: str
    """Its type, as the monitor has it; may be empty."""
    components: list[ComponentFacts]
    """What it affects."""
    started_at: str
    """When the first alert arrived."""
    published_at: str | None
    """When it was published."""
    ended_at: str | None
    """When it was closed or discarded."""
    published_by: str | None
    """A name, `automatically`, or None while it is not published."""
    ended_by: str | None
    """A name, `automatically`, or None while it goes on."""
    alerts: int
    """How many different alerts belong to it."""
    times_fired: int
    """How many firing messages these were together."""
    public_path: str
    """Its page for the public, below `site.url`; `links.page` is the whole address."""
    dashboard_path: str
    """Its page on the dashboard, below `site.url`; `links.dashboard` is the whole address."""


class UpdateFacts(TypedDict):
    """One published text."""

    status: str
    """What the public reads of how it stands: `investigating`."""
    status_words: str
    """The same for people."""
    body: str
    """Markdown."""
    posted_at: str
    """When it was posted, an ISO string."""


class AlertFacts(TypedDict):
    """The alert that led to this mail; all empty where it was none, but a timer or a person."""

    monitor_name: str
    """What the provider calls its monitor."""
    raw_state: str
    """The state as it stood in the payload."""
    message: str
    """The text that the provider sent."""
    entity_id: str | None
    """The provider's name of the thing that fired."""


class ShownFacts(TypedDict):
    """What would be published."""

    status: str
    """With which status."""
    body: str
    """Markdown."""


class MaintenanceFacts(TypedDict):
    """A maintenance; times are ISO strings with their offset, or None."""

    id: int
    """Its number."""
    subject: str
    """What the work is."""
    message: str
    """What readers are told of it, Markdown."""
    components: list[str]
    """The names of what it concerns; none: everything."""
    starts_at: str
    """When it is planned to begin."""
    ends_at: str
    """When it is planned to end."""
    started_at: str | None
    """When it began."""
    ended_at: str | None
    """When it ended, or was called off."""
    public_path: str
    """Its page, below `site.url`; `links.page` is the whole address."""


class SiteFacts(TypedDict):
    """What is known of the site."""

    name: str
    """What it is called."""
    url: str
    """Where it is."""
    brand: str
    """The colour of links and buttons on light ground."""
    brand_dark: str
    """And on dark ground."""
    lets_choose: bool
    """Whether subscribers can choose components: there is more than one."""


class LinkFacts(TypedDict, total=False):
    """Whole addresses; those that a mail has no use for are not there."""

    dashboard: str
    """The incident's page on the dashboard, or the dashboard."""
    page: str
    """The public page of what the mail is about."""
    unsubscribe: str
    """To subscribers: ends the subscription, or changes it."""
    act: str
    """Decides about the incident, confirms the subscription, or logs in."""


class MailSurroundings(TypedDict):
    """What each template has besides the facts of its mail."""

    site: SiteFacts
    """The site that writes."""
    links: LinkFacts
    """Where this mail may lead to."""


class RenderingFacts(MailSurroundings):
    """And what is added when a mail is rendered."""

    timezone: str
    """The site's, for the filter `local`."""
    text_limit: int
    """How many characters of a text are shown, so that the mail is not cut off where it is read."""
    list_limit: int
    """How many entries of a list are shown."""
