"""The estimate says so where limits make it slow."""

from __future__ import annotations

import pytest

from etter_dagster.onboarding.estimate import estimate_seconds
from etter_dagster.onboarding.services import open_services
from etter_dagster.settings import Settings
from etter_dagster_tests.contract.records import new_push


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ({}, 127 + 127 / 10),
        ({"assessor_max_concurrent": 10}, 127 + 127 * 10),
        ({"assessor_max_per_minute": 2}, 127 + 100 * 30),
        ({"assessor_max_concurrent": 5_000}, 127 + 127 / 10),
    ],
)
async def test_a_place_behind_others_takes_as_long_as_the_limits_on_calls_make_it(
    settings: Settings, limits: dict[str, object], seconds: float
) -> None:
    """A hundred before it, a thousand places, 127 s a call: two minutes, or half an hour."""
    services = open_services(
        settings.with_changes(
            assessor="workflow_api", workflow_api_base_url="http://127.0.0.1:9", **limits
        )
    )
    push = new_push().push.model_copy(update={"assessor": "workflow_api"})
    estimate = await estimate_seconds(services, push, 101)
    assert estimate == pytest.approx(seconds, abs=1)
    mock = await estimate_seconds(services, push.model_copy(update={"assessor": "exposure"}), 101)
    assert mock <= 6
    await services.close()
