"""What would come of a webhook's alerts, for a person at a terminal."""

from collections.abc import Mapping
from typing import Any

from service.providers.wording import shown


def post_in_words(explained: Mapping[str, Any]) -> str:
    """Say for a person what `explain_post` found: each alert on a line, and under it what would come of it.

    Then what is wrong with others of the post, which cannot be read.
    """
    if not explained["accepted"]:
        return f"refused: {explained['reason']}"
    lines = []
    for alert in explained["alerts"]:
        entity = f" (entity {shown(alert['entity_id'])})" if alert["entity_id"] else ""
        lines += [f"{shown(alert['monitor_name'])}{entity}: {alert['state']}", f"  {alert['reason']}"]
    return "\n".join([*lines, *filter(None, [explained["complaint"]])])
