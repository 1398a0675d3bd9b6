"""The lifecycle table, written down a second time from what users are promised."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.model.errors import ErrorCode, IllegalMove
from etter_dagster.model.lifecycle import (
    OUTCOMES,
    PUSH_MOVES,
    RoleStatus,
    WorkflowState,
    check_push_move,
    check_role_move,
    may_role_move,
    shown_state,
)

ROLE_TABLE = {
    "draft": {"queued", "validation_error"},
    "queued": {"processing"},
    "processing": {"ready", "degraded", "failed", "queued"},
    "ready": {"stale", "queued"},
    "stale": {"queued"},
    "degraded": {"queued", "stale"},
    "failed": {"queued"},
    "validation_error": {"draft"},
}
PUSH_TABLE = {
    "queued": {"processing", "cancelled"},
    "processing": {"ready", "degraded", "failed", "queued"},
    "ready": set(),
    "degraded": set(),
    "failed": set(),
    "cancelled": set(),
}
SETTLED = [state for state in RoleStatus if state.settled]


def role_moves(current: RoleStatus, target: RoleStatus) -> bool:
    """Whether the check lets a role move."""
    try:
        check_role_move("cr-a-b-0123456789ab", current, target)
    except IllegalMove:
        return False
    return True


def push_moves(current: WorkflowState, target: WorkflowState) -> bool:
    """Whether the check lets a push move."""
    try:
        check_push_move("role-onboard-0123456789ab", current, target)
    except IllegalMove:
        return False
    return True


@pytest.mark.parametrize(
    ("current", "target"), list(itertools.product(RoleStatus, RoleStatus)), ids=lambda s: s.value
)
def test_a_role_moves_only_as_the_table_says(current: RoleStatus, target: RoleStatus) -> None:
    assert role_moves(current, target) == (target.value in ROLE_TABLE[current.value])


@pytest.mark.parametrize(
    ("current", "target"),
    list(itertools.product(WorkflowState, WorkflowState)),
    ids=lambda s: s.value,
)
def test_a_push_moves_only_as_the_table_says(current: WorkflowState, target: WorkflowState) -> None:
    assert push_moves(current, target) == (target.value in PUSH_TABLE[current.value])


def test_the_states_are_those_that_users_see() -> None:
    """The values stand in REST answers and in stored records."""
    assert {state.value for state in RoleStatus} == set(ROLE_TABLE)
    assert {state.value for state in WorkflowState} == set(PUSH_TABLE)
    assert {s.value for s in WorkflowState if s.terminal} == {
        "ready",
        "degraded",
        "failed",
        "cancelled",
    }
    assert {s.value for s in SETTLED} == set(ROLE_TABLE) - {"queued", "processing"}
    assert {s.value for s in OUTCOMES} == {"ready", "degraded", "failed"}


def test_only_terminal_pushes_have_nowhere_to_go() -> None:
    assert {state for state in WorkflowState if not PUSH_MOVES.get(state)} == {
        state for state in WorkflowState if state.terminal
    }


@pytest.mark.parametrize("before", SETTLED)
@pytest.mark.parametrize("target", list(RoleStatus))
def test_a_cancelled_push_gives_the_role_back_its_own_state_and_no_other(
    before: RoleStatus, target: RoleStatus
) -> None:
    """A cancelled re-assessment must not make a failed role ready, or lose a ready one."""
    allowed = may_role_move(RoleStatus.QUEUED, target, before_queue=before)
    assert allowed == (target is before or target is RoleStatus.PROCESSING)


@pytest.mark.parametrize("before", SETTLED)
def test_the_way_back_is_for_queued_roles_only(before: RoleStatus) -> None:
    """A push in work cannot be cancelled."""
    for current in set(RoleStatus) - {RoleStatus.QUEUED}:
        assert may_role_move(current, before, before_queue=before) == (
            before.value in ROLE_TABLE[current.value]
        )


@pytest.mark.parametrize("overlay", [RoleStatus.QUEUED, RoleStatus.PROCESSING])
def test_an_overlay_is_no_state_to_go_back_to(overlay: RoleStatus) -> None:
    """A store that kept `queued` as the state before the queue would loop there for ever."""
    assert not may_role_move(RoleStatus.QUEUED, RoleStatus.QUEUED, before_queue=overlay)


@given(
    st.sampled_from(SETTLED),
    st.lists(
        st.one_of(st.sampled_from(list(RoleStatus)), st.sampled_from(list(WorkflowState))),
        max_size=40,
    ),
)
def test_no_sequence_of_moves_leaves_the_table(
    settled: RoleStatus, tries: list[RoleStatus | WorkflowState]
) -> None:
    """Role and push are two records: whatever is tried, what users see moves by the table only."""
    push: WorkflowState | None = None
    for wanted in tries:
        before = shown_state(settled, push)
        moved = False
        if isinstance(wanted, RoleStatus):
            # The graph keeps settled states; a push's own are never written there.
            if push is None and wanted.settled and role_moves(settled, wanted):
                settled, moved = wanted, True
        elif push is None:
            if wanted is WorkflowState.QUEUED and role_moves(settled, RoleStatus.QUEUED):
                push, moved = wanted, True
        elif push_moves(push, wanted):
            moved = True
            cancelled = wanted is WorkflowState.CANCELLED
            push = None if wanted.terminal else wanted
            if wanted.terminal and not cancelled:
                settled = RoleStatus(wanted.value)
        after = shown_state(settled, push)
        if not moved:
            assert after is before
        elif before is RoleStatus.QUEUED and push is None:
            assert after is settled  # cancelled: what it was before
        else:
            assert after.value in ROLE_TABLE[before.value]


@pytest.mark.parametrize("settled", SETTLED)
@pytest.mark.parametrize("push", [None, *WorkflowState])
def test_an_active_push_overlays_the_role_and_a_finished_one_does_not(
    settled: RoleStatus, push: WorkflowState | None
) -> None:
    active = push in (WorkflowState.QUEUED, WorkflowState.PROCESSING)
    expected = push.value if push is not None and active else settled.value
    assert shown_state(settled, push).value == expected


def test_a_forbidden_move_is_a_bug_of_ours_that_says_what_was_tried() -> None:
    with pytest.raises(IllegalMove, match="role-onboard-1 cannot move from ready to queued") as e:
        check_push_move("role-onboard-1", WorkflowState.READY, WorkflowState.QUEUED)
    assert e.value.code is ErrorCode.INTERNAL_ERROR
    assert (e.value.current, e.value.target) == ("ready", "queued")
    with pytest.raises(IllegalMove, match="cr-1 cannot move from ready to draft"):
        check_role_move("cr-1", RoleStatus.READY, RoleStatus.DRAFT)
