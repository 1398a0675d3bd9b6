"""The gate's refusals. Dagster is off here, so 503 means: the gate let it through to Dagster."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from etter_dagster.model.identity import role_id
from etter_dagster.onboarding.roles import define_role
from etter_dagster.settings import Settings
from etter_dagster_tests.keys import add_key, bearer, secret_of
from etter_dagster_tests.rest import Rest, error

OWN, OTHER = role_id("Acme", "Analyst"), role_id("Globex", "Analyst")
RUN = "6a2b7f0e-0000-4000-8000-000000000000"
LAUNCH = "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename } }"
BACKFILL = (
    "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) "
    "{ __typename } }"
)


def onboard(*tags: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """Variables of a launch of one role, some of them changed."""
    return {
        "p": {
            "selector": {
                "jobName": "onboard_roles",
                "repositoryName": "__repository__",
                "repositoryLocationName": "etter",
                **changes.pop("selector", {}),
            },
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags]},
            **changes,
        }
    }


def hand_in(*pushes: Any, key: Any = "k", **more: Any) -> dict[str, Any]:
    """Variables of a launch of pushes."""
    config = {"pushes": list(pushes), "idempotency_key": key, **more}
    return onboard(
        selector={"jobName": "push_roles"},
        runConfigData={"ops": {"queue_pushes": {"config": config}}},
    )


def backfill(*names: str, **more: Any) -> dict[str, Any]:
    return {"p": {"partitionNames": list(names), **more}}


def part(role: str = OWN) -> tuple[str, str]:
    return ("dagster/partition", role)


@dataclass
class Gate:
    """The gate as a key of one company sees it."""

    rest: Rest

    def as_key(self, key_id: str) -> Gate:
        """The same, asked with this key."""
        self.rest.http.headers.update(bearer(secret_of(key_id)))
        return self

    async def ask(self, query: str, variables: Any = None, **more: Any) -> httpx.Response:
        body = {"query": query, "variables": variables, **more}
        return await self.rest.http.post("http://test/graphql", json=body)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    keys = tmp_path / "keys.json"
    add_key(keys, "key-1", "Acme", scope="push")
    add_key(keys, "reader", "Acme", scope="read")
    add_key(keys, "all", scope="push")
    return settings.with_changes(api_keys_file=keys)


@pytest.fixture
async def gate(rest: Rest) -> Gate:
    services = await rest.services()
    for company in ("Acme", "Globex"):
        await define_role(services, company, "Analyst", draup_role_name="Data Analyst")
    return Gate(rest).as_key("key-1")


LET_THROUGH: dict[str, tuple[str, Any]] = {
    "one role": (LAUNCH, onboard(part())),
    "one role, by literals": (
        'mutation { launchRun(executionParams: {selector: {jobName: "onboard_roles", '
        'repositoryName: "__repository__", repositoryLocationName: "etter"}, '
        f'executionMetadata: {{tags: [{{key: "dagster/partition", value: "{OWN}"}}]}}}}) '
        "{ ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }",
        None,
    ),
    "forced, tagged": (
        LAUNCH,
        onboard(
            part(),
            ("user", "ann"),
            mode="default",
            runConfigData={"ops": {"onboard": {"config": {"force_rerun": True}}}},
        ),
    ),
    "pushes": (LAUNCH, hand_in({"company_id": "Acme", "role_name": "New"}, {"company_id": "Acme"})),
    "backfill": (BACKFILL, backfill(OWN, title="nightly")),
    "terminate": (f'mutation {{ terminateRun(runId: "{RUN}") {{ __typename }} }}', None),
    "run": (f'{{ runOrError(runId: "{RUN}") {{ ... on Run {{ status }} }} }}', None),
    "runs by alias": (
        f'{{ a: runOrError(runId: "{RUN}") {{ __typename }} b: runsOrError {{ ...R }} }} '
        "fragment R on Runs { results { runId status tags { key value } } }",
        None,
    ),
    "cancel": ('mutation { cancelPartitionBackfill(backfillId: "x") { __typename } }', None),
    "partitions": (
        "query($k: [AssetKeyInput!]!, $p: [String!]!) { assetNodes(assetKeys: $k) { "
        "assetPartitionStatuses { ... on DefaultPartitionStatuses { failedPartitions } } "
        "latestMaterializationByPartition(partitions: $p) { partition timestamp } } }",
        {"k": [{"path": ["ai_assessment"]}], "p": [OWN]},
    ),
}


@pytest.mark.parametrize(("query", "variables"), LET_THROUGH.values(), ids=LET_THROUGH)
async def test_what_the_contract_lists_is_let_through(
    gate: Gate, query: str, variables: Any
) -> None:
    """And Dagster, which is off, is an outage that names no address."""
    answer = await gate.ask(query, variables)
    detail = error(answer, 503, "STORE_UNAVAILABLE")
    assert detail["recoverable"]
    assert answer.headers["Retry-After"]
    assert "127.0.0.1" not in answer.text


PARTITIONS = (
    'query($p: [String!]!) { assetNodeOrError(assetKey: {path: ["ai_assessment"]}) { ... on '
    "AssetNode { latestMaterializationByPartition(partitions: $p) { timestamp } } } }"
)
FORCE = {"config": {"force_rerun": True}}
REFUSED: dict[str, tuple[str, Any]] = {
    # whose
    "another's role": (LAUNCH, onboard(part(OTHER))),
    "a bare key": (LAUNCH, onboard(part("cr-acme-nobody-000000000000"))),
    "another's role in a backfill": (BACKFILL, backfill(OWN, OTHER)),
    "another's push": (LAUNCH, hand_in({"company_id": "Acme"}, {"company_id": "Globex"})),
    "a push of nobody": (LAUNCH, hand_in({"role_name": "New"})),
    "a push of a list": (LAUNCH, hand_in({"company_id": ["Acme"]})),
    "another's key id": (LAUNCH, hand_in({"company_id": "Acme"}, api_key_id="key-2")),
    "another's partition": (PARTITIONS, {"p": [OWN, OTHER]}),
    # serving runs and ranges
    "a serving run": (LAUNCH, onboard()),
    "a range": (
        LAUNCH,
        onboard(
            ("dagster/asset_partition_range_start", OWN), ("dagster/asset_partition_range_end", OWN)
        ),
    ),
    "a role and a range": (LAUNCH, onboard(part(), ("dagster/asset_partition_range_end", OTHER))),
    "two partitions": (LAUNCH, onboard(part(), part(OTHER))),
    "every partition": (BACKFILL, {"p": {"allPartitions": True}}),
    "no partition": (BACKFILL, backfill()),
    "partitions by asset": (BACKFILL, {"p": {"partitionsByAssets": []}}),
    # what a launch may steer
    "another job": (LAUNCH, onboard(part(), selector={"jobName": "__ASSET_JOB"})),
    "a job by its old name": (LAUNCH, onboard(part(), selector={"pipelineName": "onboard_roles"})),
    "no job": (LAUNCH, onboard(part(), selector={"jobName": None})),
    "another location": (LAUNCH, onboard(part(), selector={"repositoryLocationName": "x"})),
    "a selection": (LAUNCH, onboard(part(), selector={"assetSelection": []})),
    "ops": (LAUNCH, onboard(part(), selector={"solidSelection": ["*"]})),
    "steps": (LAUNCH, onboard(part(), stepKeys=["onboard"])),
    "a preset": (LAUNCH, onboard(part(), preset="x")),
    "a parent run": (LAUNCH, onboard(executionMetadata={"parentRunId": RUN})),
    "a pod": (LAUNCH, onboard(part(), ("dagster-k8s/config", "{}"))),
    "priority": (LAUNCH, onboard(part(), ("dagster/priority", "99"))),
    "a forged key": (LAUNCH, onboard(part(), ("etter/key", "key-2"))),
    "a forged kind": (LAUNCH, onboard(part(), ("etter/kind", "serving"))),
    "too many tags": (LAUNCH, onboard(part(), *((f"t{n}", "x") for n in range(21)))),
    "config as text": (LAUNCH, onboard(part(), runConfigData="ops: {}")),
    "loggers": (LAUNCH, onboard(part(), runConfigData={"loggers": {}})),
    "resources": (LAUNCH, onboard(part(), runConfigData={"ops": {}, "resources": {}})),
    "more config": (
        LAUNCH,
        onboard(part(), runConfigData={"ops": {"onboard": {"config": {"force": 1}}}}),
    ),
    "another op": (LAUNCH, onboard(part(), runConfigData={"ops": {"onboard": FORCE, "x": {}}})),
    "no truth value": (
        LAUNCH,
        onboard(part(), runConfigData={"ops": {"onboard": {"config": {"force_rerun": "yes"}}}}),
    ),
    "another mode": (LAUNCH, onboard(part(), mode="x")),
    "pushes without a key": (LAUNCH, hand_in({"company_id": "Acme"}, key=None)),
    "pushes without end": (LAUNCH, hand_in({"company_id": "Acme"}, key="x" * 256)),
    "pushes by map": (
        LAUNCH,
        onboard(
            selector={"jobName": "push_roles"},
            runConfigData={"ops": {"queue_pushes": {"config": {"pushes": {}}}}},
        ),
    ),
    "a part of the assets": (BACKFILL, backfill(OWN, assetSelection=[{"path": ["company_role"]}])),
    "another asset": (BACKFILL, backfill(OWN, assetSelection=[{"path": ["x"]}])),
    "a backfill by job": (BACKFILL, backfill(OWN, selector={})),
    "a backfill from failure": (BACKFILL, backfill(OWN, fromFailure=True)),
    "a hard end": (
        f'mutation {{ terminateRun(runId: "{RUN}", terminatePolicy: '
        "MARK_AS_CANCELED_IMMEDIATELY) { __typename } }",
        None,
    ),
    "no run": ("mutation { terminateRuns(runIds: []) { __typename } }", None),
    # what may be looked at
    "config of a run": (
        f'{{ runOrError(runId: "{RUN}") {{ ... on Run {{ runConfigYaml }} }} }}',
        None,
    ),
    "a stack": (f'{{ runOrError(runId: "{RUN}") {{ ... on PythonError {{ stack }} }} }}', None),
    "any error": (f'{{ runOrError(runId: "{RUN}") {{ ... on Error {{ message }} }} }}', None),
    "all partitions": (
        '{ assetNodeOrError(assetKey: {path: ["company_role"]}) { ... on AssetNode '
        "{ partitionKeys } } }",
        None,
    ),
    "materializations of all": (
        '{ assetNodeOrError(assetKey: {path: ["company_role"]}) { ... on AssetNode '
        "{ latestMaterializationByPartition { partition } } } }",
        None,
    ),
    "partitions of null": (PARTITIONS, {"p": None}),
    "the plan": (
        '{ assetNodeOrError(assetKey: {path: ["reassessment_plan"]}) { __typename } }',
        None,
    ),
    "runs by a steering tag": (
        '{ runsOrError(filter: {tags: [{key: "etter/kind", value: "serving"}]}) { __typename } }',
        None,
    ),
    "too many runs": ("{ runsOrError(limit: 100000) { __typename } }", None),
    "the instance": ("{ instance { daemonHealth { id } } }", None),
    "the workspace": ("{ workspaceOrError { __typename } }", None),
    "the schema": ("{ __schema { types { name } } }", None),
    "a type": ('{ __type(name: "Run") { name } }', None),
    # how it is asked
    "two operations": ("query A { __typename } mutation B { __typename }", None),
    "two launches": (
        f'mutation {{ a: terminateRun(runId: "{RUN}") {{ __typename }} '
        f'b: terminateRun(runId: "{RUN}") {{ __typename }} }}',
        None,
    ),
    "a mutation in a fragment": (
        "mutation { ...F } fragment F on Mutation { reloadWorkspace { __typename } }",
        None,
    ),
    "an alias as a mask": ("mutation { terminateRun: reloadWorkspace { __typename } }", None),
    "an alias below": (f'{{ runOrError(runId: "{RUN}") {{ ... on Run {{ a: status }} }} }}', None),
    "a false type name": ("{ __typename: runsOrError { __typename } }", None),
    "a directive": (
        f'{{ runOrError(runId: "{RUN}") {{ ... on Run {{ status @include(if: true) }} }} }}',
        None,
    ),
    "a subscription": ('subscription { pipelineRunLogs(runId: "x") { __typename } }', None),
    "too many at once": (
        "{" + " ".join(f"a{n}: runsOrError {{ __typename }}" for n in range(21)) + "}",
        None,
    ),
    "too long": ("{" + " ".join(f"a{n}: __typename" for n in range(2000)) + "}", None),
    "too deep": ("{a" * 700 + "}" * 700, None),
    "a circle": (
        f'{{ runOrError(runId: "{RUN}") {{ ...A }} }} fragment A on Run {{ ...B }} '
        "fragment B on Run { ...A }",
        None,
    ),
    "an undefined variable": ("{ runOrError(runId: $x) { __typename } }", None),
    "a type definition": ("type Query { x: Int } { __typename }", None),
}


@pytest.mark.parametrize(("query", "variables"), REFUSED.values(), ids=REFUSED)
async def test_anything_else_is_refused(gate: Gate, query: str, variables: Any) -> None:
    """Before Dagster hears of it: it would be a 503 here."""
    error(await gate.ask(query, variables), 403, "FORBIDDEN")


async def test_the_operation_name_must_be_that_of_the_operation(gate: Gate) -> None:
    """Dagster would run another one, or none."""
    answer = await gate.ask("query A { __typename }", operationName="B")
    error(answer, 403, "FORBIDDEN")


async def test_a_body_without_a_query_is_told_of_its_field(gate: Gate) -> None:
    """Not of the names that the code has for it."""
    answer = await gate.rest.http.post("http://test/graphql", json={})
    error(answer, 422, "VALIDATION_ERROR")
    assert [field["field"] for field in answer.json()["detail"]["fields"]] == ["query"]


async def test_a_batch_of_requests_is_refused(gate: Gate) -> None:
    body = [{"query": "{ __typename }"}]
    answer = await gate.rest.http.post("http://test/graphql", json=body)
    error(answer, 403, "FORBIDDEN")


@pytest.mark.parametrize("query", ["", "{", "this is no GraphQL", "{ a(b: }"])
async def test_what_is_no_graphql_breaks_the_schema(gate: Gate, query: str) -> None:
    error(await gate.ask(query), 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("body", [{}, {"query": 1}, {"query": "{a}", "variables": []}, "x"])
async def test_a_body_that_is_no_request_breaks_the_schema(gate: Gate, body: Any) -> None:
    answer = await gate.rest.http.post("http://test/graphql", json=body)
    error(answer, 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("value", ["\\ud800", "NaN"])
async def test_values_that_dagster_could_not_read_are_said_to_be_wrong(
    gate: Gate, value: str
) -> None:
    """Python's JSON reads them; they must not look like an outage, which one tries again."""
    variables = hand_in({"company_id": "Acme", "role_name": "VALUE"})
    body = json.dumps({"query": LAUNCH, "variables": variables})
    text = f'"{value}"' if value[0] == "\\" else value
    answer = await gate.rest.http.post(
        "http://test/graphql",
        content=body.replace('"VALUE"', text),
        headers={"Content-Type": "application/json"},
    )
    error(answer, 400, "VALIDATION_ERROR")


async def test_variables_without_end_are_refused(gate: Gate) -> None:
    """Reading and writing them would run out of stack."""
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    variables = hand_in({"company_id": "Acme", "role_name": deep})
    error(await gate.ask(LAUNCH, variables), 403, "FORBIDDEN")


async def test_only_a_post_of_json_is_taken(gate: Gate) -> None:
    """Dagster itself takes a query in the URL, and any type of body with one."""
    http = gate.rest.http
    error(await http.get("http://test/graphql?query={version}"), 405, "METHOD_NOT_ALLOWED")
    error(
        await http.post("http://test/graphql?query={version}", json={"query": "{ __typename }"}),
        422,
        "VALIDATION_ERROR",
    )
    error(
        await http.post(
            "http://test/graphql",
            content="{version}",
            headers={"Content-Type": "application/graphql"},
        ),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )


@pytest.mark.parametrize("name", ["one role", "pushes", "backfill", "terminate", "cancel"])
async def test_a_key_that_only_reads_changes_nothing(gate: Gate, name: str) -> None:
    gate.as_key("reader")
    error(await gate.ask(*LET_THROUGH[name]), 403, "FORBIDDEN")
    error(await gate.ask(*LET_THROUGH["run"]), 503, "STORE_UNAVAILABLE")


async def test_without_a_key_nobody_gets_to_the_gate(gate: Gate) -> None:
    gate.rest.http.headers.pop("Authorization")
    error(await gate.ask("{ __typename }"), 401, "UNAUTHORIZED")


async def test_a_key_of_all_companies_is_bound_to_roles_that_exist(gate: Gate) -> None:
    """A bare partition key has no role behind it; nobody may launch one."""
    gate.as_key("all")
    error(await gate.ask(*REFUSED["a bare key"]), 403, "FORBIDDEN")
    error(await gate.ask(*REFUSED["a serving run"]), 403, "FORBIDDEN")
    error(await gate.ask(*REFUSED["a push of nobody"]), 503, "STORE_UNAVAILABLE")
