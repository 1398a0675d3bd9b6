"""What Dagster shows of roles, read from an instance."""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from etter_dagster.orchestration.partitions import roles

ASSETS = ("company_role", "job_description", "ai_assessment", "skills_profile")


def materialized(instance: dg.DagsterInstance, asset: str) -> set[str]:
    """The partitions of an asset that have a materialization."""
    return set(instance.get_materialized_partitions(dg.AssetKey(asset)))


def events(instance: dg.DagsterInstance, asset: str) -> list[dg.AssetMaterialization]:
    """An asset's materializations, newest first."""
    found = instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records
    return [r.asset_materialization for r in found if r.asset_materialization is not None]


def failed(instance: dg.DagsterInstance, asset: str) -> set[str]:
    """The partitions that Dagster's page of an asset shows as failed."""
    key = dg.AssetKey(asset)
    status = get_and_update_asset_status_cache_value(instance, key, roles)
    if status is None:
        return set()
    with partition_loading_context(dynamic_partitions_store=instance):
        return set(status.deserialize_failed_partition_subsets(roles).get_partition_keys())
