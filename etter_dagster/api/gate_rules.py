"""Who may ask what of Dagster: a rule for each field that takes arguments.

A rule refuses, or gives the arguments that go on to Dagster, built anew from what it understood.
A field without a rule is refused. Launches are in `gate_launches.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from etter_dagster.api.access import PUSH, READ
from etter_dagster.api.gate_document import Arguments, Request, refused
from etter_dagster.api.gate_launches import launch_backfill, launch_run
from etter_dagster.api.gate_visit import KEY_TAG, KIND_TAG, PARTITION_TAG, RANGE_TAG, SERVING, Visit

MAX_IDS = 1000
_RUNS = """query($filter: RunsFilter!, $limit: Int!) { runsOrError(filter: $filter, limit: $limit) {
  ... on Runs { results { runId jobName tags { key value } } } } }"""
_BACKFILL = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { tags { key value } } } }"""
_NOT_OWN = "it is no run or backfill that this key launched"
_FREE_FILTER_TAGS = (KEY_TAG, PARTITION_TAG, "dagster/backfill")

Rule = Callable[[Visit, Arguments], Awaitable[Arguments]]


async def allowed_arguments(visit: Visit, request: Request) -> dict[int, Arguments]:
    """The arguments of each field that go on to Dagster.

    Args:
        visit: Who asks.
        request: What.

    Raises:
        EtterError: `FORBIDDEN`: something of it may not be asked by this caller.
    """
    visit.caller.require(PUSH if request.is_mutation else READ)
    names = [f.name if f.name == "__typename" else f.path for f in request.fields.values()]
    for name in names:
        if name not in RULES:
            raise refused(f"{name} may not be asked")
    made = await asyncio.gather(
        *(
            RULES[name](visit, field.arguments)
            for name, field in zip(names, request.fields.values(), strict=True)
        )
    )
    return dict(zip(request.fields, made, strict=True))


async def _typename(_: Visit, arguments: Arguments) -> Arguments:
    return arguments


# -- looking -------------------------------------------------------------------------------------
async def _run(visit: Visit, arguments: Arguments) -> Arguments:
    if visit.caller.companies is not None:
        await _own_runs(visit, [arguments["runId"]])
    return arguments


async def _logs(visit: Visit, arguments: Arguments) -> Arguments:
    return {**await _run(visit, arguments), "limit": _limit(arguments)}


async def _runs(visit: Visit, arguments: Arguments) -> Arguments:
    given = dict(arguments.get("filter") or {})
    tags = given.get("tags") or []
    for tag in tags:
        if "/" in tag["key"] and tag["key"] not in _FREE_FILTER_TAGS:
            raise refused(f"runs cannot be filtered by the tag {tag['key']}")
    if visit.caller.companies is not None:
        # Dagster takes the last of tags with the same key.
        tags = [tag for tag in tags if tag["key"] != KEY_TAG] + [visit.key_tag]
    return {**arguments, "filter": {**given, "tags": tags}, "limit": _limit(arguments)}


async def _backfill(visit: Visit, arguments: Arguments) -> Arguments:
    if visit.caller.companies is not None:
        await _own_backfill(visit, arguments["backfillId"])
    return arguments


async def _backfill_runs(_: Visit, arguments: Arguments) -> Arguments:
    return {"limit": _limit(arguments)}


async def _asset(visit: Visit, arguments: Arguments) -> Arguments:
    visit.require_assets([arguments["assetKey"]])
    return arguments


async def _assets(visit: Visit, arguments: Arguments) -> Arguments:
    visit.require_assets(arguments["assetKeys"])
    return arguments


async def _partitions(visit: Visit, arguments: Arguments) -> Arguments:
    await visit.require_roles(arguments["partitions"])
    return arguments


# -- ending --------------------------------------------------------------------------------------
async def _terminate(visit: Visit, arguments: Arguments) -> Arguments:
    await _may_end(visit, [arguments["runId"]])
    return {"runId": arguments["runId"], "terminatePolicy": "SAFE_TERMINATE"}


async def _terminate_many(visit: Visit, arguments: Arguments) -> Arguments:
    await _may_end(visit, arguments["runIds"])
    return {"runIds": arguments["runIds"], "terminatePolicy": "SAFE_TERMINATE"}


async def _cancel_backfill(visit: Visit, arguments: Arguments) -> Arguments:
    await _own_backfill(visit, arguments["backfillId"])
    visit.record("cancel-backfill", target=arguments["backfillId"])
    return arguments


async def _may_end(visit: Visit, run_ids: Sequence[str]) -> None:
    runs = await _own_runs(visit, run_ids)
    if any(_is_serving(run) for run in runs):
        raise refused("a serving run works for everybody and is not ended by one")
    for run_id in run_ids:
        visit.record("terminate-run", target=run_id)


def _is_serving(run: Mapping[str, Any]) -> bool:
    tags = _tags(run)
    by_partition = PARTITION_TAG in tags or RANGE_TAG in tags
    return tags.get(KIND_TAG) == SERVING or (run["jobName"] != "push_roles" and not by_partition)


async def _own_runs(visit: Visit, run_ids: Collection[str]) -> list[dict[str, Any]]:
    """The runs, all of which this key launched; unknown ones look like another's."""
    if not 1 <= len(run_ids) <= MAX_IDS:
        raise refused(f"give 1 to {MAX_IDS} runs at once")
    chosen = {"runIds": list(run_ids), "tags": [visit.key_tag]}
    data = await visit.dagster.data(_RUNS, filter=chosen, limit=MAX_IDS)
    found: list[dict[str, Any]] = data["runsOrError"].get("results", [])
    own = {run["runId"] for run in found if _tags(run).get(KEY_TAG) == visit.caller.key_id}
    if missing := sorted(set(run_ids) - own):
        raise refused(f"{missing[0][:100]}: {_NOT_OWN}")
    return found


async def _own_backfill(visit: Visit, backfill_id: str) -> None:
    data = await visit.dagster.data(_BACKFILL, id=backfill_id)
    if _tags(data["partitionBackfillOrError"]).get(KEY_TAG) != visit.caller.key_id:
        raise refused(f"{backfill_id[:100]}: {_NOT_OWN}")


def _tags(thing: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in thing.get("tags", ())}


def _limit(arguments: Arguments) -> int:
    limit = arguments.get("limit")
    if limit is None:
        return 200
    if not 1 <= limit <= MAX_IDS:
        raise refused(f"limit is 1 to {MAX_IDS}")
    return int(limit)


RULES: dict[str, Rule] = {
    "__typename": _typename,
    "Query.runOrError": _run,
    "Query.runsOrError": _runs,
    "Query.logsForRun": _logs,
    "Query.partitionBackfillOrError": _backfill,
    "Query.assetNodeOrError": _asset,
    "Query.assetNodes": _assets,
    "PartitionBackfill.runs": _backfill_runs,
    "AssetNode.latestMaterializationByPartition": _partitions,
    "AssetNode.staleStatusByPartition": _partitions,
    "AssetNode.dataVersionByPartition": _partitions,
    "Mutation.launchRun": launch_run,
    "Mutation.launchPartitionBackfill": launch_backfill,
    "Mutation.terminateRun": _terminate,
    "Mutation.terminateRuns": _terminate_many,
    "Mutation.cancelPartitionBackfill": _cancel_backfill,
}
