"""The table of docs/metrics.md: every metric with its type, its labels and what it says of itself."""

import re
from typing import Final

from service.app.meters import METERS, Meters
from service.cli.reference.tables import code, table
from service.web.gauges import GAUGES, Told

_BEGIN: Final = "<!-- by `make docs` -->\n"
_END: Final = "<!-- end -->\n"


def with_metrics(guide: str) -> str:
    """Put the table between its marks; raises ValueError where they are not there."""
    written, count = re.subn(
        f"{_BEGIN}.*?{_END}", lambda _: f"{_BEGIN}\n{metrics()}\n{_END}", guide, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"the guide has no place for its table: {_BEGIN.strip()} … {_END.strip()}")
    return written


def metrics() -> str:
    """Write the table: our own, and what Prometheus' library tells of the process."""
    ours = sorted({**METERS, **GAUGES}.items())
    rows = [
        [code(name), told.kind, ", ".join(map(code, told.labels)), told.said]
        for name, told in [*ours, *sorted(_of_the_library().items())]
    ]
    return table(("metric", "type", "labels", "tells"), rows)


def _of_the_library() -> dict[str, Told]:
    found = {
        f"{one.name}_total" if one.type == "counter" else one.name: Told(one.type, one.documentation)
        for one in Meters().collect()
    }
    return {name: told for name, told in found.items() if name not in METERS}
