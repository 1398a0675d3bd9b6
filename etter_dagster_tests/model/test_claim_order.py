"""The order of start: fair between companies, no lane starves, a place never rises by itself."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.model.claim_order import (
    COST,
    LANES,
    Lane,
    LaneState,
    next_lane,
    next_tag,
    served_on_wake,
)
from etter_dagster_tests.model.queue_model import QueueModel

FLOOD = 300
# Company, lane, how many: enough for the keys of lanes to meet, which is where ties are broken.
Pushes = tuple[str, Lane, int]
PUSHES = st.tuples(st.sampled_from("abc"), st.sampled_from(LANES), st.integers(1, 20))
# Pushes, and claims of so many, so that lanes fall empty and wake again.
HISTORIES = st.lists(st.one_of(PUSHES, st.integers(1, 40)), max_size=12)


def queue_after(history: list[Pushes | int]) -> QueueModel:
    queue = QueueModel()
    for event in history:
        if isinstance(event, int):
            for _ in range(event):
                queue.claim()
        else:
            company, lane, many = event
            for _ in range(many):
                queue.push(company, lane)
    return queue


def flooded(*lanes: Lane, started: int = 0) -> QueueModel:
    """Lanes full of one company's pushes, some of them begun."""
    queue = QueueModel()
    for _ in range(FLOOD):
        for lane in lanes:
            queue.push("Flood", lane)
    for _ in range(started):
        queue.claim()
    return queue


@given(HISTORIES)
def test_a_place_is_exactly_the_order_of_start_while_nobody_pushes(
    history: list[Pushes | int],
) -> None:
    """`position_in_queue` promises the expected order of start over the whole queue."""
    queue = queue_after(history)
    places = queue.positions()
    assert sorted(places, key=places.__getitem__) == queue.drain()
    assert sorted(places.values()) == list(range(1, len(places) + 1))


@given(HISTORIES, st.data())
def test_a_place_never_rises_while_nobody_pushes(
    history: list[Pushes | int], data: st.DataObject
) -> None:
    """Somebody who watches a number rise thinks that the queue is broken; cancels count too."""
    queue = queue_after(history)
    places = queue.positions()
    while places:
        if data.draw(st.booleans()):
            queue.cancel(data.draw(st.sampled_from(sorted(places))))
        else:
            queue.claim()
        now = queue.positions()
        assert all(now[push] <= places[push] for push in now)
        places = now


@given(HISTORIES)
def test_nothing_is_lost_and_a_company_keeps_its_own_order_in_a_lane(
    history: list[Pushes | int],
) -> None:
    queue = queue_after(history)
    waiting = sorted(queue.positions())
    order = queue.drain()
    assert sorted(order) == waiting
    for lane in LANES:
        for company in "abc":
            own = [p.sequence for p in order if (p.lane, p.company) == (lane, company)]
            assert own == sorted(own)


@pytest.mark.parametrize("lane", LANES)
@given(started=st.integers(0, FLOOD - 1))
def test_a_flood_delays_another_companys_single_push_by_at_most_one_turn(
    lane: Lane, started: int
) -> None:
    """10,000 pushes of one company at once must not be felt by another's one."""
    queue = flooded(lane, started=started)
    assert queue.position(queue.push("Small", lane)) <= 2


@given(
    st.lists(st.sampled_from("abc"), max_size=80),
    st.integers(0, 60),
    st.sampled_from(LANES),
)
def test_each_company_goes_before_a_newcomer_at_most_once(
    pushes: list[str], started: int, lane: Lane
) -> None:
    """One turn a company, whatever happened before: old floods give no rights, nor debts."""
    queue = QueueModel()
    for company in pushes:
        queue.push(company, lane)
    for _ in range(started):
        queue.claim()
    single = queue.push("newcomer", lane)
    order = queue.drain()
    before = Counter(push.company for push in order[: order.index(single)])
    assert all(turns == 1 for turns in before.values())


@given(st.integers(0, 2 * FLOOD))
def test_a_persons_push_waits_for_at_most_one_start_of_each_flooded_lane_below(
    started: int,
) -> None:
    """A batch and a nightly plan of thousands run; somebody clicks: it is next at once, or so."""
    queue = flooded(Lane.BULK, Lane.BACKGROUND, started=started)
    assert queue.position(queue.push("Flood", Lane.INTERACTIVE)) <= 3


@given(st.integers(1, 50), st.integers(1, 20), st.sampled_from(LANES))
def test_companies_with_work_take_turns(many: int, few: int, lane: Lane) -> None:
    """However much each has, their starts never differ by more than one while both wait."""
    queue = QueueModel()
    for _ in range(many):
        queue.push("many", lane)
    for _ in range(few):
        queue.push("few", lane)
    ahead = 0
    for push in queue.drain()[: 2 * min(many, few)]:
        ahead += 1 if push.company == "many" else -1
        assert abs(ahead) <= 1


def test_under_load_each_lane_gets_its_share() -> None:
    """Of 21 starts 16, 4 and 1: people first, but the night's work goes on too."""
    queue = flooded(*LANES)
    shares = Counter(queue.claim().lane for _ in range(210))  # type: ignore[union-attr]
    assert shares == {Lane.INTERACTIVE: 160, Lane.BULK: 40, Lane.BACKGROUND: 10}


@pytest.mark.parametrize(("lane", "floor"), [(Lane.BULK, 21), (Lane.BACKGROUND, 21)])
def test_a_lane_with_work_waits_at_most_so_long_for_a_start(lane: Lane, floor: int) -> None:
    """The floor: a stream of single pushes never starves the nightly re-assessment."""
    queue = flooded(*LANES)
    order = [push.lane for push in queue.drain()[:FLOOD]]
    starts = [-1, *(i for i, started in enumerate(order) if started is lane)]
    assert len(starts) > FLOOD // 21
    assert max(b - a for a, b in pairwise(starts)) <= floor


def test_a_stream_of_single_pushes_does_not_starve_the_night() -> None:
    """Not a flood that waits, but one new push for each start: the lane wakes again and again."""
    queue = flooded(Lane.BACKGROUND)
    started: Counter[Lane] = Counter()
    for i in range(340):
        queue.push(f"company {i}", Lane.INTERACTIVE)
        push = queue.claim()
        assert push is not None
        started[push.lane] += 1
    assert started[Lane.BACKGROUND] == 340 // 17


def test_an_idle_lane_saves_up_nothing() -> None:
    """After a quiet month of batches, 16 of them must not go before somebody's click."""
    queue = flooded(Lane.INTERACTIVE, started=200)
    for _ in range(50):
        queue.push("Night", Lane.BULK)
    shares = Counter(queue.claim().lane for _ in range(50))  # type: ignore[union-attr]
    assert shares == {Lane.INTERACTIVE: 40, Lane.BULK: 10}


@given(st.sampled_from(LANES), st.integers(0, 10**6), st.integers(0, 10**6))
def test_waking_never_takes_served_back_and_never_owes_more_than_one_start(
    lane: Lane, served: int, virtual: int
) -> None:
    woken = served_on_wake(lane, served, virtual)
    assert woken >= served
    assert (woken + 1) * COST[lane] > virtual


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_tag_is_not_before_what_was_claimed_and_after_the_companys_last(
    lane: int, own: int
) -> None:
    tag = next_tag(lane, own)
    assert tag >= lane
    assert tag > own


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, None),
        ({Lane.BULK: LaneState(served=3, waiting=0)}, None),
        ({Lane.BACKGROUND: LaneState(waiting=1)}, Lane.BACKGROUND),
        ({lane: LaneState(waiting=1) for lane in LANES}, Lane.INTERACTIVE),
        (
            {Lane.INTERACTIVE: LaneState(3, 1), Lane.BULK: LaneState(0, 1)},
            Lane.INTERACTIVE,  # 4 against 4: the lane of people wins ties
        ),
        ({Lane.INTERACTIVE: LaneState(4, 1), Lane.BULK: LaneState(0, 1)}, Lane.BULK),
    ],
)
def test_the_smallest_key_starts_next(states: dict[Lane, LaneState], expected: Lane | None) -> None:
    assert next_lane(states) is expected


def test_every_lane_has_a_cost_and_nobodys_share_is_nothing() -> None:
    assert set(LANES) == set(COST) == set(Lane)
    assert all(COST[lane] > 0 for lane in LANES)
