"""When a paid assessor is left alone for a while: a circuit breaker, as arithmetic.

It opens after first attempts of `THRESHOLD` different roles have failed without a success between
them, or sooner where there is no connection at all. Repetitions do not count: a few roles that
always fail, alone at the end of a batch, say nothing about the service. It then rests, twice as
long each time a probe by a fresh role fails. `Retry-After` holds everybody back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

THRESHOLD = 5
AWAY_COUNTS = 2  # so much as a failure does a refused connection count
REST_SECONDS = 15.0
DOUBLED = 3  # so often at most
LONGEST_PAUSE_SECONDS = 3600.0
_AWAY = "away "


class Signal(BaseModel):
    """What one attempt says about the service.

    Args:
        ok: It answered well; False: it failed in a way that may pass; None: says nothing.
        mark: What failed; equal marks count once.
        away: There was no connection.
        repeated: It had failed before.
        retry_after: Seconds it asked for.
        rest_seconds: How long an open breaker rests at first.
    """

    model_config = ConfigDict(frozen=True)

    ok: bool | None = None
    mark: str = ""
    away: bool = False
    repeated: bool = False
    rest_seconds: float = REST_SECONDS
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
        if signal.away or not signal.repeated:
            state = state._marked(f"{_AWAY}{signal.mark}" if signal.away else signal.mark)
        if state.is_open(now) or (state.open_until is None and not state._enough()):
            return state
        # A role that has failed before is a poor witness: the next one probes soon.
        doubled = 0 if signal.repeated else min(DOUBLED, state.times)
        times = state.times if signal.repeated else state.times + 1
        seconds = signal.rest_seconds * 2.0**doubled
        return state.model_copy(
            update={
                "open_until": now + timedelta(seconds=seconds),
                "times": times,
                "probe": None,
            }
        )

    def _marked(self, mark: str) -> Breaker:
        if mark in self.failing:
            return self
        return self.model_copy(update={"failing": (*self.failing, mark)[-THRESHOLD:]})

    def _enough(self) -> bool:
        counts = (AWAY_COUNTS if mark.startswith(_AWAY) else 1 for mark in self.failing)
        return sum(counts) >= THRESHOLD

    def _paused(self, signal: Signal, now: datetime) -> Breaker:
        if not signal.retry_after:
            return self
        until = now + timedelta(seconds=min(signal.retry_after, LONGEST_PAUSE_SECONDS))
        if self.paused_until is not None and self.paused_until >= until:
            return self
        return self.model_copy(update={"paused_until": until})
