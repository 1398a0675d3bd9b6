"""Onboarding a role: check and enqueue, steps, the walk, the library.

Names of the contract are importable here; they are loaded when first asked for, so that importing
a part of this layer does not load all of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etter_dagster.model.envelope import Envelope
    from etter_dagster.onboarding.library import RoleOnboardingWorkflow, execute_role_onboarding
    from etter_dagster.onboarding.single_steps import (
        create_company_role,
        link_job_description,
        run_ai_assessment,
    )
    from etter_dagster.onboarding.steps import Step, StepContext, StepResult

__all__ = [
    "Envelope",
    "RoleOnboardingWorkflow",
    "Step",
    "StepContext",
    "StepResult",
    "create_company_role",
    "execute_role_onboarding",
    "link_job_description",
    "run_ai_assessment",
]

_HOME = {
    "Envelope": "etter_dagster.model.envelope",
    "RoleOnboardingWorkflow": "etter_dagster.onboarding.library",
    "execute_role_onboarding": "etter_dagster.onboarding.library",
    "create_company_role": "etter_dagster.onboarding.single_steps",
    "link_job_description": "etter_dagster.onboarding.single_steps",
    "run_ai_assessment": "etter_dagster.onboarding.single_steps",
    "Step": "etter_dagster.onboarding.steps",
    "StepContext": "etter_dagster.onboarding.steps",
    "StepResult": "etter_dagster.onboarding.steps",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
