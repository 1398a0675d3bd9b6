"""What the guard over paid calls may ask of its store; each kind passes the same contract tests.

All methods are coroutines, safe from many tasks and processes, and atomic: what is decided and
what is written happens in one step. What may be done is decided by `model/spending.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from etter_dagster.model.breaker import Signal
from etter_dagster.model.ledger import (
    Attempt,
    CallId,
    NewAttempt,
    Outcome,
    Past,
    RawAnswer,
    Spending,
)
from etter_dagster.model.spending import Refusal, Situation, SpendLimits

# Raw answers are long. Once read, an assessment is in the graph; they are kept for what may go
# wrong on the way there.
KEEP_ANSWERS_SECONDS = 7 * 86_400


class Ledger(Protocol):
    """Every paid call: attempts before they are sent, raw answers before they are read, money.

    A *holder* is a process at work; it says that it lives with `beat`. What a holder that is gone
    had open is lost, and what it had taken is free.
    """

    async def close(self) -> None:
        """Frees connections and threads; the ledger is unusable afterwards."""

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless the store can take a write."""

    async def beat(self, holder: str, *, ttl_seconds: float) -> None:
        """The holder lives for so long at least."""

    async def leave(self, holder: str) -> None:
        """The holder is gone; what it has open is lost and what it has taken is free."""

    async def take(self, subject: str, holder: str) -> bool:
        """Takes a subject, so that nobody else has a call of it outstanding; False: it is taken.

        Open attempts of a holder that is gone are `lost` from now on.
        """

    async def free(self, subject: str, holder: str) -> None:
        """Lets a subject go; what the holder still has open of it is lost."""

    async def past(self, call: CallId) -> Past:
        """What is known about a call."""

    async def begin(self, new: NewAttempt, limits: SpendLimits) -> Attempt | Refusal:
        """Records an attempt and reserves its cost; on disk on return, so that it may be sent.

        Or says why it must not be. Raises `LeaseLost` if the subject was taken by another holder.
        """

    async def answered(self, attempt_id: int, answer: RawAnswer) -> None:
        """Stores a raw answer; on disk on return, so that it may be read. A late one counts.

        It is kept for `KEEP_ANSWERS_SECONDS`.
        """

    async def ended(
        self,
        attempt_id: int,
        outcome: Outcome,
        signal: Signal,
        *,
        reference: str | None = None,
        error: str | None = None,
    ) -> Attempt:
        """How an attempt ended: settles its cost and tells the breaker."""

    async def note(self, assessor: str, signal: Signal) -> None:
        """Tells the breaker something that was seen outside a paid call."""

    async def situation(self, assessor: str, limits: SpendLimits) -> Situation:
        """What counts now for the decision whether a call may begin."""

    async def spending(self) -> Spending:
        """Attempts and money at a glance."""

    async def attempts(self, *, role_id: str | None = None, limit: int = 200) -> Sequence[Attempt]:
        """Attempts, newest first."""

    async def forget_answers(self, company_id: str) -> int:
        """Deletes what a company's paid calls said: raw answers and texts of errors.

        When they were made and what they cost stays: it was spent. Gives how many those are.
        """
