"""The asset graph is made from the list of steps: ours, and somebody else's."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import EntryPoint, EntryPoints

import dagster as dg
import pytest

from etter_dagster.definitions import build_definitions
from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.onboarding import step_registry
from etter_dagster.onboarding.step_registry import load_steps
from etter_dagster.onboarding.steps import Step, StepContext, StepResult
from etter_dagster.orchestration.assets import build_role_assets, parents_of
from etter_dagster.settings import Settings

ASSESSOR = AssessorInfo(name="llm", model="m", version="2")


class Pay(Step):
    """A step of somebody else's."""

    name = "pay"
    sub_state = "pay_analysis"
    assets: tuple[str, ...] = ("pay_bands", "pay_gap")
    code_version = "7"

    async def run(self, context: StepContext) -> StepResult:
        return StepResult()


def role_assets(settings: Settings) -> dg.AssetsDefinition:
    return build_role_assets(settings, load_steps(settings), ASSESSOR)


def parents(assets: dg.AssetsDefinition) -> dict[str, set[str]]:
    """By asset name, as Dagster knows them."""
    return {
        spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps}
        for spec in assets.specs
    }


@pytest.fixture
def with_pay(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that enable a step which another package brings."""
    entry = EntryPoint(name="pay", value=f"{__name__}:Pay", group=step_registry.ENTRY_POINTS)
    found = EntryPoints([entry])
    monkeypatch.setattr(step_registry, "entry_points", lambda group: found.select(group=group))
    return settings.with_changes(optional_steps=("skills", "pay"))


def test_the_built_in_assets_hang_together_as_the_steps_follow_each_other(
    settings: Settings,
) -> None:
    assert parents(role_assets(settings)) == {
        "company_role": set(),
        "job_description": {"company_role"},
        "ai_assessment": {"company_role", "job_description"},
        "skills_profile": {"ai_assessment"},
    }


def test_without_optional_steps_their_assets_are_not_there(settings: Settings) -> None:
    """Otherwise they would be missing for ever, and every role out of sync."""
    none = settings.with_changes(optional_steps=())
    assert set(parents(role_assets(none))) == {"company_role", "job_description", "ai_assessment"}


def test_a_step_of_another_package_appears_as_assets_by_its_entry_point(
    with_pay: Settings,
) -> None:
    """It hangs from the assessment, as any optional step; none waits for another's."""
    found = parents(role_assets(with_pay))
    assert found["pay_bands"] == {"ai_assessment"}
    assert found["pay_gap"] == {"pay_bands"}
    assert found["skills_profile"] == {"ai_assessment"}


def test_a_step_of_another_package_is_part_of_what_dagster_loads(with_pay: Settings) -> None:
    definitions = build_definitions(with_pay)
    dg.Definitions.validate_loadable(definitions)
    job = definitions.resolve_job_def("onboard_roles")
    assert {"pay_bands", "pay_gap"} <= {
        key.to_user_string() for key in job.asset_layer.executable_asset_keys
    }


def test_a_step_that_is_not_known_is_named(settings: Settings) -> None:
    with pytest.raises(ValueError, match="ETTER_OPTIONAL_STEPS names unknown steps"):
        load_steps(settings.with_changes(optional_steps=("pay",)))


def test_a_broken_package_whose_step_is_not_enabled_breaks_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("broken", "no_such_module:Step", step_registry.ENTRY_POINTS)
    monkeypatch.setattr(step_registry, "entry_points", lambda group: EntryPoints([broken]))
    assert [step.name for step in load_steps(settings)][-1] == "skills"


def test_required_steps_form_a_chain() -> None:
    """A step that must succeed is what all later ones build on."""

    class Check(Pay):
        name = "check"
        assets = ("checked",)
        required = True

    class Skills(Pay):
        name = "skills"
        assets = ("skills_profile",)

    assert parents_of([Check(), Pay(), Skills()]) == {
        "checked": (),
        "pay_bands": ("checked",),
        "pay_gap": ("pay_bands",),
        "skills_profile": ("checked",),
    }


def test_every_asset_says_what_an_operator_needs(with_pay: Settings) -> None:
    """Owners, a group, kinds, when to use it, and a window of the greatest age."""
    for spec in role_assets(with_pay.with_changes(max_assessment_age_days=12)).specs:
        assert spec.group_name == "roles"
        assert spec.owners
        assert spec.kinds
        assert spec.description
        assert spec.skippable
        assert spec.partitions_def == dg.DynamicPartitionsDefinition(name="roles")
        assert spec.freshness_policy == dg.FreshnessPolicy.time_window(
            fail_window=timedelta(days=12)
        )


def test_an_age_of_seconds_gives_a_freshness_policy_that_dagster_takes(settings: Settings) -> None:
    """A legal setting kept Dagster from loading anything at all."""
    short = settings.with_changes(max_assessment_age_days=0.0001)
    for spec in role_assets(short).specs:
        assert spec.freshness_policy == dg.FreshnessPolicy.time_window(
            fail_window=timedelta(minutes=1)
        )


def test_assets_carry_the_code_version_of_their_step(with_pay: Settings) -> None:
    """Dagster marks what older code made, partition by partition."""
    versions = {
        spec.key.to_user_string(): spec.code_version for spec in role_assets(with_pay).specs
    }
    by_step = {
        asset: step.code_version_by(ASSESSOR)
        for step in load_steps(with_pay)
        for asset in step.assets
    }
    assert versions == by_step
    assert versions["pay_gap"] == "7"
    assert versions["ai_assessment"] == "1 llm/m/2", "another model makes older ones out of date"


def test_a_backfill_of_many_roles_is_one_run(settings: Settings) -> None:
    """A run per role takes seconds each; a range in one run works on all of them at once."""
    assets = role_assets(settings)
    assert assets.backfill_policy == dg.BackfillPolicy.single_run()
    assert assets.can_subset
