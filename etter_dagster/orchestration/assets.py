"""The role assets: one multi-asset, made from the list of steps."""

# Dagster reads an op's annotations as objects: no `from __future__ import annotations` here.

from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg

from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.onboarding.steps import Step
from etter_dagster.orchestration.events import STEP_KEY
from etter_dagster.orchestration.partitions import roles
from etter_dagster.orchestration.serving_run import OnboardConfig, run_onboarding
from etter_dagster.settings import Settings

GROUP = "roles"
OWNER = "team:etter"
LEAST_WINDOW = timedelta(minutes=1)  # of a freshness policy; Dagster takes no shorter one
_BUILT_IN = {
    "company_role": (
        "The CompanyRole node of one role of one company. Materialize it (with the others) to "
        "onboard or re-assess the role of a partition; without a partition the run serves the "
        "push queue.",
        {"graph"},
    ),
    "job_description": (
        "The role's linked documents, its job description (JD) first. Its data version changes "
        "when their text changes, white space aside.",
        {"document"},
    ),
    "ai_assessment": (
        "How AI changes the role: scores 0-100 and the tasks behind them. A role that is ready "
        "and unchanged is found again and pays nothing; `force_rerun` assesses anew.",
        {"ai"},
    ),
    "skills_profile": (
        "The role's skills with the exposure of the tasks that use them. Optional: if it fails, "
        "the role is degraded, not failed.",
        {"ai"},
    ),
}


def parents_of(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """The parents of each asset: required steps form a chain, optional ones hang from its end.

    A step is made from all that the one before it made: Dagster looks at direct parents only, and
    an assessment is out of sync with its role's mapping as well as with its documents.
    """
    parents: dict[str, tuple[str, ...]] = {}
    chain: tuple[str, ...] = ()
    for step in steps:
        last = chain
        for asset in step.assets:
            parents[asset] = last
            last = (asset,)
        if step.required:
            chain = step.assets
    return parents


def build_role_assets(
    settings: Settings, steps: Sequence[Step], assessor: AssessorInfo
) -> dg.AssetsDefinition:
    """The assets of all steps, as one op that may be run for any of them.

    Args:
        settings: For the freshness policy, and what a run works with.
        steps: In the order of the walk.
        assessor: The configured one; what another one made is out of date.
    """
    parents = parents_of(steps)

    @dg.multi_asset(
        name=STEP_KEY,
        specs=[
            _spec(settings, step, asset, parents[asset], assessor)
            for step in steps
            for asset in step.assets
        ],
        can_subset=True,
        partitions_def=roles,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def onboard(
        context: dg.AssetExecutionContext, config: OnboardConfig
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        run_onboarding(context, config, settings, parents)
        # Every role logs its own materializations; yielding one would materialize every key of
        # the run, failed ones too. Without a yield Dagster would take the return for an output.
        yield from ()

    return onboard


def _spec(
    settings: Settings, step: Step, asset: str, parents: Sequence[str], assessor: AssessorInfo
) -> dg.AssetSpec:
    description, kinds = _BUILT_IN.get(
        asset, (f"Made by the step `{step.name}` for each role.", {"python"})
    )
    return dg.AssetSpec(
        asset,
        deps=list(parents),
        skippable=True,
        description=description,
        group_name=GROUP,
        owners=[OWNER],
        kinds=kinds,
        code_version=step.code_version_by(assessor),
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=max(LEAST_WINDOW, timedelta(days=settings.max_assessment_age_days))
        ),
    )
