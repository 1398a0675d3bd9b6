"""Reading GraphQL answers: views of `platform_views.py`, and an `EtterError` where one failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from etter_dagster.client.platform_views import (
    AssetCounts,
    BackfillView,
    LaunchedPushes,
    PartitionState,
    PartitionView,
    RunView,
    Termination,
)
from etter_dagster.model.errors import ErrorCode, EtterError

Json = Mapping[str, Any]


def whole(answer: Json) -> Json:
    """An answer without errors.

    Raises:
        EtterError: `INTERNAL_ERROR`: Dagster failed at a part of it.
    """
    if errors := answer.get("errors"):
        raise EtterError(ErrorCode.INTERNAL_ERROR, str(errors[0]["message"]))
    return answer


def launched_run(answer: Json) -> str:
    """The id of a launched run."""
    return str(_of(answer, "launchRun", "LaunchRunSuccess")["run"]["runId"])


def launched_pushes(answer: Json) -> LaunchedPushes:
    """The id of a launched run of `push_roles`, with the ids of its pushes."""
    ids = answer["extensions"]["etter"]["workflow_ids"]
    return LaunchedPushes(run_id=launched_run(answer), workflow_ids=tuple(ids))


def launched_backfill(answer: Json) -> str:
    """The id of a launched backfill."""
    return str(_of(answer, "launchPartitionBackfill", "LaunchBackfillSuccess")["backfillId"])


def runs(answer: Json) -> list[RunView]:
    """A page of runs."""
    return [_run(run) for run in _of(answer, "runsOrError", "Runs")["results"]]


def reasons(answer: Json) -> dict[str, str]:
    """What the failed steps of a run say, by label."""
    events = _of(answer, "logsForRun", "EventConnection")["events"]
    entries = [
        entry
        for event in events
        for entry in (event.get("failureMetadata") or {}).get("metadataEntries", ())
    ]
    return {e["label"]: str(e.get("text", e.get("intValue", ""))) for e in entries}


def backfill(answer: Json) -> BackfillView:
    """A backfill."""
    found = _of(answer, "partitionBackfillOrError", "PartitionBackfill")
    counts = (found["assetBackfillData"] or {}).get("assetBackfillStatuses", ())
    return BackfillView(
        backfill_id=found["id"],
        status=found["status"],
        title=found["title"],
        partitions=found["numPartitions"],
        created_at=_seconds(found["timestamp"]),
        ended_at=_seconds(found["endTimestamp"]),
        runs=tuple(_run(run) for run in found["runs"]),
        assets=tuple(
            AssetCounts(
                asset=_name(count),
                targeted=count["numPartitionsTargeted"],
                in_progress=count["numPartitionsInProgress"],
                materialized=count["numPartitionsMaterialized"],
                failed=count["numPartitionsFailed"],
            )
            for count in counts
            if count
        ),
    )


def partition_rows(answer: Json, role_ids: Sequence[str]) -> list[PartitionView]:
    """A row per asset and role."""
    rows: list[PartitionView] = []
    for node in answer["data"]["assetNodes"]:
        failed = set(node["assetPartitionStatuses"]["failedPartitions"])
        going = set(node["assetPartitionStatuses"]["materializingPartitions"])
        latest = {m["partition"]: m for m in node["latestMaterializationByPartition"] if m}
        for role_id in role_ids:
            made = latest.get(role_id)
            rows.append(
                PartitionView(
                    asset=_name(node),
                    role_id=role_id,
                    state=_state(role_id in going, role_id in failed, made is not None),
                    materialized_at=_seconds(float(made["timestamp"]) / 1000) if made else None,
                    run_id=made["runId"] if made else None,
                )
            )
    return rows


def terminations(answer: Json) -> list[Termination]:
    """What became of each run."""
    results = _of(answer, "terminateRuns", "TerminateRunsResult")["terminateRunResults"]
    return [
        Termination(
            run_id=(result.get("run") or {}).get("runId", ""), problem=result.get("message")
        )
        for result in results
    ]


def cancelled(answer: Json) -> str:
    """The id of a cancelled backfill."""
    return str(_of(answer, "cancelPartitionBackfill", "CancelBackfillSuccess")["backfillId"])


def _of(answer: Json, field: str, kind: str) -> Any:
    """What stands in a field, if it is of the kind that means success."""
    found = answer["data"][field]
    if found["__typename"] == kind:
        return found
    problems = [found[name] for name in ("message", "className") if found.get(name)]
    problems += [problem["message"] for problem in found.get("errors", ())]
    raise EtterError(
        _CODES.get(found["__typename"], ErrorCode.INTERNAL_ERROR),
        f"Dagster answered {': '.join(filter(None, (found['__typename'], '; '.join(problems))))}",
    )


_CODES = {
    "RunConfigValidationInvalid": ErrorCode.VALIDATION_ERROR,
    "PartitionKeysNotFoundError": ErrorCode.NOT_FOUND,
    "RunNotFoundError": ErrorCode.NOT_FOUND,
    "BackfillNotFoundError": ErrorCode.NOT_FOUND,
}


def _run(run: Json) -> RunView:
    return RunView(
        run_id=run["runId"],
        job_name=run["jobName"],
        status=run["status"],
        tags={tag["key"]: tag["value"] for tag in run["tags"]},
        created_at=_seconds(run["creationTime"]),
        started_at=_seconds(run["startTime"]),
        ended_at=_seconds(run["endTime"]),
    )


def _state(going: bool, failed: bool, made: bool) -> PartitionState:
    if going:
        return PartitionState.MATERIALIZING
    if failed:
        return PartitionState.FAILED
    return PartitionState.MATERIALIZED if made else PartitionState.MISSING


def _name(thing: Json) -> str:
    return "/".join(thing["assetKey"]["path"])


def _seconds(value: float | None) -> Any:
    return datetime.fromtimestamp(value, timezone.utc) if value is not None else None
