"""Any product that posts JSON: config.yaml says by Jinja expressions where in the payload everything stands."""

from functools import partial

from service.config.expressions import evaluate
from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import Alert
from service.providers.lenient import read_tree
from service.providers.payload import Tree, computed, make_alert, meaning, read_each
from service.providers.post import PostContent, RawPost
from service.providers.victorops import meanings_of

NAME = "generic"


def read(post: RawPost, reading: Reading) -> PostContent:
    """Read the alerts of a post as config.yaml has it: each item of the list that `each` gives, or else the whole.

    Raises PostUnreadable.
    """
    if not reading.monitor_name or not reading.state:
        raise PostUnreadable(
            "`webhooks: generic:` in config.yaml must say what is `monitor_name` and what `state`"
        )
    tree = read_tree(post.body, post.content_type)
    read_one = partial(_read_one, tree, reading)
    if reading.each:
        try:
            items = evaluate(reading.each, tree, tree)
        except ValueError as error:
            raise PostUnreadable(f"`each`: {error}") from error
        if not isinstance(items, list):
            raise PostUnreadable(f"`each: {reading.each}` gives no list")
        return read_each(items, read_one)
    if not isinstance(tree, dict):
        raise PostUnreadable("the body is no object {…}: of a list, say `each: post` in config.yaml")
    return PostContent((read_one(tree),))


def _read_one(tree: object, reading: Reading, item: Tree) -> Alert:
    known = meanings_of(reading.firing, reading.recovered, reading.acknowledged)
    raw_state = computed(reading.state, "`state`", item, tree)
    return make_alert(
        NAME,
        item,
        reading,
        post=tree,
        state=meaning(raw_state, known, f"what `state: {reading.state}` looks for"),
        raw_state=raw_state,
        name="",
        label="`monitor_name`",
        entity_id=computed(reading.entity_id, "`entity_id`", item, tree) if reading.entity_id else "",
        message=computed(reading.message, "`message`", item, tree) if reading.message else "",
    )
