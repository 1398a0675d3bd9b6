"""Pushes by GraphQL: the same records as by REST, under ids that the caller knew before."""

from __future__ import annotations

from typing import Any

import pytest

from etter_dagster.client.platform_views import PushRequest
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.identity import derived_workflow_id, role_id
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster_tests.graphql.stack import Stack
from etter_dagster_tests.support import JD

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
JOB_DESCRIPTION = DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=JD)


def request(role_name: str, **changes: Any) -> PushRequest:
    return PushRequest(
        company_id="Acme",
        role_name=role_name,
        documents=(JOB_DESCRIPTION,),
        draup_role_name="Data Analyst",
        **changes,
    )


def what_counts(value: Any, own: tuple[str, ...]) -> Any:
    """A record without what differs between two pushes of the same inputs."""
    if isinstance(value, dict):
        changing = {"assessment_id", "run_id", "inputs_hash", "position_in_queue", "source"}
        return {
            key: what_counts(item, own)
            for key, item in value.items()
            if key not in changing and not key.endswith(("_at", "_ms", "_seconds"))
        }
    if isinstance(value, list):
        return [what_counts(item, own) for item in value]
    if isinstance(value, str):
        for name in own:
            value = value.replace(name, "…")
    return value


def test_a_push_by_graphql_ends_in_the_same_records_as_one_by_rest(shared: Stack) -> None:
    """Status, role, assessment and history; only ids, times and the source differ."""
    with shared.client("platform") as client:
        by_rest = client.push(
            "Acme",
            "Same by rest",
            documents=[JOB_DESCRIPTION],
            draup_role_name="Data Analyst",
            created_by="ann",
        ).workflow_id
        launched = client.push_roles(
            [request("Same by gql", created_by="ann")], idempotency_key="same-records"
        )
        (by_graphql,) = launched.workflow_ids
        assert client.wait_runs([launched.run_id])[launched.run_id].status.value == "SUCCESS"
        shared.work_off()
        records = []
        for workflow_id, name in ((by_rest, "Same by rest"), (by_graphql, "Same by gql")):
            role = role_id("Acme", name)
            own = (workflow_id, role, role.replace("-", "%2D"), name)
            (row,) = [r for r in client.roles("Acme", limit=200).roles if r.role_id == role]
            (item,) = [i for i in client.history("Acme", limit=200).items if i.role_id == role]
            status = client.status(workflow_id)
            found = [status, row, client.assessment(role), item]
            records.append([what_counts(view.model_dump(mode="json"), own) for view in found])
            assert status.status is WorkflowState.READY
        assert records[0] == records[1]
        (item,) = [
            i for i in client.history("Acme", limit=200).items if i.workflow_id == by_graphql
        ]
        assert item.source.value == "graphql"


def test_every_push_has_its_record_under_the_id_that_follows_from_key_and_index(
    shared: Stack,
) -> None:
    """A refused one and one that is ready already too: the caller has no other answer."""
    with shared.client("platform") as client:
        client.push_roles([request("Is ready")], idempotency_key="first")
        run = client.push_roles([request("Is ready")], idempotency_key="first")
        client.wait_runs([run.run_id])
        shared.work_off()
        launched = client.push_roles(
            [
                request("Is ready"),
                {"company_id": "Acme", "role_name": "Has nothing"},
                {"company_id": "Acme", "role_name": 7},
                # Dagster's own way to put a variable of the environment into a run's config.
                {"company_id": "Acme", "role_name": {"env": "DAGSTER_HOME"}},
                request("Is new"),
            ],
            idempotency_key="mixed",
        )
        assert launched.workflow_ids == tuple(
            derived_workflow_id("platform", "mixed", str(index)) for index in range(5)
        )
        client.wait_runs([launched.run_id])
        ready, nothing, broken, env, new = [client.status(id_) for id_ in launched.workflow_ids]
        assert ready.status is WorkflowState.READY
        for refused in (nothing, broken, env):
            assert refused.status is WorkflowState.FAILED
            assert refused.error is not None
            assert refused.error.code == "VALIDATION_ERROR"
            assert "stack" not in refused.model_dump_json()  # a part of that variable's value
        assert new.status is WorkflowState.QUEUED
        assert client.assessment(role_id("Acme", "Is ready")).scores.final_score > 0


def test_a_key_used_for_other_pushes_fails_the_run_and_says_so(shared: Stack) -> None:
    """Nothing is queued, and the ids' records are those of the first pushes."""
    with shared.client("platform") as client:
        first = client.push_roles([request("Conflict A")], idempotency_key="conflict")
        client.wait_runs([first.run_id])
        second = client.push_roles([request("Conflict B")], idempotency_key="conflict")
        assert second.workflow_ids == first.workflow_ids
        assert client.wait_runs([second.run_id])[second.run_id].status.value == "FAILURE"
        assert client.why_failed(second.run_id)["error"] == "IDEMPOTENCY_CONFLICT"
        assert client.status(first.workflow_ids[0]).role_name == "Conflict A"


def test_two_keys_do_not_share_an_idempotency_key(shared: Stack) -> None:
    with shared.client("platform") as one, shared.client("colleague") as two:
        ids = [
            client.push_roles([request(f"Twice {n}")], idempotency_key="shared-key").workflow_ids
            for n, client in enumerate((one, two))
        ]
    assert ids[0] != ids[1]
