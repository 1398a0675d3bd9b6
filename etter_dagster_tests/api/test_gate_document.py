"""What goes on to Dagster: written anew from what was understood, and valid there."""

from __future__ import annotations

from typing import Any

import pytest
from dagster_graphql.schema import create_schema
from graphql import GraphQLSchema, parse, validate
from graphql.execution.values import get_variable_values

from etter_dagster.api.gate_document import gate_schema, read_request, written_anew
from etter_dagster.client import graphql_operations
from etter_dagster.model.errors import ErrorCode, EtterError


@pytest.fixture(scope="module")
def dagster_schema() -> GraphQLSchema:
    schema: GraphQLSchema = create_schema().graphql_schema
    return schema


def passed_on(query: str, **variables: Any) -> tuple[str, dict[str, Any]]:
    """What Dagster would get if every rule let the arguments through as they are."""
    request = read_request(query, variables, None)
    return written_anew(request, {id_: f.arguments for id_, f in request.fields.items()})


def flat(query: str) -> str:
    return " ".join(query.split())


def test_arguments_become_variables_of_the_gates_own() -> None:
    """A text of the caller's is never parsed a second time."""
    query, values = passed_on(
        'query($x: String!) { a: runOrError(runId: "} evil {") { __typename } '
        "b: partitionBackfillOrError(backfillId: $x) { __typename } }",
        x="id",
    )
    assert flat(query) == (
        "query ($v0: ID!, $v1: String!) { a: runOrError(runId: $v0) { __typename } "
        "b: partitionBackfillOrError(backfillId: $v1) { __typename } }"
    )
    assert values == {"v0": "} evil {", "v1": "id"}


def test_equal_arguments_share_a_variable() -> None:
    """Dagster merges fields of the same name only if their arguments look the same."""
    one = 'runOrError(runId: "x") { __typename }'
    query, values = passed_on(f"{{ {one} {one} }}")
    assert values == {"v0": "x"}
    assert flat(query).count("$v0)") == 2


def test_variables_that_were_not_asked_for_go_nowhere() -> None:
    _, values = passed_on('{ runOrError(runId: "x") { __typename } }', more={"stepKeys": ["*"]})
    assert values == {"v0": "x"}


def test_the_text_of_an_exception_is_not_asked_for() -> None:
    """It may name an address; also where a fragment asks for it."""
    query, _ = passed_on(
        '{ runOrError(runId: "x") { ...E ... on PythonError { message } } } '
        "fragment E on PythonError { message className }"
    )
    assert flat(query).count("message: __typename") == 2
    assert "{ message }" not in flat(query)


OPERATIONS = {n: v for n, v in vars(graphql_operations).items() if n.isupper()}
FILLED: dict[str, Any] = {
    "params": {"selector": {"repositoryName": "r", "repositoryLocationName": "l"}},
    "filter": {"statuses": ["QUEUED"], "tags": [{"key": "a", "value": "b"}]},
    "runId": "x",
    "runIds": ["x"],
    "backfillId": "x",
    "assets": [{"path": ["company_role"]}],
    "partitions": ["p"],
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_goes_on_is_valid_in_dagster(name: str, dagster_schema: GraphQLSchema) -> None:
    """With the values that it carries, too."""
    given = FILLED | ({"params": {"partitionNames": ["p"]}} if "BACKFILL" in name else {})
    query, values = passed_on(OPERATIONS[name], **given)
    document = parse(query)
    assert validate(dagster_schema, document) == []
    (operation, *_) = document.definitions
    coerced = get_variable_values(dagster_schema, operation.variable_definitions, values)  # type: ignore[attr-defined]
    assert isinstance(coerced, dict), coerced


def fields_of(schema: GraphQLSchema, kind: str) -> set[str]:
    found: Any = schema.type_map[kind]
    return set(found.fields)


@pytest.mark.parametrize("kind", ["query", "mutation", "subscription"])
def test_no_other_field_of_dagster_can_be_asked_at_the_top(
    kind: str, dagster_schema: GraphQLSchema
) -> None:
    """With and without an alias, and from a fragment."""
    name = kind.capitalize()
    ours = fields_of(gate_schema(), name) if name in gate_schema().type_map else set()
    others = fields_of(dagster_schema, name) - ours
    assert len(others) >= 3
    for field in others:
        for text in (
            f"{kind} {{ {field} }}",
            f"{kind} {{ {field} {{ __typename }} }}",
            f"{kind} {{ runOrError: {field} {{ __typename }} }}",
            f"{kind} {{ ...F }} fragment F on {name} {{ {field} {{ __typename }} }}",
            f"{kind} {{ ... {{ {field} {{ __typename }} }} }}",
        ):
            with pytest.raises(EtterError) as refused:
                read_request(text, {}, None)
            assert refused.value.code is ErrorCode.FORBIDDEN
