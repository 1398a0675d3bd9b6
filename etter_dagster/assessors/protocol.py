"""What an assessor is: one protocol for the built-in model, and one for those that are paid.

A paid one separates sending from reading, so that the guard (`guard/`) can record each attempt
before it is sent and store each raw answer before it is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.assessment import AssessmentInputs, AssessmentOutputs, AssessorInfo
from etter_dagster.model.documents import DocumentType, LinkedDocument
from etter_dagster.model.errors import TransientError
from etter_dagster.model.ledger import Attempt, Past, RawAnswer

T = TypeVar("T")
ATTEMPTS = 5  # of one paid call, over all leases of a push


class AssessmentRequest(BaseModel):
    """All that an assessor may look at, and how far an older answer may be used.

    `renew`: what was made before does not count (`force_rerun`, or it is too old). `origin` says
    which request this is: the push, or the first of its retries. It tells renewals apart, also
    those where only the ledger knows that an answer is too old.
    """

    model_config = ConfigDict(frozen=True)

    company_id: str
    role_id: str
    role_name: str
    draup_role_name: str
    documents: tuple[LinkedDocument, ...]
    inputs: AssessmentInputs
    workflow_id: str
    force_rerun: bool = False
    renew: bool = False
    origin: str = ""

    @property
    def text(self) -> str:
        """The role's JD, or all its other documents where it has none."""
        jds = [d for d in self.documents if d.type is DocumentType.JOB_DESCRIPTION]
        return "\n\n".join(document.content for document in jds or self.documents)


class AssessmentFailed(Exception):
    """The assessor says no for good: trying the same again would not help.

    A failure that may pass is a `TransientError` instead; that is decided here, at the edge.
    """


class NotSent(TransientError):
    """No connection: the other side never saw the call."""


class AnswerLost(TransientError):
    """The call was sent and no answer came (a timeout, a reset): it may have been done."""


class StaleAnswer(Exception):
    """A good answer to something older; the call is made again at once."""


class Assessor(Protocol):
    """Makes assessments. Safe from many tasks of one event loop."""

    @property
    def info(self) -> AssessorInfo:
        """Name, model and version; a new version makes older assessments stale."""

    async def assess(self, request: AssessmentRequest) -> AssessmentOutputs:
        """Assesses a role.

        Raises:
            AssessmentFailed: Permanent.
            TransientError: Trying again may help.
            Postponed: Not now; no attempt was made.
        """

    async def close(self) -> None:
        """Frees what it holds."""


async def _nothing(past: Past) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class PaidCall(Generic[T]):
    """One paid request of an assessment, as the guard makes it.

    Args:
        part: Names it within the assessment; a repeated assessment finds it again by this name.
        send: Sends it once and gives the raw answer, unread. Raises `TransientError` for a refusal
            that may pass, `NotSent`, `AnswerLost`, or `AssessmentFailed` for a refusal for good.
        read: Reads a raw answer; pure. Raises `TransientError` (unreadable), `AssessmentFailed`
            (it says no for good) or `StaleAnswer`.
        prepare: Free work before each attempt; gives notes that are recorded with the attempt
            before it is sent. Not called where a stored answer is used.
        reference: The service's own id of an answer that was read, if it has one.
        share: Of the cost of an assessment that this call takes.
    """

    part: str
    send: Callable[[Attempt], Awaitable[RawAnswer]]
    read: Callable[[RawAnswer, Attempt], T]
    prepare: Callable[[Past], Awaitable[dict[str, Any]]] = _nothing
    reference: Callable[[T], str | None] = lambda _: None
    share: float = 1.0


@dataclass(frozen=True)
class PaidResult(Generic[T]):
    """A paid answer, read; `attempt` is the one that brought it, with its cost."""

    value: T
    attempt: Attempt
    answer: RawAnswer


class PaidCalls(Protocol):
    """The way out for the paid calls of one assessment; there is no other."""

    async def make(self, call: PaidCall[T]) -> PaidResult[T]:
        """Makes a call, or gives the answer that was paid for before.

        Calls of one assessment are made one after another.
        """


class PaidAssessor(Protocol):
    """An assessor whose calls cost money; the guard makes an `Assessor` of it."""

    @property
    def info(self) -> AssessorInfo:
        """Name, model and version; a new version makes older assessments stale."""

    async def assess(self, request: AssessmentRequest, calls: PaidCalls) -> AssessmentOutputs:
        """Assesses a role; every paid call goes through `calls`.

        The attempt's `call.key` is the Idempotency-Key to send. Nothing in here repeats: what
        raises `TransientError` is repeated from the start, and parts that are paid for are found
        again. The guard puts the cost on the outputs.
        """

    async def ping(self) -> None:
        """Raises `TransientError` unless the service answers; costs nothing."""

    async def close(self) -> None:
        """Frees what it holds."""
