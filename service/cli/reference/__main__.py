"""Writes the pages and the schema, into the checkout whose folder is given or in which it is run."""

import sys
from pathlib import Path

from service.cli.reference import write_pages
from service.config import json_schema

root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
write_pages(root / "docs")
(root / "service" / "config" / json_schema.SHIPPED).write_bytes(json_schema.written())
