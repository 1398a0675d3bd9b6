"""What many tests need: services over real embedded stores, and a scripted assessor."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from etter_dagster.assessors.protocol import AssessmentRequest
from etter_dagster.assessors.registry import Assessors
from etter_dagster.model.assessment import (
    AssessedTask,
    AssessmentOutputs,
    AssessorInfo,
    Scores,
)
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.identity import role_id
from etter_dagster.model.push import Source, WorkflowOptions
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.reporting import Materialization
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.services import Services, open_services, utc_now
from etter_dagster.onboarding.serving import ServeResult, serve
from etter_dagster.settings import Settings

JD = """# Analyst

## Key Responsibilities
### Reports
- Prepare weekly reports on sales for managers
- Review data for errors and correct them

## Requirements
### Skills
- Report writing
- Spreadsheets
"""


@dataclass
class ScriptedAssessor:
    """An assessor that counts its calls, may wait, and raises what its script says, in turn."""

    info: AssessorInfo = field(
        default_factory=lambda: AssessorInfo(name="exposure", model="scripted", version="1")
    )
    score: float = 40.0
    delay: float = 0.0
    script: list[Exception] = field(default_factory=list)
    on_call: Callable[[AssessmentRequest], None] | None = None
    calls: Counter[str] = field(default_factory=Counter)
    requests: list[AssessmentRequest] = field(default_factory=list)

    async def assess(self, request: AssessmentRequest) -> AssessmentOutputs:
        self.calls[request.role_name] += 1
        self.requests.append(request)
        if self.on_call is not None:
            self.on_call(request)
        await asyncio.sleep(self.delay)
        if self.script:
            raise self.script.pop(0)
        return AssessmentOutputs(
            scores=Scores(
                ai_automation_score=self.score,
                ai_automation_potential_score=self.score / 2,
                ai_augmentation_potential_score=self.score / 2,
            ),
            tasks=(AssessedTask(task="Prepare reports", exposure="E1", score=self.score),),
            summary="scripted",
        )

    async def close(self) -> None:
        pass


@dataclass
class Recorder:
    """A reporter that keeps what it is told."""

    known: list[str] = field(default_factory=list)
    made: list[Materialization] = field(default_factory=list)
    not_made: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    lost: list[tuple[str, str | None, tuple[str, ...]]] = field(default_factory=list)

    async def claimed(self, role_ids: Sequence[str]) -> None:
        self.known.extend(role_ids)

    async def materialized(self, event: Materialization) -> None:
        self.made.append(event)

    async def failed(self, role_id: str, assets: Sequence[str]) -> None:
        self.not_made.append((role_id, tuple(assets)))

    async def given_up(self, role_id: str, run_id: str | None, assets: Sequence[str]) -> None:
        self.lost.append((role_id, run_id, tuple(assets)))


def scripted_services(
    settings: Settings,
    assessor: ScriptedAssessor | None = None,
    *,
    configured: ScriptedAssessor | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Services:
    """Services over the settings' stores with a scripted assessor.

    Args:
        settings: Of a test's own folder.
        assessor: Takes the built-in assessor's place.
        configured: Takes the configured assessor's place, where it is another.
        clock: The present, for the stores too.
    """
    mock = assessor or ScriptedAssessor()
    return replace(
        open_services(settings, clock=clock),
        assessors=Assessors(configured=configured or mock, mock=mock),
    )


def order(role_name: str = "Analyst", company_id: str = "Acme", **changes: object) -> PushOrder:
    """A push that passes every check; keywords change it."""
    given: dict[str, object] = {
        "company_id": company_id,
        "role_name": role_name,
        "documents": (DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=JD),),
        "draup_role_name": "Data Analyst",
        "source": Source.REST,
    }
    return PushOrder.model_validate({**given, **changes})


def forced() -> WorkflowOptions:
    return WorkflowOptions(force_rerun=True)


async def make_one_of_two_stale(services: Services) -> str:
    """Makes two roles ready, then changes the JD of one; gives its id."""
    await accept_many(services, [order("Analyst"), order("Baker")])
    await work_off(services)
    await change_jd(services, "Baker")
    return role_id("Acme", "Baker")


async def change_jd(services: Services, role_name: str) -> None:
    """The JD of a role is another now."""
    documents = linked_documents([DocumentRef(content=JD + "- Bake bread\n")], services.clock())
    await services.graph.link_documents(role_id("Acme", role_name), documents)


async def work_off(services: Services, reporter: Recorder | None = None) -> ServeResult:
    """Serves the queue until it is empty."""
    return await serve(
        services,
        worker="test",
        reporter=reporter or Recorder(),
        places=50,
        linger_seconds=0.0,
        claim_seconds=60.0,
    )
