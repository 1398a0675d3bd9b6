"""The paid calls of one assessment: each is recorded, sent, stored, read, in that order."""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from etter_dagster.assessors.protocol import (
    AnswerLost,
    AssessmentFailed,
    NotSent,
    PaidCall,
    PaidResult,
    StaleAnswer,
)
from etter_dagster.model.breaker import Signal
from etter_dagster.model.errors import ErrorCode, EtterError, Postponed, TransientError
from etter_dagster.model.ledger import Attempt, CallId, NewAttempt, Outcome, Past, RawAnswer
from etter_dagster.model.spending import Refusal, SpendLimits, Why, refuse

if TYPE_CHECKING:
    from etter_dagster.stores.ledger import Ledger

T = TypeVar("T")
WAIT_SECONDS = 30.0  # shorter refusals are waited for with the push in hand
_ASK_AGAIN_SECONDS = (0.05, 1.0)
log = logging.getLogger(__name__)


class LedgeredCalls:
    """`PaidCalls` over the ledger.

    Args:
        ledger: Where everything is recorded.
        limits: What the settings allow.
        call: Which call, but for its part.
        renewed: The same where the answer that is there is from before `oldest`.
        oldest: An older answer does not count.
        workflow_id: The push.
        text_hash: Of the text that is assessed.
        holder: Who has taken the subject.
        rest_seconds: How long the breaker rests at first.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        limits: SpendLimits,
        call: CallId,
        renewed: CallId,
        oldest: datetime,
        workflow_id: str,
        text_hash: str,
        holder: str,
        rest_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._call = call
        self._renewed = renewed
        self._oldest = oldest
        self._workflow_id = workflow_id
        self._text_hash = text_hash
        self._holder = holder
        self._rest_seconds = rest_seconds
        self.cost = 0.0
        self.told = False  # whether the breaker heard of a failure already

    async def make(self, call: PaidCall[T]) -> PaidResult[T]:
        """Makes a call, or gives the answer that was paid for before."""
        while True:
            identity, past = await self._past(call.part)
            try:
                if past.last is not None and past.answer is not None and _usable(past.last):
                    earlier = past.cost - past.last.cost
                    return await self._read(call, past.last, past.answer, earlier)
                attempt = await self._begin(call, identity, past)
                answer = await self._send(call, attempt)
                return await self._read(call, attempt, answer, past.cost)
            except StaleAnswer as error:
                log.warning("%s %s: %s; asked again", identity.role_id, call.part, error)

    async def _past(self, part: str) -> tuple[CallId, Past]:
        identity = self._call.model_copy(update={"part": part})
        past = await self._ledger.past(identity)
        if past.last is None or not _usable(past.last) or past.last.began_at >= self._oldest:
            return identity, past
        identity = self._renewed.model_copy(update={"part": part})
        past = await self._ledger.past(identity)
        return identity, past.model_copy(update={"renewed": True})

    async def _begin(self, call: PaidCall[T], identity: CallId, past: Past) -> Attempt:
        await self._wait_until_admitted(call.share)
        notes = await call.prepare(past)
        new = NewAttempt(
            call=identity,
            workflow_id=self._workflow_id,
            holder=self._holder,
            text_hash=self._text_hash,
            share=call.share,
            notes=notes,
        )
        while isinstance(begun := await self._ledger.begin(new, self._limits), Refusal):
            await self._wait(begun)
        return begun

    async def _wait_until_admitted(self, share: float) -> None:
        while True:
            situation = await self._ledger.situation(self._call.assessor, self._limits)
            refusal = refuse(
                situation,
                self._limits,
                company=self._call.company_id,
                share=share,
            )
            if refusal is None:
                return
            await self._wait(refusal)

    async def _wait(self, refusal: Refusal) -> None:
        """Waits a little for a refusal that soon ends; any other is raised."""
        left = refusal.seconds_left
        if refusal.why is Why.ATTEMPTS:
            raise _exhausted(refusal.last_error or refusal.message)
        soon = refusal.why is Why.CONCURRENCY or (
            refusal.why in (Why.RATE, Why.PAUSED) and left is not None and left <= WAIT_SECONDS
        )
        if not soon:
            raise postponed(refusal)
        shortest, longest = _ASK_AGAIN_SECONDS
        await asyncio.sleep(min(longest, max(shortest, left or 0.0)))

    async def _send(self, call: PaidCall[T], attempt: Attempt) -> RawAnswer:
        try:
            answer = await call.send(attempt)
        except NotSent as error:
            await self._failed(attempt, Outcome.UNSENT, error)
            raise
        except AnswerLost as error:
            await self._failed(attempt, Outcome.LOST, error)
            raise
        except TransientError as error:
            await self._failed(attempt, Outcome.REFUSED, error)
            raise
        except AssessmentFailed as error:
            await self._ended(attempt, Outcome.REFUSED, Signal(), error)
            raise
        except BaseException as error:  # cancelled, or a bug: it may have been sent
            ending = self._ended(attempt, Outcome.LOST, Signal(), error)
            await asyncio.shield(asyncio.ensure_future(ending))
            raise
        await self._ledger.answered(attempt.attempt_id, answer)
        return answer

    async def _read(
        self, call: PaidCall[T], attempt: Attempt, answer: RawAnswer, earlier: float
    ) -> PaidResult[T]:
        try:
            value = call.read(answer, attempt)
        except StaleAnswer as error:
            await self._ended(attempt, Outcome.STALE, Signal(ok=True), error)
            raise
        except TransientError as error:
            await self._failed(attempt, Outcome.UNREADABLE, error)
            raise
        except AssessmentFailed as error:
            await self._ended(attempt, Outcome.FAILED, Signal(ok=True), error)
            raise
        if attempt.outcome is not Outcome.DONE:
            reference = call.reference(value)
            attempt = await self._ended(attempt, Outcome.DONE, Signal(ok=True), None, reference)
        # Attempts whose answer was lost, stale or unreadable are paid for too.
        self.cost += earlier + attempt.cost
        return PaidResult(value, attempt, answer)

    async def _failed(self, attempt: Attempt, outcome: Outcome, error: TransientError) -> None:
        self.told = True
        signal = failure(
            error,
            role_id=attempt.call.role_id,
            repeated=attempt.number > 1,
            rest_seconds=self._rest_seconds,
        )
        await self._ended(attempt, outcome, signal, error)
        if attempt.number >= self._limits.attempts:
            raise _exhausted(str(error)) from error

    async def _ended(
        self,
        attempt: Attempt,
        outcome: Outcome,
        signal: Signal,
        error: BaseException | None,
        reference: str | None = None,
    ) -> Attempt:
        why = None if error is None else str(error) or type(error).__name__
        return await self._ledger.ended(
            attempt.attempt_id, outcome, signal, reference=reference, error=why
        )


def failure(error: TransientError, *, role_id: str, repeated: bool, rest_seconds: float) -> Signal:
    """What a failure tells the breaker.

    Args:
        error: The failure.
        role_id: Whose call it was.
        repeated: Whether it had failed before.
        rest_seconds: How long the breaker rests at first.
    """
    away = isinstance(error, NotSent)
    return Signal(
        ok=False,
        # Every refused connection counts: no role is to blame.
        mark=uuid.uuid4().hex if away else role_id,
        away=away,
        repeated=repeated,
        rest_seconds=rest_seconds,
        retry_after=error.retry_after,
    )


def postponed(refusal: Refusal) -> Postponed:
    """A refusal as what gives the push back.

    Args:
        refusal: Why no call may begin.
    """
    left = None if refusal.seconds_left is None else float(math.ceil(refusal.seconds_left))
    spent = refusal.why is Why.BUDGET
    code = ErrorCode.BUDGET_EXCEEDED if spent else ErrorCode.STEP_FAILED
    return Postponed(refusal.message, code=code, retry_after=left)


def _exhausted(last_error: str) -> EtterError:
    return EtterError(ErrorCode.STEP_FAILED, last_error, recoverable=True)


def _usable(attempt: Attempt) -> bool:
    """Whether the stored answer of an attempt was not read yet, or was good."""
    return attempt.outcome in (Outcome.ANSWERED, Outcome.DONE)
