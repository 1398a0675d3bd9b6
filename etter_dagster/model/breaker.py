"""When a paid assessor is left alone for a while: a circuit breaker, as arithmetic.

It opens after failures of `THRESHOLD` different roles without a success between them (one role
that always fails says nothing about the service), or as many refused connections. It then stays
open for `FIRST_SECONDS`, doubled each time a probe fails. `Retry-After` holds everybody back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

THRESHOLD = 3
FIRST_SECONDS = 15.0
LONGEST_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 3600.0


class Signal(BaseModel):
    """What one attempt says about the service.

    Args:
        ok: It answered well; False: it failed in a way that may pass; None: says nothing.
        mark: What failed; equal marks count once.
        retry_after: Seconds it asked for.
    """

    model_config = ConfigDict(frozen=True)

    ok: bool | None = None
    mark: str = ""
    retry_after: float | None = None


class Breaker(BaseModel):
    """The state, shared by all processes.

    Args:
        failing: Marks since the last success.
        open_until: Open until then, half-open afterwards; None: closed.
        times: How often it has opened in a row.
        probe: The attempt that tries a half-open one, if one is out.
        paused_until: `Retry-After` ends then.
    """

    model_config = ConfigDict(frozen=True)

    failing: tuple[str, ...] = ()
    open_until: datetime | None = None
    times: int = 0
    probe: int | None = None
    paused_until: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether no call may begin."""
        return self.open_until is not None and now < self.open_until

    def half_open(self, now: datetime) -> bool:
        """Whether one call may try."""
        return self.open_until is not None and now >= self.open_until

    def after(self, signal: Signal, now: datetime) -> Breaker:
        """The state once an attempt has ended.

        Args:
            signal: What it says.
            now: The present.
        """
        state = self._paused(signal, now)
        if signal.ok is None:
            return state
        if signal.ok:
            return Breaker(paused_until=state.paused_until)
        failing = state.failing if signal.mark in state.failing else (*state.failing, signal.mark)
        state = state.model_copy(update={"failing": failing[-THRESHOLD:]})
        if state.is_open(now) or (state.open_until is None and len(failing) < THRESHOLD):
            return state
        seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0**state.times)
        return state.model_copy(
            update={
                "open_until": now + timedelta(seconds=seconds),
                "times": state.times + 1,
                "probe": None,
            }
        )

    def _paused(self, signal: Signal, now: datetime) -> Breaker:
        if not signal.retry_after:
            return self
        until = now + timedelta(seconds=min(signal.retry_after, LONGEST_PAUSE_SECONDS))
        if self.paused_until is not None and self.paused_until >= until:
            return self
        return self.model_copy(update={"paused_until": until})
