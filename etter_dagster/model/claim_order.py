"""In which order waiting pushes start: fair between companies, lanes with a floor.

Start-time fair queueing at two levels. Inside a lane each push gets, when it is queued, a *tag*:
the lane's newest claimed tag, or one more than its company's last tag if that is larger. Pushes of
a lane start in order of (tag, sequence), so companies take turns, and a newcomer waits for at most
one push of each other company.
Lanes are merged by *keys*: the r-th waiting push of a lane that has `served` claims has the key
`(served + r) * COST[lane]`; the smallest key starts next, ties by lane. A lane with a higher cost
so gets a smaller share, never none.

Both are fixed once a push is queued, so a place in the queue only ever falls while nobody pushes;
an order by "least in flight" would not have that. Source: Goyal, Vin, Cheng, "Start-time Fair
Queueing", SIGCOMM 1996. Stores hold the counters; the arithmetic is here alone, and the stores'
own SQL or Lua is tested against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Lane(str, Enum):
    """Where a push waits: one person's push, a batch, or Etter's own re-assessment."""

    INTERACTIVE = "interactive"
    BULK = "bulk"
    BACKGROUND = "background"


LANES = (Lane.INTERACTIVE, Lane.BULK, Lane.BACKGROUND)
# Under load of all three, of 21 starts 16 are interactive, 4 bulk, 1 background.
COST: dict[Lane, int] = {Lane.INTERACTIVE: 1, Lane.BULK: 4, Lane.BACKGROUND: 16}


@dataclass(frozen=True)
class LaneState:
    """Counters of one lane: claims so far (`served`) and pushes waiting."""

    served: int = 0
    waiting: int = 0


def next_tag(lane_tag: int, company_tag: int) -> int:
    """The tag of a new push.

    Args:
        lane_tag: The greatest tag claimed so far in the lane.
        company_tag: The last tag given to this company in the lane (0: none).
    """
    return max(lane_tag, company_tag + 1)


def next_lane(lanes: Mapping[Lane, LaneState]) -> Lane | None:
    """The lane whose first waiting push starts next, or None when nothing waits."""
    waiting = [lane for lane in LANES if lanes.get(lane, LaneState()).waiting > 0]
    if not waiting:
        return None
    return min(waiting, key=lambda lane: ((lanes[lane].served + 1) * COST[lane], LANES.index(lane)))


def served_on_wake(lane: Lane, served: int, virtual_time: int) -> int:
    """`served` of a lane that was empty and gets a push, so that it does not call in old credit.

    Args:
        lane: The lane.
        served: Its counter as it stands.
        virtual_time: The greatest key claimed so far, over all lanes.
    """
    return max(served, virtual_time // COST[lane])


def position(lane: Lane, rank: int, lanes: Mapping[Lane, LaneState]) -> int:
    """The place of a push in the whole queue; 1 is next.

    Args:
        lane: The push's lane.
        rank: Its place inside the lane; 1 is first.
        lanes: The counters of all lanes.
    """
    key = (lanes[lane].served + rank) * COST[lane]
    place = rank
    for other in LANES:
        state = lanes.get(other, LaneState())
        if other is lane or not state.waiting:
            continue
        wins_ties = LANES.index(other) < LANES.index(lane)
        before = key // COST[other] if wins_ties else -(-key // COST[other]) - 1
        place += min(state.waiting, max(0, before - state.served))
    return place


def claimable(
    backlog: Mapping[str, int], in_flight: Mapping[str, int], *, at_most: int, per_company: int
) -> int:
    """How many pushes a claim could hand out now.

    Args:
        backlog: Waiting pushes of each company, those with expired leases included.
        in_flight: Held pushes of each company, those with expired leases left out.
        at_most: The limit over all companies.
        per_company: The limit of each.
    """
    free = sum(
        max(0, min(waiting, per_company - in_flight.get(company, 0)))
        for company, waiting in backlog.items()
    )
    return max(0, min(free, at_most - sum(in_flight.values())))
