"""Grafana: a post of a webhook contact point → the alerts of one group, each with its fingerprint.

Grafana's alerting posts what Alertmanager does and more; its legacy alerting, up to Grafana 10, one rule at a time.
"""

from functools import partial

from service.config.settings import Reading
from service.model import Alert, AlertState
from service.providers.alertmanager import STATES, entity_of, instant_of, summary_of
from service.providers.payload import Tree, first, make_alert, meaning, read_each, read_object, text_at
from service.providers.post import PostContent, RawPost

NAME = "grafana"

_LEGACY_STATES = {
    "alerting": AlertState.FIRING,
    "ok": AlertState.RECOVERED,
    "no_data": AlertState.FIRING,
    "pending": AlertState.INFO,
    "paused": AlertState.INFO,
}
_ABOUT_A_RULE = frozenset({"DatasourceNoData", "DatasourceError"})
"""Alert names that Grafana gives itself where a rule cannot be evaluated; the label `rulename` has the rule's own."""
_TEST = ("TestAlert", "Grafana")
"""The labels `alertname` and `instance` of what the button "Test" sends."""
_SHARED = ("receiver", "externalURL", "groupKey", "orgId", "title")


def read(post: RawPost, reading: Reading) -> PostContent:
    """Read the alerts of a group; the label `alertname` names the monitor. Raises PostUnreadable.

    What Grafana says of a rule that it cannot evaluate, for want of data or by an error, is about that rule's monitor.
    """
    tree = read_object(post)
    if "alerts" not in tree and "ruleName" in tree:
        return PostContent((_read_legacy(tree, reading),))
    return read_each(tree.get("alerts"), partial(_read_one, tree, reading))


def _read_one(tree: Tree, reading: Reading, item: Tree) -> Alert:
    raw_state = text_at(item, "status")
    name = text_at(item, "labels", "alertname")
    if name in _ABOUT_A_RULE:
        name = first((text_at(item, "labels", "rulename"), name))
    is_test = (name, text_at(item, "labels", "instance")) == _TEST
    return make_alert(
        NAME,
        item,
        Reading() if is_test else reading,
        post=tree,
        state=AlertState.INFO if is_test else meaning(raw_state, STATES, "status"),
        raw_state="test" if is_test else raw_state,
        name=name,
        label="labels.alertname",
        entity_id=entity_of(item),
        message=first((summary_of(item), text_at(item, "valueString"))),
        sent_at=instant_of(item),
        more={name: text_at(tree, name) for name in _SHARED},
    )


def _read_legacy(tree: Tree, reading: Reading) -> Alert:
    raw_state = text_at(tree, "state")
    return make_alert(
        NAME,
        tree,
        reading,
        state=meaning(raw_state, _LEGACY_STATES, "state"),
        raw_state=raw_state,
        name=text_at(tree, "ruleName"),
        label="ruleName",
        entity_id=text_at(tree, "ruleId"),
        message=first((text_at(tree, "message"), text_at(tree, "title"))),
    )
