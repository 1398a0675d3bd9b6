"""What the taxonomy says of a role."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TaxonomyEntry(BaseModel):
    """One role of a company's taxonomy.

    `job_title` is the role's name for Etter; `job_role` is the taxonomy's own, sometimes longer.
    """

    model_config = ConfigDict(frozen=True)

    job_id: str
    company_name: str
    job_title: str
    job_role: str | None = None
    draup_role: str | None = None
    draup_role_id: str | None = None
    occupation: str | None = None
    job_family: str | None = None
    skills: tuple[str, ...] = ()
    general_summary: str | None = None
    status: str = "active"
