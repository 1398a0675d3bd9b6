"""Skills of a role, as mined from its JD and the taxonomy."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field


class RoleSkill(BaseModel):
    """A skill and the exposure (0-100) of the tasks that use it; None where no task does."""

    model_config = ConfigDict(frozen=True)

    name: str
    exposure: float | None = Field(None, ge=0, le=100)
    tasks: tuple[str, ...] = ()


def most_exposed_first(skills: Iterable[RoleSkill]) -> list[RoleSkill]:
    """By falling exposure, unknown ones last, then by name."""
    return sorted(
        skills,
        key=lambda skill: (-(skill.exposure if skill.exposure is not None else -1.0), skill.name),
    )
