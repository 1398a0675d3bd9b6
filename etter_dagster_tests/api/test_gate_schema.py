"""The gate's schema against Dagster's own: a part of it, and every mutation is decided on."""

from __future__ import annotations

from typing import Any

import pytest
from dagster_graphql.schema import create_schema
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    is_specified_scalar_type,
)

from etter_dagster.api.dagster_health import SENSOR
from etter_dagster.api.dagster_upstream import LOCATION, REPOSITORY
from etter_dagster.api.gate_document import gate_schema
from etter_dagster.api.gate_rules import RULES
from etter_dagster.api.gate_visit import KIND_TAG, PARTITION_TAG, RANGE_TAG, SERVING

# Each was looked at and is refused. A new mutation of Dagster is in neither list and fails the
# test below: decide on it, and write it into one of them.
REFUSED = {
    "addDynamicPartition",  # a bare key without a role: PUT /roles makes both
    "deleteAppManagedComponent",
    "deleteConcurrencyLimit",
    "deleteDynamicPartitions",
    "deletePipelineRun",
    "deleteRun",
    "freeConcurrencySlots",
    "freeConcurrencySlotsForRun",
    "launchMultipleRuns",  # launchPartitionBackfill does it
    "launchPipelineExecution",
    "launchPipelineReexecution",
    "launchRunReexecution",  # takes over config and tags of a run unseen
    "logTelemetry",
    "reexecutePartitionBackfill",
    "refreshComponentState",
    "reloadRepositoryLocation",
    "reloadWorkspace",
    "reportAssetCheckEvaluations",
    "reportRunlessAssetEvents",
    "resetSchedule",
    "resetSensor",
    "resumePartitionBackfill",
    "scheduleDryRun",
    "sensorDryRun",
    "setAppManagedComponent",
    "setAutoMaterializePaused",
    "setConcurrencyLimit",
    "setNuxSeen",
    "setSensorCursor",
    "shutdownRepositoryLocation",
    "startSchedule",
    "startSensor",
    "stopRunningSchedule",
    "stopSensor",
    "terminatePipelineExecution",
    "wipeAssets",
}


@pytest.fixture(scope="module")
def dagster_schema() -> GraphQLSchema:
    schema: GraphQLSchema = create_schema().graphql_schema
    return schema


def own_types() -> list[Any]:
    return [
        kind
        for name, kind in gate_schema().type_map.items()
        if not name.startswith("__") and not is_specified_scalar_type(kind)
    ]


def test_each_mutation_of_dagster_is_allowed_by_name_or_refused_by_name(
    dagster_schema: GraphQLSchema,
) -> None:
    """A new Dagster brings new mutations; nobody must be able to use one unseen."""
    assert dagster_schema.mutation_type is not None
    ours = gate_schema().mutation_type
    assert ours is not None
    allowed = set(ours.fields)
    assert not allowed & REFUSED
    assert set(dagster_schema.mutation_type.fields) == allowed | REFUSED


def test_the_gate_knows_no_subscription() -> None:
    assert gate_schema().subscription_type is None


@pytest.mark.parametrize("kind", own_types(), ids=lambda kind: kind.name)
def test_a_type_of_the_gate_is_a_part_of_dagsters(kind: Any, dagster_schema: GraphQLSchema) -> None:
    """Otherwise what the gate lets through would be an error there, or mean something else."""
    theirs: Any = dagster_schema.type_map[kind.name]
    assert isinstance(theirs, type(kind))
    if isinstance(kind, GraphQLEnumType):
        assert set(kind.values) <= set(theirs.values)
    if isinstance(kind, GraphQLUnionType):
        assert {t.name for t in kind.types} <= {t.name for t in theirs.types}
    if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
        assert {i.name for i in kind.interfaces} <= {i.name for i in theirs.interfaces}
        for name, field in kind.fields.items():
            assert str(field.type) == str(theirs.fields[name].type), name
            for argument, value in field.args.items():
                wanted = str(theirs.fields[name].args[argument].type)
                assert str(value.type) in (wanted, f"{wanted}!"), (name, argument)
            required = {a for a, v in theirs.fields[name].args.items() if str(v.type)[-1] == "!"}
            assert required <= set(field.args)
    if isinstance(kind, GraphQLInputObjectType):
        for name, given in kind.fields.items():
            assert str(given.type) == str(theirs.fields[name].type), name
        assert {n for n, f in theirs.fields.items() if str(f.type)[-1] == "!"} <= set(kind.fields)


def test_each_field_that_takes_arguments_or_stands_at_the_top_has_a_rule() -> None:
    """A field without one is refused at run time; this finds it before."""
    found = {
        f"{kind.name}.{name}"
        for kind in own_types()
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if field.args or kind.name in ("Query", "Mutation")
    }
    assert found == set(RULES) - {"__typename"}


def test_every_list_of_partitions_is_asked_by_name() -> None:
    """Left out, Dagster's argument means the partitions of everybody."""
    node = gate_schema().type_map["AssetNode"]
    assert isinstance(node, GraphQLObjectType)
    for name, field in node.fields.items():
        if "partitions" in field.args:
            assert str(field.args["partitions"].type) == "[String!]!", name
    assert not {"partitionKeys", "partitionKeyConnection", "partitionStats"} & set(node.fields)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Run", {"runConfigYaml", "runConfig", "assets", "repositoryOrigin", "eventConnection"}),
        ("PythonError", {"stack", "cause", "causes", "errorChain"}),
        ("ExecutionStepFailureEvent", {"error", "message"}),
        ("MessageEvent", {"message"}),
    ],
)
def test_what_may_hold_anything_cannot_be_asked(kind: str, fields: set[str]) -> None:
    """Texts of exceptions name addresses; run config holds documents."""
    ours: Any = gate_schema().type_map[kind]
    assert not fields & set(ours.fields)


def test_the_gates_names_are_those_of_the_dagster_side() -> None:
    """The layer of REST may not import Dagster, so it has them twice."""
    from dagster._core.storage import tags

    from etter_dagster.definitions import defs
    from etter_dagster.orchestration import run_tags

    assert run_tags.KIND_TAG == KIND_TAG
    assert tags.PARTITION_NAME_TAG == PARTITION_TAG
    assert tags.ASSET_PARTITION_RANGE_START_TAG == RANGE_TAG
    assert defs.get_repository_def().name == REPOSITORY
    assert defs.get_repository_def().has_sensor_def(SENSOR)
    assert (LOCATION, SERVING) == ("etter", "serving")
