from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import httpx
import pytest

from etter_dagster.api import create_app
from etter_dagster.api.runtime import use_settings
from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.client import AsyncEtterClient, EtterClient
from etter_dagster.client.rest import PREFIX
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Source, WorkflowOptions
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.support import JD, ScriptedAssessor, scripted_services, work_off

DOCUMENT = DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=JD)
NAME = 'R&D / "50%" Müller?'


def client_of(rest: Rest) -> AsyncEtterClient:
    return AsyncEtterClient("http://test", transport=httpx.ASGITransport(rest.app))


async def push(client: AsyncEtterClient, role: str = "Analyst", company: str = "Acme") -> str:
    accepted = await client.push(company, role, documents=[DOCUMENT], draup_role_name="Data")
    return accepted.workflow_id


async def test_a_role_is_pushed_and_read(rest: Rest) -> None:
    """Typed answers all the way, with names that need encoding."""
    async with client_of(rest) as client:
        accepted = await client.push(
            NAME,
            NAME,
            documents=[DOCUMENT],
            draup_role_id="d-1",
            options=WorkflowOptions(force_rerun=True),
            created_by="ann",
            use_mock=True,
        )
        assert accepted.status is WorkflowState.QUEUED
        assert (await client.status(accepted.workflow_id)).position_in_queue == 1
        await rest.work()
        status = await client.wait(accepted.workflow_id)
        assert status.status is WorkflowState.READY
        assert (await client.companies()).companies == (NAME,)
        (role,) = (await client.roles(NAME, state=RoleStatus.READY)).roles
        assert role.ai_automation_score == 40.0
        assert (await client.roles(NAME, state="failed")).total_count == 0
        found = await client.assessment(status.role_id)
        assert found.scores.final_score == 40.0
        assert (await client.assessments(status.role_id)).assessments == (found,)
        (item,) = (await client.history(NAME)).items
        assert (item.source, item.created_by) == (Source.REST, "ann")
        mended = await client.put_role(NAME, NAME, draup_role_name="Other", documents=[DOCUMENT])
        assert mended.draup_role == "Other"
        actions = [entry.action for entry in (await client.audit(company_id=NAME)).items]
        assert actions == ["define-role", "push"]
        assert (await client.health()).components["queue"] == "healthy"


async def test_batches_are_pushed_and_followed(rest: Rest) -> None:
    """JSON and CSV, and the failed ones again."""
    rest.assessor.script = [AssessmentFailed("no")]
    document = DOCUMENT.model_dump(mode="json")
    role = {"role_name": "A", "documents": [document], "draup_role_name": "Data"}
    async with client_of(rest) as client:
        batch = await client.push_batch("Acme", [role, {"role_name": "B"}], created_by="ann")
        assert [item.role_name for item in batch.rejected] == ["B"]
        await rest.work()
        assert (await client.batch_status(batch.batch_id)).state == "failed"
        retried = await client.retry_failed(batch.batch_id, workflow_ids=batch.workflow_ids)
        assert retried.retried_count == 1
        csv = await client.push_csv('company,role,draup_role,jd\nAcme,"Ä, Ö",Data,"# Text"\n')
        assert csv.total_roles == 1
        with pytest.raises(EtterError) as refused:
            await client.push_batch("Acme", [{"role_name": "B"}])
        assert refused.value.code is ErrorCode.VALIDATION_ERROR
        assert refused.value.http_status == 400
        assert len(refused.value.detail["rejected"]) == 1


async def test_many_pushes_are_listed_retried_and_cancelled(rest: Rest) -> None:
    """The filters of REST, with plain texts or the enums."""
    async with client_of(rest) as client:
        rest.assessor.script = [AssessmentFailed("no")]
        failed = await push(client, "A")
        await rest.work()
        assert (await client.retry(failed)).status is WorkflowState.QUEUED
        await push(client, "B")
        page = await client.pushes(state=[WorkflowState.QUEUED, "failed"], source="rest", limit=2)
        assert page.total_count == 3
        assert page.next_cursor
        rest_of_it = await client.pushes(
            state=["queued", "failed"], source=Source.REST, cursor=page.next_cursor
        )
        assert [item.workflow_id for item in rest_of_it.items] == [failed]
        assert (await client.retry_pushes(state="failed", dry_run=True)).matched == 1
        begun = await client.cancel_pushes(company="Acme", state="queued", since="1h")
        assert begun.operation_id
        while (view := await client.operation(begun.operation_id)).state == "running":
            pass
        assert view.done == 2
        assert (await client.abort(begun.operation_id)).state == "completed"
        last = await push(client, "C")
        assert (await client.cancel(last)).status is WorkflowState.CANCELLED


async def test_a_refusal_is_the_error_that_the_service_raised(rest: Rest) -> None:
    """Code, message, fields, and what else the body has."""
    async with client_of(rest) as client:
        with pytest.raises(EtterError) as refused:
            await client.push("Acme", " ")
        assert refused.value.code is ErrorCode.VALIDATION_ERROR
        assert refused.value.fields[0].field == "role_name"
        assert refused.value.recoverable is False
        workflow_id = await push(client)
        with pytest.raises(EtterError) as active:
            await push(client)
        assert active.value.code is ErrorCode.ALREADY_PROCESSING
        assert active.value.detail == {"workflow_id": workflow_id}
        with pytest.raises(EtterError) as unknown:
            await client.status("a/b?c")
        assert unknown.value.code is ErrorCode.NOT_FOUND
        with pytest.raises(EtterError) as unknown:
            await client.wait("role-onboard-0123456789ab")
        assert unknown.value.code is ErrorCode.NOT_FOUND


async def test_an_idempotency_key_is_sent(rest: Rest) -> None:
    """The second call gets the first answer."""
    async with client_of(rest) as client:
        answers = [
            await client.push(
                "Acme", "A", documents=[DOCUMENT], draup_role_id="d", idempotency_key="k"
            )
            for _ in range(2)
        ]
        assert answers[0] == answers[1]


def test_the_synchronous_client_does_the_same_over_a_real_connection(tmp_path: Path) -> None:
    """Another process's view: the work is done by services of their own over the same files."""
    settings = Settings(data_dir=tmp_path, enable_mock_data=False, retry_backoff_seconds=0)
    app = create_app(settings)
    runtime = use_settings(app, settings, lambda given: scripted_services(given))

    async def work() -> None:
        services = scripted_services(settings, ScriptedAssessor())
        await work_off(services)
        await services.close()

    with serving(app) as url, EtterClient(url) as client:
        accepted = client.push(NAME, NAME, documents=[DOCUMENT], draup_role_name="Data")
        states = client.watch(accepted.workflow_id)
        assert next(states).status is WorkflowState.QUEUED
        asyncio.run(work())
        assert [view.status for view in states][-1] is WorkflowState.READY
        assert client.wait(accepted.workflow_id).status is WorkflowState.READY
        assert client.roles(NAME).roles[0].job_title == NAME
        assert client.health().status == "degraded"
        with pytest.raises(EtterError, match="not known"):
            client.status("nothing")
    assert runtime.settings is settings


def test_both_clients_have_a_method_for_every_route() -> None:
    """A new route without one is forgotten otherwise; `/metrics` is for Prometheus alone."""
    routes = sum(
        len(methods)
        for path, methods in create_app().openapi()["paths"].items()
        if path.startswith(PREFIX)
    )
    own = {"send", "close", "watch", "wait"}
    for kind in (EtterClient, AsyncEtterClient):
        names = {
            name
            for name, _ in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        } - own
        # `push_csv` and `assessments` are second readings of a route; `watch` is one of its own.
        assert len(names) - 2 + 1 == routes, sorted(names)


def test_methods_show_the_parameters_of_their_route() -> None:
    """`help(client.push)` is the documentation that people open."""
    client = EtterClient()
    assert list(inspect.signature(client.push).parameters)[:2] == ["company_id", "role_name"]
    assert "Queues a role" in (client.push.__doc__ or "")
    client.close()
