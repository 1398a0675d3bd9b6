"""Partitions are deleted in bulk with what was reported on them, out of both kinds of storage."""

from __future__ import annotations

import dagster as dg
import pytest

from etter_dagster.orchestration.events import data_versions
from etter_dagster.orchestration.partitions import add_partitions, delete_partitions


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_thousand_go_and_those_of_others_stay(instance: dg.DagsterInstance) -> None:
    """More than one statement takes; repeated, it does nothing."""
    keys = [f"key-{n}" for n in range(1_001)]
    add_partitions(instance, [*keys, "other"])
    for key in ("key-7", "key-1000", "other"):
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                "ai_assessment", partition=key, tags={"dagster/data_version": key}
            )
        )
    assert len(data_versions(instance, "ai_assessment")) == 3
    for _ in range(2):
        delete_partitions(instance, keys)
        assert instance.get_dynamic_partitions("roles") == ["other"]
        assert set(data_versions(instance, "ai_assessment")) == {"other"}
