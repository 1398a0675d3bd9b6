"""Looking at one company after the other, some at a time: where a tick ends, the next goes on."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Generic, TypeVar

from etter_dagster.model.errors import EtterError, SourceUnavailable, StoreUnavailable
from etter_dagster.onboarding.tick_time import TickTime

T = TypeVar("T")
_REASON = 300  # characters of why a source failed that the cursor keeps
ALL = ""  # the source itself, beside its companies; no company has this name


@dataclass
class Round:
    """What a tick leaves for the next: the last company done, and who is not to be asked yet.

    `pauses` maps a company (or `ALL`) to the time, in seconds since 1970, until which its source
    is not asked, and `reasons` to why. `drafts` is the sequence of the last draft looked at, `told`
    that of the last changed role that Dagster was told of, 0 to begin anew.
    """

    after: str = ""
    pauses: dict[str, float] = field(default_factory=dict)
    drafts: int = 0
    told: int = 0
    reasons: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Round:
        """From what `write` gave; anything else starts over, which is harmless."""
        try:
            found = json.loads(text or "{}")
            pauses = {str(k): float(v) for k, v in found["pauses"].items()}
            told, said = int(found.get("told", 0)), found.get("reasons", {})
            reasons = {str(k): str(v) for k, v in said.items()}
            return cls(str(found["after"]), pauses, int(found["drafts"]), told, reasons)
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self) -> str:
        """As text for Dagster."""
        return json.dumps(asdict(self))

    def waits(self, who: str, now: float) -> str | None:
        """What to say of a source that is not to be asked yet; None if it may be."""
        pause = self.pauses.get(who, 0.0) - now
        if pause > 0:
            return f"{self.reasons.get(who, 'it failed')}; not asked for another {pause:.0f} s"
        self.pauses.pop(who, None)
        self.reasons.pop(who, None)
        return None

    def failed(self, who: str, error: Exception, now: float) -> str:
        """Notes a failed read, with the pause it asks for; gives what to say of it."""
        said = error.message if isinstance(error, EtterError) else type(error).__name__
        if isinstance(error, SourceUnavailable) and error.retry_after:
            self.pauses[who] = now + error.retry_after
            self.reasons[who] = said[:_REASON]
        return said


@dataclass
class Looked(Generic[T]):
    """What a round brought: results and failures by company, and how many are for the next tick."""

    results: dict[str, T] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    left: int = 0


async def go_round(
    round_: Round,
    companies: Iterable[str],
    look: Callable[[str], Awaitable[T]],
    *,
    now: float,
    limit: TickTime,
) -> Looked[T]:
    """Looks at companies in order, from where the last tick ended, until the time is up.

    One company's failure stops no other.

    Args:
        round_: From the last tick; changed.
        companies: All of them.
        look: Looks at one.
        now: Seconds since 1970.
        limit: Once it is over, no company is begun; one is always looked at.

    Raises:
        StoreUnavailable: A store cannot be reached.
    """
    found: Looked[T] = Looked()
    ordered = sorted(companies)
    todo = [company for company in ordered if company > round_.after] or ordered
    for index, company in enumerate(todo):
        if index and limit.over:
            found.left = len(todo) - index
            return found
        if said := round_.waits(company, now):
            found.failures[company] = said
        else:
            try:
                found.results[company] = await look(company)
            except StoreUnavailable:
                raise
            except Exception as error:
                found.failures[company] = round_.failed(company, error, now)
        round_.after = company
    round_.after = ""
    return found
