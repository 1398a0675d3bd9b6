"""A paid assessor that is scripted, behind the real guard over a real ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

import pytest

from etter_dagster.assessors.guard.guarded import GuardedAssessor
from etter_dagster.assessors.protocol import (
    AssessmentFailed,
    AssessmentRequest,
    PaidCall,
    PaidCalls,
    StaleAnswer,
)
from etter_dagster.model.assessment import (
    AssessmentInputs,
    AssessmentOutputs,
    AssessorInfo,
    Scores,
)
from etter_dagster.model.documents import DocumentType, LinkedDocument
from etter_dagster.model.errors import TransientError
from etter_dagster.model.ledger import Attempt, RawAnswer
from etter_dagster.settings import Settings
from etter_dagster.stores import Ledger, open_ledger
from etter_dagster_tests.conftest import Clock


@dataclass
class ScriptedPaid:
    """Sends what its script says, in turn, then good answers; counts what it sent."""

    script: list[BaseException | str] = field(default_factory=list)
    parts: tuple[str, ...] = ("assessment",)
    delay: float = 0.0
    cost: float | None = None
    down: bool = False
    sent: list[Attempt] = field(default_factory=list)
    pings: int = 0
    outstanding: int = 0
    most_outstanding: int = 0
    info: AssessorInfo = field(
        default_factory=lambda: AssessorInfo(name="llm", model="scripted", version="1")
    )

    async def assess(self, request: AssessmentRequest, calls: PaidCalls) -> AssessmentOutputs:
        for part in self.parts:
            score = (await calls.make(PaidCall(part, send=self.send, read=self.read))).value
        return AssessmentOutputs(
            scores=Scores(
                ai_automation_score=score,
                ai_automation_potential_score=score,
                ai_augmentation_potential_score=0,
            )
        )

    async def send(self, attempt: Attempt) -> RawAnswer:
        self.sent.append(attempt)
        self.outstanding += 1
        self.most_outstanding = max(self.most_outstanding, self.outstanding)
        try:
            await asyncio.sleep(self.delay)
            body = self.script.pop(0) if self.script else "40"
            if isinstance(body, BaseException):
                raise body
            return RawAnswer(body=body, cost=self.cost)
        finally:
            self.outstanding -= 1

    @staticmethod
    def read(answer: RawAnswer, attempt: Attempt) -> float:
        if answer.body == "stale":
            raise StaleAnswer("of an older text")
        if answer.body == "error":
            raise AssessmentFailed("it says no")
        try:
            return float(answer.body)
        except ValueError:
            raise TransientError("its answer is unreadable") from None

    async def ping(self) -> None:
        self.pings += 1
        if self.down:
            raise TransientError("it is down")

    async def close(self) -> None:
        pass


def request(
    role: str = "r1",
    *,
    workflow: str = "w1",
    renew: bool = False,
    origin: str = "",
    company: str = "Acme",
    jd: str = "Prepare reports",
) -> AssessmentRequest:
    return AssessmentRequest(
        company_id=company,
        role_id=role,
        role_name="Analyst",
        draup_role_name="Data Analyst",
        documents=(
            LinkedDocument(
                document_id="d",
                type=DocumentType.JOB_DESCRIPTION,
                content=jd,
                content_hash=jd,
                linked_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
            ),
        ),
        inputs=AssessmentInputs(role_id=role, jd_hash=jd, documents_hash="", draup_role="D"),
        workflow_id=workflow,
        renew=renew,
        origin=origin,
    )


@pytest.fixture
def paid() -> ScriptedPaid:
    return ScriptedPaid()


@pytest.fixture
def priced(settings: Settings) -> Settings:
    return settings.with_changes(cost_per_assessment=2.0)


@pytest.fixture
async def ledger(priced: Settings, clock: Clock) -> AsyncIterator[Ledger]:
    opened = open_ledger(priced, clock)
    yield opened
    await opened.close()


Open = Callable[..., GuardedAssessor]


@pytest.fixture
async def open_guard(
    paid: ScriptedPaid, ledger: Ledger, priced: Settings, clock: Clock
) -> AsyncIterator[Open]:
    """Opens a guard as another process would; settings are changed by keywords."""
    opened = []

    def open_one(other: ScriptedPaid | None = None, **changes: object) -> GuardedAssessor:
        guard = GuardedAssessor(other or paid, ledger, priced.with_changes(**changes), clock)
        opened.append(guard)
        return guard

    yield open_one
    for guard in opened:
        await guard.close()


@pytest.fixture
def guard(open_guard: Open) -> GuardedAssessor:
    return open_guard()
