"""`python -m etter_dagster.api.openapi [FILE]` writes the OpenAPI document made from the code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from etter_dagster.api.app import create_app

DEFAULT = Path("docs/openapi.json")


def openapi_text() -> str:
    """The document, as the file holds it."""
    return json.dumps(create_app().openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(openapi_text(), encoding="utf-8")
