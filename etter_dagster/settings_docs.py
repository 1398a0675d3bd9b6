"""`docs/settings.md`, made from the settings model: `python -m etter_dagster.settings_docs`.

Prints to standard output and writes nothing. What a setting is and may be stands in `settings.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from etter_dagster.settings import Settings
from etter_dagster.settings_env import FILE_SUFFIX, PREFIX

# The first setting of each group, in the model's order.
GROUPS = {
    "environment": "General",
    "neo4j_uri": "Graph",
    "redis_host": "Queue",
    "dagster_postgres_url": "Dagster",
    "max_in_flight": "Work",
    "assessor": "Assessor",
    "companies_file": "Sources",
    "max_assessment_age_days": "Staleness",
    "api_keys_file": "Access",
}
# Defaults that follow from other settings; the description names them.
_FOLLOWING = ("dashboard_base_url", "dagster_url", "dagster_home")
_HEAD = f"""# Settings

Made from the code by `python -m etter_dagster.settings_docs`; do not edit.

Each is a variable of the environment or a line of `.env` in the working directory; the environment
wins. An empty value counts as unset. In Python, `Settings(port=8091)` takes the same names in lower
case without `{PREFIX}` and wins over both. A name that nobody reads is a warning with the nearest
known one; a wrong value is an error that names the legal ones.

A setting marked *secret* may also be given as `<NAME>{FILE_SUFFIX.upper()}`, the path of a file
that holds it.
"""


def settings_page() -> str:
    """The page, as Markdown."""
    return _HEAD + "\n".join(_tables())


def _tables() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if name in GROUPS:
            yield from ("", f"## {GROUPS[name]}", "", "| name | default | what it is |")
            yield "| --- | --- | --- |"
        yield f"| `{PREFIX}{name.upper()}` | {_default(name, field)} | {_meaning(name, field)} |"
    yield ""


def _default(name: str, field: FieldInfo) -> str:
    if name in _FOLLOWING:
        return "see there"
    value: Any = field.default
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


def _meaning(name: str, field: FieldInfo) -> str:
    parts = [(field.description or "").replace("|", r"\|")]
    if choices := _choices(field):
        parts.append(f"one of {choices}")
    if name in Settings.SECRETS:
        parts.append("*secret*")
    return "; ".join(parts)


def _choices(field: FieldInfo) -> str:
    values = getattr(field.annotation, "__args__", ())
    named = [value for value in values if isinstance(value, str)]
    return ", ".join(f"`{value}`" for value in named)


if __name__ == "__main__":
    sys.stdout.write(settings_page())
