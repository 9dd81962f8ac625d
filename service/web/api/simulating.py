"""`simulate` over the API: what would happen to an alert on a virtual clock. Nothing is sent or stored."""

from datetime import datetime, timedelta

from pydantic import Field

from service.actions.api_tokens import Scope
from service.actions.simulating import simulate
from service.actions.simulation import Cause, GivenPost, Simulation, Step, named_post
from service.actions.simulation_posts import long_enough, with_recoveries
from service.config.spans import format_span, parse_span
from service.model import DeliveryKind, Phase, UpdateStatus
from service.outbox.composing import compose_one
from service.providers.post import RawPost
from service.web.api.forms import Body, Line, MaybeText, Span, example
from service.web.api.operations import JSON, Call, Operation
from service.web.api.problems import FieldFault, refused_fields
from service.web.api.shown import Shown
from service.web.rates import SIMULATIONS_A_MINUTE


class SimulateBody(Body):
    """An alert's name, or a whole payload, and what else happens."""

    model_config = example(monitor="Email Server", recovered_after="30m", publish_after="3m")
    monitor: Line | None = Field(default=None, description="The alert's name; give this or `payload`.")
    state: Line = Field(default="CRITICAL", description="With `monitor`: the state it is in.")
    payload: MaybeText | None = Field(
        default=None, description="A webhook's body, as the provider would post it."
    )
    provider: Line = "victorops"
    recovered_after: Span | None = Field(
        default=None, description="When it recovers, counted from its firing."
    )
    publish_after: Span | None = Field(
        default=None, description="How long after being asked somebody publishes."
    )
    until: Span | None = Field(default=None, description="How long to look on; null: until all is over.")


class SimulatedMailShown(Shown):
    """A mail as it would read."""

    kind: DeliveryKind
    to: str
    subject: str
    text: str
    fault: str = Field(description="Why it could not be written.")


class PageEntryShown(Shown):
    """What the status page would say of an incident."""

    subject: str
    is_current: bool
    status: UpdateStatus
    text: str


class SimulatedStep(Shown):
    """One thing that would happen, and all that would come of it at once."""

    after: str
    at: datetime
    cause: Cause
    given: str
    monitors: tuple[str | None, ...] = Field(description="By alert: the key of the monitor that it matches.")
    complaint: str = Field(description="Why a payload cannot be read.")
    lost: str = Field(description="What is wrong with some of its alerts, which cannot be read.")
    reason: str
    explanation: str
    phases: dict[str, Phase] = Field(description="By incident.")
    mails: tuple[SimulatedMailShown, ...]
    page: tuple[PageEntryShown, ...]


class SimulationShown(Shown):
    """What would happen."""

    started_at: datetime
    until: str
    is_cut: bool = Field(description="Whether it was stopped because it went on too long.")
    steps: tuple[SimulatedStep, ...]


def simulate_alert(call: Call) -> SimulationShown:
    """Show what would happen on a virtual clock, with every mail as it would read."""
    said, config = call.said(SimulateBody), call.house.config
    posts = _posts(said)
    if said.recovered_after is not None:
        posts = with_recoveries(posts, parse_span(said.recovered_after), config.readings)
    simulated = simulate(
        config,
        posts,
        _span(said.until) or long_enough(config, posts),
        start=call.now,
        compose=compose_one,
        publish_after=_span(said.publish_after),
    )
    return simulation_shown(simulated)


def _posts(said: SimulateBody) -> tuple[GivenPost, ...]:
    if (said.monitor is None) == (said.payload is None):
        raise refused_fields(
            [FieldFault(detail="give `monitor` or `payload`, and not both", pointer="/monitor")]
        )
    provider = said.provider.casefold()
    if said.monitor is not None:
        return (named_post(timedelta(0), said.monitor, said.state, provider=provider),)
    return (GivenPost(timedelta(0), RawPost((said.payload or "").encode(), JSON), provider),)


def _span(text: str | None) -> timedelta | None:
    return None if text is None else parse_span(text)


def simulation_shown(simulated: Simulation) -> SimulationShown:
    """Show what would happen."""
    return SimulationShown(
        started_at=simulated.started_at,
        until=format_span(simulated.until),
        is_cut=simulated.is_cut,
        steps=tuple(map(_step, simulated.steps)),
    )


def _step(step: Step) -> SimulatedStep:
    return SimulatedStep(
        after=format_span(step.after),
        at=step.at,
        cause=step.cause,
        given=step.given,
        monitors=tuple(match.monitor_key for match in step.matches),
        complaint=step.complaint,
        lost=step.lost,
        reason=step.reason,
        explanation=step.explanation,
        phases=dict(step.phases),
        mails=tuple(map(SimulatedMailShown.model_validate, step.mails)),
        page=tuple(map(PageEntryShown.model_validate, step.page)),
    )


OPERATIONS = (
    Operation(
        "POST",
        "/monitors/simulate",
        Scope.MONITORS_READ,
        simulate_alert,
        "Simulate an alert",
        SimulationShown,
        SimulateBody,
        changes=False,
        most_a_minute=SIMULATIONS_A_MINUTE,
    ),
)
