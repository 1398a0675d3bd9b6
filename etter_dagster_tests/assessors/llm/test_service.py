"""The LLM assessor as the service uses it: configured by settings, over HTTP, through the queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from etter_dagster.cli.doctor_services import check_services
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.roles import assessment_view
from etter_dagster.onboarding.services import open_services
from etter_dagster.onboarding.status import status_of
from etter_dagster.settings import Settings
from etter_dagster_tests.assessors.llm.conftest import TASKS, jd
from etter_dagster_tests.standin.llm_api import LlmState, Reply, honest_label, llm_app
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.support import order, work_off

SECRET = "sk-right"


@pytest.fixture
def served(llm_settings: Settings) -> Iterator[tuple[LlmState, Settings]]:
    """The stand-in on a port, and settings that name it."""
    state = LlmState(key=SECRET)
    with serving(llm_app(state)) as url:
        yield state, llm_settings.with_changes(llm_base_url=f"{url}/v1")


def pushed(**more: Any) -> PushOrder:
    document = DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=jd())
    return order("Clerk", documents=(document,), **more)


async def test_a_push_is_assessed_by_the_llm(served: tuple[LlmState, Settings]) -> None:
    """With its cost; a transient failure is tried again by the one layer that retries."""
    state, settings = served
    state.script = [Reply(status=503), Reply(body=b"busy")]
    services = open_services(settings)
    accepted = await accept(services, pushed())
    await work_off(services)
    assert (await status_of(services, accepted.workflow_id)).status is WorkflowState.READY
    found = await assessment_view(services, accepted.role_id)
    assert (found.assessor.name, found.assessor.model) == ("llm", "tiny-1")
    assert [task.exposure for task in found.tasks] == [honest_label(task) for task in TASKS]
    # The answer that could not be read was paid for as well; the budget says the same.
    assert found.cost == (await services.ledger.spending()).cost == 4.0
    assert not found.stale
    assert len(state.calls) == 3
    again = await accept(services, pushed())
    assert again.status is WorkflowState.READY
    assert len(state.calls) == 3
    await services.close()


async def test_a_mock_push_asks_no_llm(served: tuple[LlmState, Settings]) -> None:
    state, settings = served
    services = open_services(settings)
    accepted = await accept(services, pushed(use_mock=True))
    await work_off(services)
    assert (await assessment_view(services, accepted.role_id)).assessor.name == "exposure"
    assert state.calls == []
    await services.close()


def test_the_doctor_says_that_it_answers_and_no_secret(served: tuple[LlmState, Settings]) -> None:
    _, settings = served
    checks = {check.name: check for check in check_services(settings, None, None)}
    assert checks["ETTER_LLM_BASE_URL"].state == "ok"
    assert checks["assessor"].found.startswith("llm tiny-1")
    assert SECRET not in str(checks)
    gone = settings.with_changes(llm_base_url="http://127.0.0.1:9/v1")
    checks = {check.name: check for check in check_services(gone, None, None)}
    assert checks["ETTER_LLM_BASE_URL"].state == "unreachable"


async def test_half_a_configuration_is_refused_naming_what_lacks(settings: Settings) -> None:
    with pytest.raises(ValueError, match="ETTER_LLM_MODEL"):
        open_services(settings.with_changes(assessor="llm", llm_base_url="http://127.0.0.1:9/v1"))
