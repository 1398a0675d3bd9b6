"""Skills of a role, as mined from its JD and the taxonomy."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RoleSkill(BaseModel):
    """A skill and the exposure (0-100) of the tasks that use it; None where no task does."""

    model_config = ConfigDict(frozen=True)

    name: str
    exposure: float | None = Field(None, ge=0, le=100)
    tasks: tuple[str, ...] = ()
