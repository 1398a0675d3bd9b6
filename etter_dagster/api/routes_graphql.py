"""`POST /graphql`: the platform's way to Dagster, through the gate.

A request is read (`gate_document.py`), judged field by field (`gate_rules.py`), written anew, and
what comes back is cut to what the caller may see.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Body
from pydantic import BaseModel, ConfigDict, model_validator

from etter_dagster.api.common import ONCE, OpenedIn, Reader, errors, new_router
from etter_dagster.api.dagster_upstream import DagsterUpstream
from etter_dagster.api.gate_document import Request, read_request, refused, written_anew
from etter_dagster.api.gate_rules import allowed_arguments
from etter_dagster.api.gate_visit import Visit

root_router = new_router("graphql")
_MISSING = "etterMissing"
_ALSO = f"... on PartitionKeysNotFoundError {{ {_MISSING}: partitionKeys }}"
_PARTITION_LISTS = frozenset(
    {
        "materializedPartitions",
        "failedPartitions",
        "unmaterializedPartitions",
        "materializingPartitions",
    }
)


class GraphQLBody(BaseModel):
    """A GraphQL request as clients send it."""

    model_config = ConfigDict(extra="ignore")

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815, the protocol's name

    @model_validator(mode="before")
    @classmethod
    def _one(cls, body: Any) -> Any:
        if isinstance(body, list):
            raise refused("one request at a time")
        return body


class GraphQLAnswer(BaseModel):
    """A GraphQL answer; `extensions.etter.workflow_ids` are those of launched pushes."""

    data: dict[str, Any]
    errors: list[dict[str, Any]] | None = None
    extensions: dict[str, Any] | None = None


@root_router.post(
    "/graphql",
    dependencies=ONCE,
    responses=errors(413, 415),
    response_model_exclude_none=False,
    response_model_exclude_unset=True,
    summary="Dagster's GraphQL, as far as the key may",
)
async def graphql(
    body: Annotated[GraphQLBody, Body()], caller: Reader, opened: OpenedIn
) -> GraphQLAnswer:
    """Launch, follow and end what is the key's own; `docs/graphql.md` lists each request."""
    request = await asyncio.to_thread(
        read_request, body.query, body.variables or {}, body.operationName
    )
    visit = Visit(caller, opened.services, opened.dagster)
    answer = await _asked(visit, request, opened.dagster)
    if visit.audit:
        await opened.services.graph.append_audit(visit.audit)
    if caller.companies is not None:
        await _keep_own_partitions(visit, answer["data"])
    if visit.extensions:
        answer["extensions"] = {"etter": visit.extensions}
    return GraphQLAnswer(**answer)


async def _asked(visit: Visit, request: Request, dagster: DagsterUpstream) -> dict[str, Any]:
    arguments = await allowed_arguments(visit, request)
    backfills = [i for i, f in request.fields.items() if f.name == "launchPartitionBackfill"]
    query, variables = written_anew(request, arguments, dict.fromkeys(backfills, _ALSO))
    answer = await dagster.ask(query, variables)
    if missing := _taken_out(answer["data"]):
        # The roles are known here, their partitions not yet there: the sensor is about to add them.
        await visit.add_partitions(missing)
        answer = await dagster.ask(query, variables)
        _taken_out(answer["data"])
    return answer


def _taken_out(data: dict[str, Any]) -> list[str]:
    missing: list[str] = []
    for value in data.values():
        if isinstance(value, dict):
            missing += value.pop(_MISSING, ())
    return missing


async def _keep_own_partitions(visit: Visit, data: Any) -> None:
    """Takes other companies' partitions out of the lists of an asset's partitions."""
    lists = list(_partition_lists(data))
    own = await visit.visible(key for found in lists for key in found) if lists else set()
    for found in lists:
        found[:] = [key for key in found if key in own]


def _partition_lists(value: Any) -> Any:
    if isinstance(value, list):
        for item in value:
            yield from _partition_lists(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in _PARTITION_LISTS and isinstance(item, list) and _is_keys(item):
                yield item
            else:
                yield from _partition_lists(item)


def _is_keys(items: list[Any]) -> bool:
    return all(isinstance(item, str) for item in items)
