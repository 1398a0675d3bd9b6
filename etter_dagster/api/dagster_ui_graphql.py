"""GraphQL that Dagster's UI asks: for who may only look, no mutation; each mutation is audited."""

from __future__ import annotations

import json

import httpx
from graphql import (
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    parse,
)
from starlette.requests import Request
from starlette.responses import Response

from etter_dagster.api.access import ADMIN, Caller
from etter_dagster.api.common import audit
from etter_dagster.api.dagster_upstream import JSON_HEADERS, as_json
from etter_dagster.api.routing import read_body
from etter_dagster.api.runtime import Opened
from etter_dagster.model.errors import ErrorCode, EtterError

MAX_TOKENS = 20_000  # the UI's own documents are long
_KEPT = ("query", "variables", "operationName")


def require_looking(query: str, *, allowed: OperationType) -> None:
    """Raises `FORBIDDEN` unless each operation of a document only looks.

    Args:
        query: The document.
        allowed: The kind that each must be.
    """
    if {operation.operation for operation in _operations(query)} != {allowed}:
        raise EtterError(
            ErrorCode.FORBIDDEN, "changing something in Dagster needs a key with the scope 'admin'"
        )


async def ask_for_ui(request: Request, caller: Caller, opened: Opened) -> Response:
    """Passes a request of the UI on.

    Raises:
        EtterError: It is none, or may not be asked; `STORE_UNAVAILABLE`: Dagster does not answer.
    """
    if request.method != "POST":
        raise EtterError(ErrorCode.METHOD_NOT_ALLOWED, "GraphQL is asked by POST")
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise EtterError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "GraphQL is asked in JSON")
    try:
        asked = json.loads(await read_body(request))
        query = asked["query"]
    except (ValueError, KeyError, TypeError, RecursionError):
        query = None
    if not isinstance(query, str):
        raise EtterError(ErrorCode.VALIDATION_ERROR, "body: is no GraphQL request", http_status=422)
    if not caller.may(ADMIN):
        require_looking(query, allowed=OperationType.QUERY)
    changes = _changes(query)
    content = as_json({name: asked.get(name) for name in _KEPT})
    status = httpx.codes.SERVICE_UNAVAILABLE.value  # if no answer comes, the change may be made
    try:
        answer = await opened.dagster.send(
            "POST", "/graphql", content=content, headers=JSON_HEADERS
        )
        body = await opened.dagster.body(answer)
        status = answer.status_code
    finally:
        for change in changes:
            await audit(opened.services, caller, "dagster-ui", target=change, status=status)
    return Response(body, status, media_type="application/json")


def _operations(query: str) -> list[OperationDefinitionNode]:
    try:
        document = parse(query, no_location=True, max_tokens=MAX_TOKENS)
    except (GraphQLError, RecursionError):
        raise EtterError(ErrorCode.FORBIDDEN, "the request cannot be read") from None
    return [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]


def _changes(query: str) -> list[str]:
    """The mutations of a document by name; not what they were given, which may be anything."""
    return [
        field.name.value if isinstance(field, FieldNode) else "mutation"
        for operation in _operations(query)
        if operation.operation is OperationType.MUTATION
        for field in operation.selection_set.selections
    ]
