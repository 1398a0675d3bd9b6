"""`PlatformClient`: what the other tests here do not use of it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from etter_dagster.client import AsyncPlatformClient, PlatformClient
from etter_dagster.client.platform_views import BackfillStatus, RunStatus
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster_tests.graphql.stack import Stack
from etter_dagster_tests.keys import secret_of
from etter_dagster_tests.support import JD


def run_of(status: str, run_id: str = "r1") -> dict[str, Any]:
    times = {"creationTime": 1.0, "startTime": 2.0, "endTime": None}
    return {"runId": run_id, "jobName": "onboard_roles", "status": status, "tags": [], **times}


def answering(answers: Sequence[Any]) -> httpx.MockTransport:
    """A service that gives these answers in turn, the last one again and again."""
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, int):
            detail = {"error": "STORE_UNAVAILABLE", "message": "no", "recoverable": True}
            return httpx.Response(found, json={"detail": detail})
        return httpx.Response(200, json=found)

    return httpx.MockTransport(answer)


def page(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"runsOrError": {"__typename": "Runs", "results": list(runs)}}}


def test_runs_are_followed_to_their_end_over_an_outage() -> None:
    """A look that fails for a moment is made again; the pause is an argument, so no test waits."""
    pauses: list[float] = []
    answers = [page(run_of("QUEUED")), 503, page(run_of("STARTED")), page(run_of("SUCCESS"))]
    client = PlatformClient(transport=answering(answers), sleep=pauses.append)
    seen = [run.status for run in client.watch_runs(["r1"], poll_seconds=7)]
    assert seen == [RunStatus.QUEUED, RunStatus.STARTED, RunStatus.SUCCESS]
    assert pauses == [7, 7, 7]


async def test_runs_are_followed_with_asyncio_too() -> None:
    async def pause(_: float) -> None: ...

    answers = [page(run_of("STARTED")), page(run_of("FAILURE"))]
    async with AsyncPlatformClient(transport=answering(answers), sleep=pause) as client:
        found = await client.wait_runs(["r1"])
    assert found["r1"].status is RunStatus.FAILURE


def test_following_gives_up_when_the_outage_lasts() -> None:
    client = PlatformClient(transport=answering([503]), sleep=lambda _: None)
    with pytest.raises(EtterError) as gave_up:
        client.wait_runs(["r1"])
    assert gave_up.value.code is ErrorCode.STORE_UNAVAILABLE


def test_following_a_run_that_is_unknown_ends_at_once() -> None:
    """It was asked for without end: what is unknown never ends."""
    answers = [page(run_of("STARTED"), run_of("STARTED", "r2")), page(run_of("STARTED"))]
    client = PlatformClient(transport=answering(answers), sleep=lambda _: None)
    with pytest.raises(EtterError, match="r2") as unknown:
        client.wait_runs(["r1", "r2"])
    assert unknown.value.code is ErrorCode.NOT_FOUND


def backfill_of(status: str) -> dict[str, Any]:
    found = {"id": "b1", "status": status, "title": None, "numPartitions": 1, "timestamp": 1.0}
    more: dict[str, Any] = {"endTimestamp": None, "runs": [], "assetBackfillData": None}
    name = {"__typename": "PartitionBackfill"}
    return {"data": {"partitionBackfillOrError": {**name, **found, **more}}}


async def test_a_backfill_is_followed_to_its_end_over_an_outage() -> None:
    """As runs are; the first 503 in hours of waiting ended it."""
    answers = [backfill_of("REQUESTED"), 503, 503, backfill_of("COMPLETED_SUCCESS")]
    client = PlatformClient(transport=answering(answers), sleep=lambda _: None)
    assert client.wait_backfill("b1").status is BackfillStatus.COMPLETED_SUCCESS

    async def pause(_: float) -> None: ...

    async with AsyncPlatformClient(transport=answering(answers), sleep=pause) as other:
        assert (await other.wait_backfill("b1")).status is BackfillStatus.COMPLETED_SUCCESS
    gone = PlatformClient(transport=answering([503]), sleep=lambda _: None)
    with pytest.raises(EtterError) as gave_up:
        gone.wait_backfill("b1")
    assert gave_up.value.code is ErrorCode.STORE_UNAVAILABLE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"__typename": "PythonError", "className": "X"}, ErrorCode.INTERNAL_ERROR),
        (
            {"__typename": "RunConfigValidationInvalid", "errors": [{"message": "m", "path": []}]},
            ErrorCode.VALIDATION_ERROR,
        ),
    ],
)
def test_what_dagster_refuses_is_an_error(data: dict[str, Any], code: ErrorCode) -> None:
    client = PlatformClient(transport=answering([{"data": {"launchRun": data}}]))
    with pytest.raises(EtterError) as refused:
        client.materialize_role("cr-a-b-000000000000")
    assert refused.value.code is code


def test_an_answer_with_errors_is_an_error() -> None:
    broken = {"data": {"runsOrError": None}, "errors": [{"message": "trace id 1"}]}
    with pytest.raises(EtterError, match="trace id 1"):
        PlatformClient(transport=answering([broken])).runs()


def test_the_states_are_dagsters_own() -> None:
    """One that the client does not know could not be read."""
    from dagster import DagsterRunStatus
    from dagster._core.execution.backfill import BulkActionStatus

    assert {status.value for status in RunStatus} == {status.value for status in DagsterRunStatus}
    assert {s.value for s in BackfillStatus} == {status.value for status in BulkActionStatus}


def test_both_clients_have_the_same_methods() -> None:
    """Documented alike; only `await` differs."""
    for name, method in vars(PlatformClient).items():
        if name.startswith("_") or not callable(method):
            continue
        other = vars(AsyncPlatformClient)[name]
        given = [str(p) for p in inspect.signature(method).parameters.values()]
        assert given == [str(p) for p in inspect.signature(other).parameters.values()], name


def test_the_client_imports_no_dagster() -> None:
    """The platform installs none."""
    code = "import sys, etter_dagster.client; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_role_is_registered_worked_on_and_looked_at_with_asyncio(shared: Stack) -> None:
    """All the way: REST makes the role and its partition follows, Dagster works on it."""
    document = DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=JD)
    async with AsyncPlatformClient(
        shared.url, api_key=secret_of("platform"), timeout=120
    ) as client:
        role = await client.register_role(
            "Acme", "By asyncio", draup_role_name="Data Analyst", documents=[document]
        )
        run_id = await client.materialize_role(role.role_id)
        runs = await client.wait_runs([run_id])
        assert runs[run_id].status is RunStatus.SUCCESS
        rows = await client.partitions([role.role_id], assets=["ai_assessment"])
        assert [(row.state.value, row.run_id) for row in rows] == [("materialized", run_id)]
        assert (await client.assessment(role.role_id)).run_id == run_id
