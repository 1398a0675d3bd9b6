"""A step is the unit of extension: the walk, the status and the Dagster assets are made from steps.

The built-in ones are in `role_setup.py`, `ai_assessment.py` and `skills_profile.py`; somebody
else's is one class and an entry point (`etter_dagster.steps`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import stamina
from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.model.documents import text_hash
from etter_dagster.model.envelope import Envelope, EnvelopeProgress
from etter_dagster.model.errors import (
    ErrorCode,
    EtterError,
    LeaseLost,
    Postponed,
    SourceUnavailable,
    StoreUnavailable,
    TransientError,
)
from etter_dagster.model.push import Push, PushError
from etter_dagster.onboarding.reporting import Materialization

if TYPE_CHECKING:
    from etter_dagster.onboarding.services import Services
    from etter_dagster.stores.protocols import Claim

_PLAIN = (str, int, float)  # bool is an int
log = logging.getLogger(__name__)


class StepResult(BaseModel):
    """What a step gives: flat outputs (the next steps see them)."""

    model_config = ConfigDict(frozen=True)

    outputs: dict[str, Any] = Field(default_factory=dict)


@dataclass
class StepContext:
    """What a step may use. `outputs` are those of the steps before it, merged.

    `notes` say by step what it completed without: shown with the step, and the role is degraded.
    `retries` counts how often the present step was tried again.
    """

    services: Services
    claim: Claim
    report: Callable[[Materialization], Awaitable[None]]
    run_id: str | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    retries: int = 0


class Step(ABC):
    """One step of a push.

    Attributes:
        name: As REST shows it.
        sub_state: As the lifecycle calls it while the step runs.
        assets: The Dagster assets it makes, in order. One that `run` does not report itself is
            reported when the step is done, with the plain ones of its outputs.
        required: Whether its failure fails the push (else the role is degraded).
        timeout_seconds: Covers all attempts.
        attempts: How often it is tried for failures that may pass.
        code_version: Dagster's code version of its assets; raise it when outputs change.
    """

    name: str
    sub_state: str
    assets: tuple[str, ...]
    required: bool = False
    timeout_seconds: float = 300.0
    attempts: int = 3
    code_version: str = "1"

    def code_version_by(self, assessor: AssessorInfo) -> str:
        """The code version of its assets where this assessor is used.

        Args:
            assessor: The configured one, or the one that made an assessment.
        """
        return self.code_version

    @abstractmethod
    async def run(self, context: StepContext) -> StepResult:
        """Does the work once. Raises `TransientError` where trying again may help."""

    async def execute(self, envelope: Envelope, context: StepContext) -> Envelope:
        """Runs the step with its attempts and timeout; a failure is in the envelope, not raised.

        Args:
            envelope: `inputs` are passed on in the outputs' place only through `context`.
            context: What the step may use.

        Raises:
            LeaseLost: Somebody else holds the push by now.
            StoreUnavailable: A store cannot be reached; the push must be tried again later.
            Postponed: It cannot go on now; the push goes back to the queue.
        """
        try:
            result = await asyncio.wait_for(self._attempts(context), self.timeout_seconds)
        except (LeaseLost, StoreUnavailable, Postponed):
            raise
        except asyncio.TimeoutError:
            code, why = ErrorCode.STEP_TIMEOUT, f"took longer than {self.timeout_seconds:g} s"
            return _failed(envelope, PushError(code=code.value, message=why, recoverable=True))
        except Exception as error:
            failure = push_error(error)
            if failure.code == ErrorCode.INTERNAL_ERROR.value:
                log.exception("step %s of %s: a bug", self.name, envelope.id)
            return _failed(envelope, failure)
        return envelope.model_copy(
            update={
                "status": "completed",
                "outputs": result.outputs,
                "progress": EnvelopeProgress(current=1, total=1),
            }
        )

    async def _attempts(self, context: StepContext) -> StepResult:
        backoff = context.services.settings.retry_backoff_seconds
        tried = 0

        def pause(error: Exception) -> bool | float:
            if not isinstance(error, (TransientError, SourceUnavailable)):
                return False
            if error.retry_after:
                return float(error.retry_after)
            return backoff * 2.0 ** (tried - 1) * random.uniform(1.0, 1.25)

        async for attempt in stamina.retry_context(on=pause, attempts=self.attempts, timeout=None):
            with attempt:
                tried = attempt.num
                context.retries = tried - 1
                return await self.run(context)
        raise AssertionError("stamina gives at least one attempt")


def completed(
    step: Step, asset: str, push: Push, outputs: Mapping[str, Any], assessor: AssessorInfo
) -> Materialization:
    """An asset of a step that is done and did not report it: its plain outputs are shown.

    Args:
        step: Who made it.
        asset: One of its assets.
        push: For whom.
        outputs: What the step gave.
        assessor: The push's.
    """
    plain = {name: value for name, value in outputs.items() if isinstance(value, _PLAIN)}
    return Materialization(
        asset=asset,
        role_id=push.role_id,
        metadata={"company": push.company_id, "role": push.role_name, **plain},
        data_version=text_hash(json.dumps(outputs, sort_keys=True, default=str))[:16],
        code_version=step.code_version_by(assessor),
    )


def push_error(error: Exception) -> PushError:
    """An exception as a push's error; an unexpected one shows its type, never its text."""
    if isinstance(error, EtterError):
        return PushError(
            code=error.code.value, message=error.message, recoverable=error.recoverable
        )
    if isinstance(error, Postponed):
        return PushError(code=error.code.value, message=str(error), recoverable=True)
    if isinstance(error, TransientError):
        return PushError(code=ErrorCode.STEP_FAILED.value, message=str(error), recoverable=True)
    if isinstance(error, AssessmentFailed):
        return PushError(code=ErrorCode.ASSESSMENT_FAILED.value, message=str(error))
    return PushError(
        code=ErrorCode.INTERNAL_ERROR.value,
        message=f"a bug: {type(error).__name__}; the service's log has the details",
    )


def _failed(envelope: Envelope, error: PushError) -> Envelope:
    return envelope.model_copy(update={"status": "failed", "error": error})
