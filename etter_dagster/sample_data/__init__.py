"""The eight sample roles: `taxonomy.json` and one job description each, invented for trials.

Only reading them belongs here; whether they are used is decided in `sources/registry.py`.
"""

from __future__ import annotations

import functools
import json
from importlib import resources

from etter_dagster.model.taxonomy import TaxonomyEntry


@functools.cache
def sample_roles() -> tuple[TaxonomyEntry, ...]:
    """All sample roles, in the order of the file."""
    text = resources.files(__name__).joinpath("taxonomy.json").read_text(encoding="utf-8")
    return tuple(TaxonomyEntry.model_validate(entry) for entry in json.loads(text))


@functools.cache
def sample_job_description(job_id: str) -> str:
    """The Markdown of one sample role's job description.

    Args:
        job_id: The role's id in the taxonomy, e.g. `lm-001`.
    """
    folder = resources.files(__name__).joinpath("job_descriptions")
    return folder.joinpath(f"{job_id}.md").read_text(encoding="utf-8")
