"""`replycast simulate` and `replycast advise`: what would happen, what the past teaches. They change nothing."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from service.actions.monitor_health import Health, MonitorHealth, examine
from service.actions.simulating import simulate as run_simulation
from service.actions.simulation import GivenPost, SimulatedMail, Simulation, Step, named_post
from service.actions.simulation_posts import long_enough, with_recoveries
from service.actions.wait_advice import advice_in_words
from service.app import wall_clock
from service.cli.house import house_of
from service.cli.options import FAULTY, Span, config_option, fail, json_option, load_or_exit, print_json
from service.cli.recorded import echo_lines, facts_of, simulate_day
from service.config.spans import format_span
from service.outbox.composing import compose_one
from service.providers.post import RawPost
from service.providers.wording import shown
from service.web.dashboard.words import reason_words

LARGEST_BODY: Final = 1024 * 1024
_APART: Final = timedelta(minutes=1)
_TOKEN: Final = re.compile(r"\b[a-z2-7]{26}\b")
"""Of a link (`mail.tokens`): each mail has its own, however alike they read."""


@click.command()
@click.argument("payloads", nargs=-1, type=click.File("rb"), metavar="[PAYLOADFILE]...")
@config_option
@json_option
@click.option("--monitor", help="In place of a payload: the alert's name.")
@click.option("--state", default="CRITICAL", show_default=True, help="With --monitor: the state it is in.")
@click.option("--recovered-after", type=Span(), help="When it recovers, counted from its firing, as 7m.")
@click.option("--publish-after", type=Span(), help="How long after being asked an employee answers publish.")
@click.option("--until", type=Span(), help="How long to look on; left out: until all is over.")
@click.option("--provider", default="victorops", show_default=True, help="Whose payloads these are.")
@click.option(
    "--recorded", metavar="DAY", help="In place of a payload: the posts received on a day, as 2026-11-23."
)
def simulate(payloads: tuple[BinaryIO, ...], *, as_json: bool, **given: Any) -> None:  # noqa: ANN401  click's options
    """Show what would happen on a virtual clock, with every mail as it would read. Nothing is sent or stored.

    Several payloads arrive a minute apart, in the order given; `-` is standard input. With --recorded, the posts of
    the inbox arrive as they did, --until says for how long from the start of that day, and incidents are told
    without the texts of mails.

    \b
    Examples:
      replycast simulate --monitor "Email Server" --recovered-after 30m --publish-after 3m
      replycast simulate --recorded 2026-11-23
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(given["config_path"])
    if given["recorded"]:
        if payloads or given["monitor"] or given["recovered_after"] is not None:
            fail("--recorded goes with --until and --publish-after alone", FAULTY)
        publish_after = given["publish_after"]
        run = simulate_day(config, given["recorded"], given["until"], publish_after=publish_after)
        print_json(facts_of(run)) if as_json else echo_lines(run, config)
        return
    provider = given["provider"].casefold()
    posts: tuple[GivenPost, ...] = tuple(
        GivenPost(at * _APART, RawPost(body.read(LARGEST_BODY), "application/json"), provider)
        for at, body in enumerate(payloads)
    )
    if bool(posts) == bool(given["monitor"]):
        fail("give either payload files or --monitor NAME, or --recorded DAY", FAULTY)
    if given["monitor"]:
        posts = (named_post(timedelta(0), given["monitor"], given["state"], provider=provider),)
    if given["recovered_after"] is not None:
        posts = with_recoveries(posts, given["recovered_after"], config.readings)
    simulated = run_simulation(
        config,
        posts,
        given["until"] or long_enough(config, posts),
        start=wall_clock(),
        compose=compose_one,
        publish_after=given["publish_after"],
    )
    if as_json:
        print_json(story_facts(simulated))
    else:
        click.echo("\n".join(story_lines(simulated)))


def story_facts(simulated: Simulation) -> dict[str, Any]:
    """Give a simulation for a script."""
    return {
        "started_at": simulated.started_at.isoformat(),
        "until": format_span(simulated.until),
        "is_cut": simulated.is_cut,
        "steps": [_step_facts(step) for step in simulated.steps],
    }


def _step_facts(step: Step) -> dict[str, Any]:
    return {
        "after": format_span(step.after),
        "at": step.at.isoformat(),
        "cause": step.cause,
        "given": step.given,
        "matches": [
            {"monitor_name": one.alert.monitor_name, "state": one.state, "monitor": one.monitor_key}
            for one in step.matches
        ],
        "complaint": step.complaint,
        "lost": step.lost,
        "reason": step.reason,
        "explanation": step.explanation,
        "phases": dict(step.phases),
        "mails": [
            {"kind": one.kind, "to": one.to, "subject": one.subject, "text": one.text, "fault": one.fault}
            for one in step.mails
        ],
        "page": [
            {"subject": one.subject, "status": one.status, "text": one.text, "is_current": one.is_current}
            for one in step.page
        ],
    }


def story_lines(simulated: Simulation) -> Iterator[str]:
    """Say a simulation to a person; a mail that somebody got in the same words before is not told whole again."""
    before: tuple[object, ...] = ()
    first_at: dict[tuple[str, ...], timedelta] = {}
    for step in simulated.steps:
        phases = ", ".join(f"{tag} is {phase}" for tag, phase in step.phases.items())
        yield f"{format_span(step.after):>8}  {shown(step.given)}"
        for match in step.matches:
            taken = f"the monitor `{match.monitor_key}`" if match.monitor_key else "no monitor"
            yield f"{'':10}`{shown(match.alert.monitor_name)}` ({match.state}) matches {taken}"
        said = step.complaint or reason_words(step.reason)
        yield f"{'':10}{shown(said)}{f'; {phases}' if phases else ''}"
        if step.lost:
            yield f"{'':10}a part of it cannot be read: {shown(step.lost)}"
        if step.explanation and not phases:
            yield f"{'':10}{step.explanation}"
        for mail in step.mails:
            told_at = first_at.setdefault(_wording(mail), step.after)
            if told_at < step.after:
                yield f"{'':10}mail to {mail.to}: as before, at {format_span(told_at)}"
                continue
            yield f"{'':10}mail to {mail.to}: {mail.subject or mail.fault}"
            yield from (f"{'':12}| {line}".rstrip() for line in mail.text.strip().splitlines())
        if step.page != before:
            for entry in step.page:
                over = "" if entry.is_current else ", over"
                yield f"{'':10}the page: {entry.subject} ({entry.status}{over})"
        before = step.page
    end = "it would go on; the rest is left out" if simulated.is_cut else "nothing more until then"
    yield f"{format_span(simulated.until):>8}  {end}" if not simulated.is_cut else f"{'':10}{end}"


def _wording(mail: SimulatedMail) -> tuple[str, ...]:
    return mail.kind, mail.to, mail.subject, mail.fault, _TOKEN.sub("", mail.text)


@click.command()
@config_option
@json_option
def advise(config_path: Path, *, as_json: bool) -> None:
    """Say what the recorded alerts teach: better wait times, monitors that never recover, names without a monitor.

    Reads the database of config.yaml, whether the service runs or not, and changes nothing.

    \b
    Example:
      replycast advise
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path, is_beside_service=True)
    with house_of(config) as house, house.store.reading() as connection:
        health = examine(connection, config, wall_clock())
    if as_json:
        print_json(_health_facts(health))
        return
    for one in health.monitors:
        click.echo("\n".join(_monitor_lines(one)))
    for name in (*health.unmatched, *health.nameless):
        click.echo(name.in_words)


def _monitor_lines(one: MonitorHealth) -> Iterator[str]:
    acted = f", people acted within {format_span(one.time_to_act)}" if one.time_to_act else ""
    counts = f"fired {one.counts.fired}, resolved {one.counts.resolved}, published {one.counts.published}"
    yield f"{one.monitor.key}: {counts} in 30 days{acted}"
    yield f"  {advice_in_words(one.advice)}"
    yield from (f"  ! {problem}" for problem in one.problems)


def _health_facts(health: Health) -> dict[str, Any]:
    return {
        "monitors": [
            {
                "monitor": one.monitor.key,
                "fired": one.counts.fired,
                "resolved": one.counts.resolved,
                "published": one.counts.published,
                "seconds_to_act": one.time_to_act.total_seconds() if one.time_to_act else None,
                "problems": list(one.problems),
                "wait_time": format_span(one.monitor.wait_time),
                "incidents": one.advice.outages,
                "spared": {format_span(option.wait): option.spared for option in one.advice.options},
                "suggested_wait_time": format_span(one.advice.suggested.wait)
                if one.advice.suggested
                else None,
                "advice": advice_in_words(one.advice),
            }
            for one in health.monitors
        ],
        "unmatched": [
            {
                "name": one.name,
                "provider": one.provider,
                "received_at": one.received_at.isoformat(),
                "did_you_mean": list(one.near),
            }
            for one in health.unmatched
        ],
    }
