"""Prometheus Alertmanager: a post of its webhook receiver → the alerts of one group, each with its fingerprint.

The payload is that of version 4, as Prometheus's documentation of `webhook_config` has it.
"""

import hashlib
from datetime import datetime
from functools import partial

import orjson

from service.config.settings import Reading
from service.model import Alert, AlertState
from service.providers.payload import Tree, at, first, make_alert, meaning, read_each, read_object, text_at
from service.providers.post import PostContent, RawPost
from service.providers.wording import instant

NAME = "alertmanager"

STATES = {"firing": AlertState.FIRING, "resolved": AlertState.RECOVERED}
_SHARED = ("receiver", "externalURL", "groupKey")


def read(post: RawPost, reading: Reading) -> PostContent:
    """Read the alerts of a group; the label `alertname` names the monitor. Raises PostUnreadable."""
    tree = read_object(post)
    return read_each(tree.get("alerts"), partial(_read_one, tree, reading))


def _read_one(tree: Tree, reading: Reading, item: Tree) -> Alert:
    raw_state = text_at(item, "status")
    return make_alert(
        NAME,
        item,
        reading,
        post=tree,
        state=meaning(raw_state, STATES, "status"),
        raw_state=raw_state,
        name=text_at(item, "labels", "alertname"),
        label="labels.alertname",
        entity_id=entity_of(item),
        message=summary_of(item),
        sent_at=instant_of(item),
        more={name: text_at(tree, name) for name in _SHARED},
    )


def entity_of(item: Tree) -> str:
    """Give the fingerprint, or where there is none what tells the same: the labels, digested."""
    if given := text_at(item, "fingerprint"):
        return given
    labels = at(item, "labels")
    known = {key: text_at(labels, key) for key in labels} if isinstance(labels, dict) else {}
    pairs = orjson.dumps([(key, known[key]) for key in sorted(known)]) if known else b""
    return hashlib.sha256(pairs).hexdigest()[:32] if pairs else ""


def summary_of(item: Tree) -> str:
    """Give what an alert's annotations say to a person."""
    return first(text_at(item, "annotations", one) for one in ("summary", "description", "message"))


def instant_of(item: Tree) -> datetime | None:
    """Tell when it began, or of a recovery when it ended."""
    is_over = text_at(item, "status").casefold() == "resolved"
    return instant(text_at(item, "endsAt" if is_over else "startsAt"))
