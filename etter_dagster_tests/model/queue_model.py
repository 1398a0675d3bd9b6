"""A queue in memory made of the functions of `claim_order` alone: what stores must do with them."""

from __future__ import annotations

from dataclasses import dataclass, field

from etter_dagster.model.claim_order import (
    COST,
    LANES,
    Lane,
    LaneState,
    next_lane,
    next_tag,
    position,
    served_on_wake,
)


@dataclass(frozen=True, order=True)
class Waiting:
    """A waiting push; sorts in its lane's order of start."""

    tag: int
    sequence: int
    company: str = field(compare=False)
    lane: Lane = field(compare=False)


@dataclass
class QueueModel:
    """Lanes, tags and counters, without leases and limits."""

    waiting: dict[Lane, list[Waiting]] = field(default_factory=lambda: {lane: [] for lane in LANES})
    served: dict[Lane, int] = field(default_factory=lambda: dict.fromkeys(LANES, 0))
    claimed_tag: dict[Lane, int] = field(default_factory=lambda: dict.fromkeys(LANES, 0))
    company_tag: dict[tuple[Lane, str], int] = field(default_factory=dict)
    virtual_time: int = 0
    pushed: int = 0

    def push(self, company: str, lane: Lane = Lane.INTERACTIVE) -> Waiting:
        """Queues one push."""
        if not self.waiting[lane]:
            self.served[lane] = served_on_wake(lane, self.served[lane], self.virtual_time)
        tag = next_tag(self.claimed_tag[lane], self.company_tag.get((lane, company), 0))
        self.company_tag[lane, company] = tag
        self.pushed += 1
        new = Waiting(tag, self.pushed, company, lane)
        self.waiting[lane] = sorted([*self.waiting[lane], new])
        return new

    def claim(self) -> Waiting | None:
        """Starts the push that is next."""
        lane = next_lane(self.states())
        if lane is None:
            return None
        first = self.waiting[lane].pop(0)
        self.served[lane] += 1
        self.virtual_time = max(self.virtual_time, self.served[lane] * COST[lane])
        self.claimed_tag[lane] = max(self.claimed_tag[lane], first.tag)
        return first

    def cancel(self, push: Waiting) -> None:
        """Takes a waiting push out."""
        self.waiting[push.lane].remove(push)

    def states(self) -> dict[Lane, LaneState]:
        """The counters as stores hand them to the pure functions."""
        return {lane: LaneState(self.served[lane], len(self.waiting[lane])) for lane in LANES}

    def position(self, push: Waiting) -> int:
        """The place that a caller is told."""
        rank = self.waiting[push.lane].index(push) + 1
        return position(push.lane, rank, self.states())

    def positions(self) -> dict[Waiting, int]:
        """The places of all that wait."""
        return {push: self.position(push) for lane in LANES for push in self.waiting[lane]}

    def drain(self) -> list[Waiting]:
        """Starts everything, in order."""
        started = []
        while (push := self.claim()) is not None:
            started.append(push)
        return started
