"""Which steps there are: the built-in ones, and those of other packages by entry point."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from etter_dagster.onboarding.ai_assessment import AiAssessment
from etter_dagster.onboarding.role_setup import RoleSetup
from etter_dagster.onboarding.skills_profile import SkillsProfile
from etter_dagster.onboarding.steps import Step
from etter_dagster.settings import Settings

ENTRY_POINTS = "etter_dagster.steps"


def load_steps(settings: Settings) -> tuple[Step, ...]:
    """`role_setup`, `ai_assessment`, then each optional step that `OPTIONAL_STEPS` enables.

    Raises:
        ValueError: An enabled step is not known.
    """
    # Loaded only where enabled: a package that is broken, and not used, breaks nothing.
    optional: dict[str, Callable[[], type[Step]]] = {SkillsProfile.name: lambda: SkillsProfile}
    optional |= {entry.name: entry.load for entry in entry_points(group=ENTRY_POINTS)}
    enabled = settings.optional_steps
    unknown = [name for name in enabled if name not in optional]
    if unknown:
        raise ValueError(
            f"ETTER_OPTIONAL_STEPS names unknown steps {unknown}; known are {sorted(optional)}"
        )
    return (RoleSetup(), AiAssessment(), *(optional[name]()() for name in enabled))
