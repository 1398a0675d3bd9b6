"""The LLM assessor over its stand-in, behind the real guard and a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import httpx
import pytest

from etter_dagster.assessors.guard.guarded import GuardedAssessor
from etter_dagster.assessors.llm.assessor import LlmAssessor
from etter_dagster.assessors.llm.endpoint import ChatEndpoint
from etter_dagster.assessors.protocol import AssessmentRequest
from etter_dagster.model.assessment import AssessmentInputs, AssessmentOutputs
from etter_dagster.model.documents import DocumentType, LinkedDocument, text_hash
from etter_dagster.settings import Settings
from etter_dagster.stores import Ledger, open_ledger
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.standin.llm_api import LlmState, llm_app

TASKS = (
    "Prepare the monthly payroll for 300 staff",
    "Write letters to customers about late payments",
    "Carry parcels from the van to the store",
    "Review contracts with suppliers",
    "Interview applicants for open posts",
    "Repair sewing machines",
    "Translate product pages into Spanish",
    "Monitor stock levels and order goods",
    "Greet customers at the door",
    "Plan the shifts of the team",
    "Analyze sales of the past week",
    "Clean the shop floor",
)


def jd(tasks: Sequence[str] = TASKS) -> str:
    return "# Clerk\n\n## Responsibilities\n" + "".join(f"- {task}\n" for task in tasks)


def request(text: str, *, workflow: str = "w1", renew: bool = False) -> AssessmentRequest:
    digest = text_hash(text)
    return AssessmentRequest(
        company_id="Acme",
        role_id="cr-acme-clerk-0123456789ab",
        role_name="Clerk",
        draup_role_name="Office Clerk",
        documents=(
            LinkedDocument(
                document_id="d",
                type=DocumentType.JOB_DESCRIPTION,
                content=text,
                content_hash=digest,
                linked_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
            ),
        ),
        inputs=AssessmentInputs(
            role_id="cr-acme-clerk-0123456789ab",
            jd_hash=digest,
            documents_hash="",
            draup_role="Office Clerk",
        ),
        workflow_id=workflow,
        renew=renew,
        origin=workflow,
    )


@dataclass
class Llm:
    """The stand-in's state, and the guarded assessor over it."""

    state: LlmState
    guard: GuardedAssessor
    ledger: Ledger

    async def assess(self, text: str, **more: object) -> AssessmentOutputs:
        return await self.guard.assess(request(text, **more))  # type: ignore[arg-type]


@pytest.fixture
def llm_settings(settings: Settings) -> Settings:
    return settings.with_changes(
        assessor="llm",
        llm_base_url="http://llm.example/v1/",
        llm_model="tiny-1",
        llm_api_key="sk-right",
        cost_per_assessment=2.0,
    )


@pytest.fixture
async def llm(llm_settings: Settings, clock: Clock) -> AsyncIterator[Llm]:
    state = LlmState(key="sk-right")
    endpoint = ChatEndpoint(llm_settings, transport=httpx.ASGITransport(llm_app(state)))
    ledger = open_ledger(llm_settings, clock)
    guard = GuardedAssessor(LlmAssessor(endpoint), ledger, llm_settings, clock)
    yield Llm(state, guard, ledger)
    await guard.close()
    await ledger.close()
