"""What employees look for in the inbox: fields of a search → what to find, or what to mend. It looks nothing up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from service.store.inbox_rows import Door, InboxState
from service.store.inbox_search import Wanted

LONGEST_SEARCH: Final = 200
LONGEST_ENTITY: Final = 500
DOORS: Final[Mapping[str, str]] = {"": "Posts and mails", Door.WEBHOOK: "Posts", Door.MAIL: "Mails"}
STATES: Final[Mapping[str, str]] = {
    "": "In any state",
    InboxState.PENDING: "Not worked off",
    InboxState.DONE: "Done",
    InboxState.REFUSED: "Refused",
    InboxState.QUARANTINED: "Quarantined",
}
_YEARS: Final = range(2000, 9000)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Search:
    """What was typed, what it means, and by field what is wrong with it."""

    wanted: Wanted
    typed: Mapping[str, str]
    """By field, without those that are empty: what a link to the next page has to say again."""
    zone: str
    """In which the times were typed."""
    problems: Mapping[str, str] = field(default_factory=dict)


def read_search(asked: Mapping[str, str], zone: ZoneInfo, *, is_by_sender: bool) -> Search:
    """Read the fields of a search; `zone` is that of the site, in which times are where no other is named.

    What is none of the choices of a list leaves nothing out; what was typed and cannot be read is a problem.
    """
    door, state = asked.get("door", ""), asked.get("state", "")
    problems: dict[str, str] = {}
    named = asked.get("zone", "").strip()[:LONGEST_SEARCH]
    zone = _zone(named, problems) if named else zone
    since, until = (_moments(asked.get(name, ""), name, zone, problems) for name in ("from", "until"))
    wanted = Wanted(
        door=Door(door) if door and door in DOORS else None,
        state=InboxState(state) if state and state in STATES else None,
        reason=asked.get("reason", "").strip()[:LONGEST_SEARCH],
        text=asked.get("q", "").strip()[:LONGEST_SEARCH],
        is_by_sender=is_by_sender,
        since=since[0] if since else None,
        until=until[1] if until else None,
        entity_id=asked.get("entity", "").strip()[:LONGEST_ENTITY],
    )
    if wanted.since and wanted.until and wanted.until <= wanted.since:
        problems["until"] = "This is before the time from which it is looked for."
    times = {name: asked.get(name, "").strip()[:LONGEST_SEARCH] for name in ("from", "until")}
    typed = {
        "q": wanted.text,
        "door": str(wanted.door or ""),
        "state": str(wanted.state or ""),
        "reason": wanted.reason,
        "entity": wanted.entity_id,
        **times,
        "zone": named if any(times.values()) else "",
    }
    return Search(wanted, {name: text for name, text in typed.items() if text}, named or str(zone), problems)


def _zone(named: str, problems: dict[str, str]) -> ZoneInfo:
    try:
        return ZoneInfo(named)
    except (ValueError, KeyError, OSError):
        problems["zone"] = "This is no time zone: write for example Europe/Berlin, or UTC."
        return ZoneInfo("UTC")


def _moments(
    text: str, name: str, zone: ZoneInfo, problems: dict[str, str]
) -> tuple[datetime, datetime] | None:
    """Give where a minute or a day that was typed begins, and where it has ended; None: nothing, or no time.

    Of an hour that comes twice, or never, as clocks are put back or forward, the wider reading counts.
    """
    written = text.strip()
    if not written:
        return None
    try:
        first = datetime.fromisoformat(written)
        last = first + (_MINUTE if "T" in written or " " in written else timedelta(days=1))
        starts, ends = (
            [_within(one, zone, fold) for fold in (0, 1)] if one.tzinfo is None else [one.astimezone(UTC)]
            for one in (first, last)
        )
    except (ValueError, OverflowError):
        starts, ends = [], []
    if not starts or first.year not in _YEARS:
        problems[name] = "This is no time: choose a day and an hour, as 2026-11-23 02:50."
        return None
    return min(starts), max(ends)


def _within(moment: datetime, zone: ZoneInfo, fold: int) -> datetime:
    return moment.replace(tzinfo=zone, fold=fold).astimezone(UTC)
