"""The lifecycle of pushes and roles: one table, and the check that every write goes through.

Stores call `check_role_move` and `check_push_move` inside their transactions; nobody else decides.
"""

from __future__ import annotations

from enum import Enum

from etter_dagster.model.errors import IllegalMove


class WorkflowState(str, Enum):
    """Where a push is."""

    QUEUED = "queued"
    PROCESSING = "processing"
    READY = "ready"
    DEGRADED = "degraded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the push has ended."""
        return self not in (WorkflowState.QUEUED, WorkflowState.PROCESSING)


class RoleStatus(str, Enum):
    """Where a role is: settled, or `queued`/`processing` while a push of it is active."""

    DRAFT = "draft"
    VALIDATION_ERROR = "validation_error"
    QUEUED = "queued"
    PROCESSING = "processing"
    READY = "ready"
    DEGRADED = "degraded"
    FAILED = "failed"
    STALE = "stale"

    @property
    def settled(self) -> bool:
        """Whether the state is the role's own and not that of an active push."""
        return self not in (RoleStatus.QUEUED, RoleStatus.PROCESSING)


_Q, _P = RoleStatus.QUEUED, RoleStatus.PROCESSING
# A queued role may go back to the settled state before it (cancelled, or its push was refused
# late).
ROLE_MOVES: dict[RoleStatus, frozenset[RoleStatus]] = {
    RoleStatus.DRAFT: frozenset({_Q, RoleStatus.VALIDATION_ERROR}),
    _Q: frozenset({_P}),
    _P: frozenset({RoleStatus.READY, RoleStatus.DEGRADED, RoleStatus.FAILED, _Q}),
    RoleStatus.READY: frozenset({RoleStatus.STALE, _Q}),
    RoleStatus.STALE: frozenset({_Q}),
    RoleStatus.DEGRADED: frozenset({_Q, RoleStatus.STALE}),
    RoleStatus.FAILED: frozenset({_Q}),
    RoleStatus.VALIDATION_ERROR: frozenset({RoleStatus.DRAFT}),
}
PUSH_MOVES: dict[WorkflowState, frozenset[WorkflowState]] = {
    WorkflowState.QUEUED: frozenset({WorkflowState.PROCESSING, WorkflowState.CANCELLED}),
    WorkflowState.PROCESSING: frozenset(
        {
            WorkflowState.READY,
            WorkflowState.DEGRADED,
            WorkflowState.FAILED,
            WorkflowState.QUEUED,
        }
    ),
}
OUTCOMES = frozenset({WorkflowState.READY, WorkflowState.DEGRADED, WorkflowState.FAILED})


def may_role_move(
    current: RoleStatus, target: RoleStatus, *, before_queue: RoleStatus | None = None
) -> bool:
    """Whether the table allows a role to move.

    Args:
        current: The state now.
        target: The state wanted.
        before_queue: For a queued role: the settled state it may return to when cancelled.
    """
    if current is _Q and target is before_queue and target.settled:
        return True
    return target in ROLE_MOVES[current]


def check_role_move(
    role_id: str, current: RoleStatus, target: RoleStatus, *, before_queue: RoleStatus | None = None
) -> None:
    """Raises `IllegalMove` unless the table allows the move; the store then writes nothing."""
    if not may_role_move(current, target, before_queue=before_queue):
        raise IllegalMove(role_id, current.value, target.value)


def check_push_move(workflow_id: str, current: WorkflowState, target: WorkflowState) -> None:
    """Raises `IllegalMove` unless a push may move so."""
    if target not in PUSH_MOVES.get(current, frozenset()):
        raise IllegalMove(workflow_id, current.value, target.value)


def shown_state(settled: RoleStatus, active: WorkflowState | None) -> RoleStatus:
    """The role's state as users see it: that of its active push, else its settled one."""
    if active is None or active.terminal:
        return settled
    return RoleStatus(active.value)
