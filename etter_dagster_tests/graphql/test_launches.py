"""The gate before a real Dagster: what a key launched is its own to follow and to end."""

from __future__ import annotations

from typing import Any

import pytest

from etter_dagster.client import PlatformClient
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.onboarding.roles import RoleView, define_role
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.graphql.stack import Stack
from etter_dagster_tests.rest import error

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LOOK = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status tags { key value } } } }"
END = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
LOGS = "query($id: ID!) { logsForRun(runId: $id) { __typename } }"
RAW_LAUNCH = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUSES = """{ assetNodeOrError(assetKey: {path: ["company_role"]}) { ... on AssetNode {
  assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions
    failedPartitions unmaterializedPartitions materializingPartitions } } } } }"""


def launched_past_the_gate(stack: Stack, **tags: str) -> str:
    """A run of `onboard_roles` by somebody who reaches Dagster itself."""
    params = {
        "selector": {
            "jobName": "onboard_roles",
            "repositoryName": "__repository__",
            "repositoryLocationName": "etter",
        },
        "runConfigData": {},
        "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
    }
    answer = stack.dagster_data(RAW_LAUNCH, p=params)["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["runId"])


def test_a_launched_run_carries_its_key_and_is_hidden_from_other_keys(shared: Stack) -> None:
    """Also from those of the same company: whoever launched it follows it."""
    role = shared.define("Own run")
    with shared.client("platform") as client:
        run_id = client.materialize_role(role, user="ann")
        run = client.wait_runs([run_id])[run_id]
    assert run.status.value == "SUCCESS"
    assert run.tags["etter/key"] == "platform"
    assert (run.tags["dagster/partition"], run.tags["user"]) == (role, "ann")
    assert shared.ask("everybody", LOOK, id=run_id).json()["data"]["runOrError"]["status"]
    for key in ("colleague", "globex", "reader", "acme-admin"):
        for query in (LOOK, LOGS):
            error(shared.ask(key, query, id=run_id), 403, "FORBIDDEN")
        with shared.client(key) as other:
            assert run_id not in {r.run_id for r in other.runs()}
            assert other.runs(tags={"etter/key": "platform"}, run_ids=[run_id]) == []
    for key in ("colleague", "globex", "admin", "everybody"):
        error(shared.ask(key, END, id=run_id), 403, "FORBIDDEN")


def test_an_unknown_run_looks_like_anothers(shared: Stack) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    first = error(shared.ask("platform", LOOK, id=unknown), 403, "FORBIDDEN")
    other = launched_past_the_gate(shared, **{"etter/key": "other"})
    second = error(shared.ask("platform", LOOK, id=other), 403, "FORBIDDEN")
    assert first["message"].replace(unknown, "") == second["message"].replace(other, "")


@pytest.mark.parametrize("tags", [{}, {"etter/kind": "serving"}])
def test_a_serving_run_is_never_ended_even_under_the_keys_name(
    shared: Stack, tags: dict[str, str]
) -> None:
    """It works on everybody's roles; the sensor launches it, the tag here is forged."""
    run_id = launched_past_the_gate(shared, **{"etter/key": "platform"}, **tags)
    detail = error(shared.ask("platform", END, id=run_id), 403, "FORBIDDEN")
    assert "serving" in detail["message"]


def test_a_run_is_ended_by_the_key_that_launched_it(shared: Stack) -> None:
    role = shared.define("Held in a run")
    with shared.client("platform") as client:
        run_id = client.materialize_role(role)
        held = [RoleStatus.PROCESSING]
        eventually(lambda: [r.state for r in roles(client) if r.role_id == role] == held, "held")
        (ending,) = client.terminate_runs([run_id])
        assert (ending.run_id, ending.problem) == (run_id, None)
        assert client.wait_runs([run_id])[run_id].status.value == "CANCELED"
        assert [r.state for r in roles(client) if r.role_id == role] == [RoleStatus.QUEUED]


def roles(client: PlatformClient) -> tuple[RoleView, ...]:
    return client.roles("Acme", limit=200).roles


def test_the_lists_of_partitions_hold_those_of_the_keys_companies(shared: Stack) -> None:
    """Partition keys begin with the company's name."""
    own, other = shared.define("Listed"), shared.define("Listed", "Globex")
    with shared.client("platform") as acme, shared.client("globex") as globex:
        mine, theirs = acme.materialize_role(own), globex.materialize_role(other)
        acme.wait_runs([mine])
        globex.wait_runs([theirs])

    def seen(key: str) -> set[str]:
        found: dict[str, list[str]] = shared.ask(key, STATUSES).json()["data"]["assetNodeOrError"][
            "assetPartitionStatuses"
        ]
        return {partition for partitions in found.values() for partition in partitions}

    assert {own, other} <= seen("everybody")
    assert own in seen("platform")
    assert {key.split("-")[1] for key in seen("platform")} == {"acme"}
    assert {key.split("-")[1] for key in seen("globex")} == {"globex"}


def test_a_failed_role_fails_its_run_and_shows_as_failed(shared: Stack) -> None:
    """A role that lacks what it needs: defined, but with no document."""

    async def act(services: Any) -> str:
        view = await define_role(services, "Acme", "Bare", draup_role_name="Data Analyst")
        return str(view.role_id)

    role = shared.work(act)
    with shared.client("platform") as client:
        run_id = client.materialize_role(role)
        assert client.wait_runs([run_id])[run_id].status.value == "FAILURE"
        assert client.why_failed(run_id)["failed_roles"] == "1"
        states = {row.asset: row.state.value for row in client.partitions([role])}
    assert states["ai_assessment"] == "failed"


def test_a_backfill_is_its_keys_own(shared: Stack) -> None:
    """Launched right after its roles were defined: Dagster does not have the partitions yet."""
    roles = [shared.define(f"Backfilled {n}") for n in range(3)]
    with shared.client("platform") as client:
        backfill_id = client.launch_backfill(roles, title="quarterly", user="ann")
        found = client.backfill(backfill_id)
        assert (found.status.value, found.partitions, found.title) == ("REQUESTED", 3, "quarterly")
        for key in ("colleague", "globex"):
            with shared.client(key) as other:
                for act in (other.backfill, other.cancel_backfill):
                    with pytest.raises(EtterError) as refused:
                        act(backfill_id)
                    assert refused.value.code is ErrorCode.FORBIDDEN
        assert client.cancel_backfill(backfill_id) == backfill_id
        assert client.backfill(backfill_id).status.value in ("CANCELING", "CANCELED")


def test_a_backfill_runs_to_its_end_and_its_runs_are_the_keys_own(shared: Stack) -> None:
    """Its runs inherit the tag, so that they can be followed and ended like any other."""
    roles = [shared.define(f"Backfilled whole {n}") for n in range(3)]
    with shared.client("platform") as client:
        backfill_id = client.launch_backfill(roles)
        with shared.daemon():
            found = client.wait_backfill(backfill_id, poll_seconds=1)
        assert found.status.value == "COMPLETED_SUCCESS"
        assert {count.materialized for count in found.assets} == {3}
        assert {run.tags["etter/key"] for run in found.runs} == {"platform"}
        assert {run.run_id for run in found.runs} <= {run.run_id for run in client.runs()}
        rows = client.partitions(roles)
        assert len(rows) == 12
        assert {row.state.value for row in rows} == {"materialized"}


def test_who_launched_and_ended_is_in_the_audit_log(shared: Stack) -> None:
    role = shared.define("Audited")
    with shared.client("platform") as client:
        run_id = client.materialize_role(role, user="ann")
        client.terminate_runs([run_id])
    with shared.client("admin") as admin:
        entries = {(e.action, e.target): e for e in admin.audit(limit=200).items}
    launched = entries["launch-run", role]
    assert (launched.actor, launched.created_by, launched.company_id) == ("platform", "ann", "Acme")
    assert entries["terminate-run", run_id].actor == "platform"
