"""Which wait time would have spared how many incidents, reckoned from those that were. Pure; it decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.config.spans import format_span

CANDIDATES: Final = tuple(timedelta(minutes=minutes) for minutes in (0, 1, 2, 5, 10, 15, 30))
FEWEST: Final = 5
"""Incidents from which on a wait time is suggested: fewer tell nothing."""
_MOST_OF_THEM: Final = 0.8
"""The share of what the longest wait would spare that a shorter one must spare to be the better one."""
_WORTHWHILE: Final = 2
"""Incidents that a longer wait must spare besides those that the present one does."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From the first alert until the last one recovered; None: it has not, or somebody ended it before."""

    fired_at: datetime
    recovered_at: datetime | None


@dataclass(frozen=True, slots=True)
class WaitOption:
    """A wait time, and how many of the incidents would have been over within it, so that nobody had heard of them."""

    wait: timedelta
    spared: int


@dataclass(frozen=True, slots=True)
class WaitAdvice:
    """What each wait time would have spared, the present one among them, shortest first."""

    present: WaitOption
    outages: int
    options: tuple[WaitOption, ...] = ()
    suggested: WaitOption | None = None
    """None: the present one is as good, or there is too little to tell."""


def advise(outages: Sequence[Outage], present: timedelta) -> WaitAdvice:
    """Reckon what each candidate would have spared of these incidents, and choose one if another is better."""
    spans = [one.recovered_at - one.fired_at for one in outages if one.recovered_at is not None]
    waits = sorted({*CANDIDATES, present})
    options = tuple(WaitOption(wait, sum(span < wait for span in spans)) for wait in waits)
    now = next(one for one in options if one.wait == present)
    suggested = _choose(options, now) if len(outages) >= FEWEST else None
    return WaitAdvice(now, len(outages), options, suggested)


def _choose(options: Sequence[WaitOption], present: WaitOption) -> WaitOption | None:
    enough = max(one.spared for one in options) * _MOST_OF_THEM
    best = next(one for one in options if one.spared >= enough)
    if best.wait > present.wait:
        return best if best.spared >= present.spared + _WORTHWHILE else None
    as_good = next(one for one in options if one.spared >= present.spared)
    return as_good if as_good.wait < present.wait else None


def advice_in_words(advice: WaitAdvice) -> str:
    """Say in one sentence what is suggested, or why nothing is."""
    if advice.outages == 0:
        return "Nothing has fired yet, so there is nothing to learn from."
    known = f"of your last {advice.outages} incidents" if advice.outages > 1 else "of your only incident"
    suggested, present = advice.suggested, advice.present
    if suggested is None:
        spared = f"the present wait time of {format_span(present.wait)} spares {present.spared} {known}"
        why = (
            "no other is clearly better" if advice.outages >= FEWEST else "that is too few to suggest another"
        )
        return f"{spared[:1].upper()}{spared[1:]}; {why}."
    if suggested.wait < present.wait:
        sooner = format_span(present.wait - suggested.wait)
        said = (
            f"would have spared as many as the present {format_span(present.wait)} ({present.spared} {known})"
        )
        return f"{format_span(suggested.wait)} {said}, and told of the others {sooner} sooner."
    later = format_span(suggested.wait - present.wait)
    said = f"would have spared {suggested.spared} {known} ({present.spared} now)"
    return f"{format_span(suggested.wait)} {said}, and told of the others {later} later."
