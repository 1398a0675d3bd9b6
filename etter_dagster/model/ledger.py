"""What the ledger of paid calls holds: attempts, raw answers, and what is known of one call.

A *call* is one request to a paid assessor for one part of an assessment; all attempts at it, those
of user retries too, carry the same key. An assessment that needs one request has one part.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MICRO = 1_000_000  # money is added up in whole millionths, so that sums are exact


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Outcome(str, Enum):
    """How an attempt stands or ended."""

    OPEN = "open"  # recorded, being sent or waited for
    ANSWERED = "answered"  # the raw answer is stored and not yet read
    DONE = "done"  # read, and good: never paid for again
    STALE = "stale"  # read, and of something older: asked again
    FAILED = "failed"  # read, and a refusal for good
    UNREADABLE = "unreadable"
    REFUSED = "refused"  # an HTTP status that is no success: nothing was done
    UNSENT = "unsent"  # no connection: nothing was sent
    LOST = "lost"  # sent, and no answer came: it may have been done

    @property
    def free(self) -> bool:
        """Whether such an attempt costs nothing."""
        return self in (Outcome.REFUSED, Outcome.UNSENT)


class RawAnswer(_Record):
    """An answer as it came.

    Args:
        body: The body's text, unread.
        cost: What it cost, where the service says so; None: `COST_PER_ASSESSMENT` holds.
        usage: What else was counted, e.g. tokens.
    """

    body: str
    cost: float | None = Field(None, ge=0)
    usage: dict[str, Any] = Field(default_factory=dict)


class CallId(_Record):
    """Which call: `key` is the Idempotency-Key; `subject` stands for (inputs, assessor)."""

    key: str
    part: str
    subject: str
    assessor: str
    role_id: str
    company_id: str


class NewAttempt(_Record):
    """An attempt to record before it is sent."""

    call: CallId
    workflow_id: str
    holder: str
    text_hash: str
    share: float = 1.0
    notes: dict[str, Any] = Field(default_factory=dict)


class Attempt(_Record):
    """One attempt as the ledger holds it.

    `number` counts those of this call and push; `notes` are the assessor's own, written before
    sending; `reference` is the service's id of its answer.
    """

    attempt_id: int
    call: CallId
    workflow_id: str
    number: int
    text_hash: str
    notes: dict[str, Any]
    outcome: Outcome
    began_at: datetime
    ended_at: datetime | None = None
    cost: float = 0.0
    reference: str | None = None
    error: str | None = None


class Past(_Record):
    """What the ledger knows when a call is about to be made.

    Args:
        last: The newest attempt at this very call.
        answer: That attempt's raw answer, if one is stored.
        references: The service's ids of all good answers for this role by this assessor.
        text_hash: Hash of the text that was last sent for this role to this assessor.
        renewed: A good answer is there and does not count: it is too old.
        cost: Of all attempts at this very call.
    """

    last: Attempt | None = None
    answer: RawAnswer | None = None
    references: tuple[str, ...] = ()
    text_hash: str | None = None
    renewed: bool = False
    cost: float = 0.0


class Spending(_Record):
    """Attempts and money, for metrics and plans; money in the unit of the settings."""

    day: float = 0.0
    month: float = 0.0
    companies: Mapping[str, float] = Field(default_factory=dict)  # this month
    attempts: Mapping[str, int] = Field(default_factory=dict)  # by outcome, ever
    cost: float = 0.0  # ever
