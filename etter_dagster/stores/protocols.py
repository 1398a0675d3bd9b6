"""What the rest of Etter may ask of its two stores; each kind passes the same contract tests.

`PushQueue` is the authority on which pushes wait and who holds them, `RoleGraph` on the roles,
their settled state and everything ever assessed. All methods are coroutines, safe from many tasks,
threads and processes; each write is atomic. A store that cannot be reached raises
`StoreUnavailable`. No vendor is known here.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.catalogue import KnownDocument
from etter_dagster.model.claim_order import Lane
from etter_dagster.model.documents import LinkedDocument
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Push, PushError, PushRequest, Source, StepRecord
from etter_dagster.model.role import Role
from etter_dagster.model.skills import RoleSkill
from etter_dagster.model.staleness import StaleReason
from etter_dagster.model.taxonomy import TaxonomyEntry


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClaimLimits(_Record):
    """How many pushes may be processed at once, over all workers.

    Pushes for `closed_assessors` wait, and those of `closed_companies` for `paid_assessor`; they
    keep their place. Others of these companies cost nothing and go on.
    """

    in_flight: int = 1000
    per_company: int = 500
    closed_assessors: tuple[str, ...] = ()
    closed_companies: tuple[str, ...] = ()
    paid_assessor: str = ""


class NewPush(_Record):
    """A push to queue, with what the walk will need."""

    push: Push
    request: PushRequest


class Enqueued(_Record):
    """What became of one `NewPush`: exactly one of the three.

    `accepted`: it is queued (also when this very workflow id was queued before). `active`:
    workflow id of the role's active push. `full`: the queue holds its capacity.
    """

    accepted: bool = False
    active: str | None = None
    full: bool = False


class Claim(_Record):
    """A push held under a lease; every later write of the holder carries `token`.

    `token` rises over all claims of a store's life, and never falls when the store is emptied.
    """

    push: Push
    request: PushRequest
    token: int


class Finish(_Record):
    """How a push ended."""

    status: WorkflowState
    steps: tuple[StepRecord, ...]
    error: PushError | None = None
    ai_automation_score: float | None = None
    completed_at: datetime


class QueueCounts(_Record):
    """The queue at a glance; `claimable` is what `claim` could hand out now under all limits,
    pushes with expired leases included.
    """

    waiting: Mapping[Lane, int]
    oldest_queued_at: Mapping[Lane, datetime]
    in_flight: int
    claimable: int


class WorkerInfo(_Record):
    """A process that claims: its free places and when it last said so."""

    worker: str
    free_places: int
    claiming: bool
    seen_at: datetime


class Durations(_Record):
    """Measured seconds from start to end of pushes by one assessor; `count` 0 means none yet."""

    count: int = 0
    mean_seconds: float = 0.0


class PushFilter(_Record):
    """Which pushes a list or a bulk operation means; None means any."""

    companies: tuple[str, ...] | None = None
    states: tuple[WorkflowState, ...] | None = None
    error_code: str | None = None
    batch_id: str | None = None
    source: Source | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None
    role_id: str | None = None


class PushPage(_Record):
    """Pushes newest first by (queued_at, workflow_id); `next_cursor` is None at the end."""

    items: tuple[Push, ...]
    next_cursor: str | None = None


class PushCounts(_Record):
    """How many pushes a filter meets, by state and by error code."""

    total: int = 0
    by_state: Mapping[str, int] = Field(default_factory=dict)
    by_error_code: Mapping[str, int] = Field(default_factory=dict)


class Batch(_Record):
    """Pushes sent together. `items` are in the order sent, newest attempt of each role last
    known.
    """

    batch_id: str
    company_id: str
    created_at: datetime
    created_by: str | None = None
    workflow_ids: tuple[str, ...]


class StoredAnswer(_Record):
    """The first answer to an idempotent request."""

    status: int
    body: Any


class Reservation(_Record):
    """What `reserve_key` found: `fresh` (go on, then `store_answer` or `release_key`), `answer`
    (give it again), `conflict` (another body), or none of them (the first is still at work: ask
    again).
    """

    fresh: bool = False
    answer: StoredAnswer | None = None
    conflict: bool = False


class AuditEntry(_Record):
    """Who did what, when, to what; append-only."""

    at: datetime
    actor: str
    created_by: str | None = None
    action: str
    company_id: str | None = None
    target: str
    detail: dict[str, Any] = Field(default_factory=dict)


class Operation(_Record):
    """A bulk retry or cancel over a fixed set of pushes."""

    operation_id: str
    kind: str
    state: str
    matched: int
    done: int = 0
    skipped: tuple[dict[str, str], ...] = ()
    new_workflow_ids: tuple[str, ...] = ()
    created_by: str | None = None
    created_at: datetime


class PushQueue(Protocol):
    """Waiting and running pushes, and what clients watch of them."""

    async def close(self) -> None:
        """Frees connections and threads; the queue is unusable afterwards."""

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless the store can take a write."""

    # -- producers ---------------------------------------------------------------------------
    async def enqueue(self, pushes: Sequence[NewPush], *, capacity: int) -> list[Enqueued]:
        """Queues each push unless its role has an active one or the queue is full; on disk on
        return.
        """

    async def enqueue_claimed(self, push: NewPush, *, worker: str, lease_seconds: float) -> Claim:
        """Queues and at once claims, for a partition run or the library.

        Raises:
            AlreadyProcessing: The role has an active push.
        """

    async def cancel(self, workflow_id: str, *, now: datetime) -> Push:
        """Queued to cancelled.

        Raises:
            NotFound: Unknown id.
            IllegalMove: It is processing or terminal.
        """

    # -- workers -----------------------------------------------------------------------------
    async def claim(
        self,
        worker: str,
        n: int,
        *,
        limits: ClaimLimits,
        lease_seconds: float,
        run_id: str | None = None,
    ) -> list[Claim]:
        """Hands out up to `n` pushes in the order of `claim_order`, under the limits.

        Takes back expired leases first: back to their place, or, after `MAX_LEASES` lost ones,
        `failed` with `ATTEMPTS_EXHAUSTED`. Registers the worker.
        """

    async def heartbeat(
        self,
        worker: str,
        tokens: Mapping[str, int],
        *,
        lease_seconds: float,
        free_places: int,
        claiming: bool,
    ) -> set[str]:
        """Renews the leases (workflow id to token) and says who is free; gives back the ids
        lost.
        """

    async def progress(
        self,
        workflow_id: str,
        token: int,
        *,
        steps: Sequence[StepRecord],
        current_step: str | None,
    ) -> None:
        """Shows live progress. Raises `LeaseLost`."""

    async def finish(self, workflow_id: str, token: int, finish: Finish) -> Push:
        """Processing to terminal; the push waits in the outbox for the history. Raises
        `LeaseLost`.
        """

    async def give_back(self, workflow_id: str, token: int, *, assessor: str | None = None) -> None:
        """Back to its place in the queue; the attempt does not count. Raises `LeaseLost`.

        With `assessor` it waits for that one from now on.
        """

    async def give_back_unheard(self, worker: str, known: Sequence[str]) -> None:
        """Gives back what the worker holds beside these: it did not hear of what it claimed.

        The attempts do not count. To be asked before it claims again, never while it does.
        """

    async def leave(self, worker: str) -> None:
        """The worker is gone; leases it still holds are given back."""

    async def workers(self) -> list[WorkerInfo]:
        """Workers that said something within the last two minutes."""

    async def counts(self, limits: ClaimLimits) -> QueueCounts:
        """The queue at a glance."""

    async def waiting_for(self, assessor: str) -> dict[str, int]:
        """How many queued pushes of each company wait for an assessor."""

    async def hold_claims(self, seconds: float) -> None:
        """From now on `claim` hands out nothing for so long; with 0 it does again."""

    async def claims_held(self) -> float:
        """Seconds for which `claim` will hand out nothing; 0 if it does."""

    async def wait_changed(self, since: int, timeout: float) -> int:
        """Waits until anything in the queue changed after the counter `since` (0: now), at most
        `timeout` seconds; gives the counter to wait on next. May wake early.
        """

    # -- looking -----------------------------------------------------------------------------
    async def get(self, workflow_id: str) -> Push | None:
        """A push that is active or ended less than its status lifetime ago."""

    async def get_many(self, workflow_ids: Sequence[str]) -> dict[str, Push]:
        """The same for many; unknown ids are absent."""

    async def request(self, workflow_id: str) -> PushRequest | None:
        """What was asked, as long as the push is here."""

    async def active(self, role_ids: Sequence[str]) -> dict[str, Push]:
        """The active push of each role that has one."""

    async def active_of(self, company_id: str) -> dict[str, WorkflowState]:
        """The state of the active push of each role of a company that has one."""

    async def positions(self, workflow_ids: Sequence[str]) -> dict[str, int]:
        """Expected order of start of queued pushes over the whole queue; 1 is next."""

    async def list_pushes(self, where: PushFilter, *, cursor: str | None, limit: int) -> PushPage:
        """Pushes that are here and not yet in the history, newest first."""

    async def count_pushes(self, where: PushFilter) -> PushCounts:
        """Counts over the same set."""

    async def durations(self, assessor: str) -> Durations:
        """Of recent ready and degraded pushes by this assessor."""

    # -- outbox: terminal pushes on their way into the history ------------------------------------
    async def outbox(self, limit: int) -> list[Push]:
        """Terminal pushes that the history does not hold yet, oldest end first."""

    async def archived(self, workflow_ids: Iterable[str]) -> None:
        """The history holds these now."""

    async def prune(self, *, before: datetime) -> int:
        """Forgets archived pushes that ended before; gives their number."""

    async def delete_company(self, company_id: str) -> int:
        """Forgets a company's pushes, waiting and ended, and its batches; gives the number of
        pushes. Of one that is held nothing goes: raises `CompanyAtWork`. May be repeated.
        """

    # -- batches, idempotency, operations -----------------------------------------------------
    async def put_batch(self, batch: Batch) -> None:
        """Records or replaces a batch."""

    async def batch(self, batch_id: str) -> Batch | None:
        """A batch."""

    async def reserve_key(
        self, scope: str, key: str, body_hash: str, *, ttl_seconds: float
    ) -> Reservation:
        """Looks an idempotency key up, and reserves it if it is fresh (for a minute, unless
        answered).
        """

    async def store_answer(self, scope: str, key: str, answer: StoredAnswer) -> None:
        """Keeps the first answer until the key's lifetime ends."""

    async def release_key(self, scope: str, key: str) -> None:
        """Forgets a reservation (the request was refused)."""

    async def put_operation(self, operation: Operation) -> None:
        """Records or replaces a bulk operation."""

    async def operation(self, operation_id: str) -> Operation | None:
        """A bulk operation."""


class RoleGraph(Protocol):
    """Roles, documents, assessments, history, audit. Writes of a worker carry its fencing `token`:
    a token lower than one seen for the role raises `LeaseLost`; None is for writes outside a
    push.
    """

    async def close(self) -> None:
        """Frees connections and threads; the graph is unusable afterwards."""

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless the store can take a write."""

    # -- roles -------------------------------------------------------------------------------
    async def put_role(
        self,
        company_id: str,
        role_name: str,
        *,
        draup_role_id: str | None = None,
        draup_role_name: str | None = None,
        token: int | None = None,
    ) -> Role:
        """Creates the role in `draft`, or mends its Draup role as `mapping_given` says."""

    async def put_taxonomy(self, entries: Sequence[TaxonomyEntry]) -> list[str]:
        """Records entries; unknown roles are created in `draft`. Gives ids of roles that are new.
        The role takes over the entry's Draup role as `mapping_after` says.
        """

    async def put_catalogue(self, found: Mapping[str, Sequence[KnownDocument]]) -> None:
        """Records what the document sources have for each role id; unknown roles are left out."""

    async def role(self, role_id: str) -> Role | None:
        """A role."""

    async def roles_by_id(self, role_ids: Sequence[str]) -> dict[str, Role]:
        """Many roles; unknown ids are absent."""

    async def roles(
        self, company_id: str | None = None, *, q: str = "", after: str = "", limit: int = 200
    ) -> list[Role]:
        """Roles in order of role name, then id; `after` is the previous page's last `list_key`.

        With `q` those whose name, or whose Draup role's name or id, has it, both `folded`.
        """

    async def same_names(self, company_id: str, role_names: Sequence[str]) -> list[str]:
        """Names of a company's roles that are one of these but for case and white space."""

    async def roles_since(self, sequence: int, *, limit: int = 10_000) -> list[tuple[int, str]]:
        """(sequence, role id) of roles created after `sequence`, in order."""

    async def roles_in(
        self, states: Sequence[RoleStatus], *, after: int = 0, limit: int = 2_000
    ) -> list[Role]:
        """Roles whose settled state is one of these, in order of `sequence`, behind `after`."""

    async def count_roles(self, company_id: str | None = None, *, q: str = "") -> int:
        """How many roles a company (or all) has; `q` as for `roles`."""

    async def count_states(
        self,
        company_id: str,
        *,
        assessor_key: str,
        not_before: datetime,
        without: Sequence[str] = (),
    ) -> dict[RoleStatus, int]:
        """How many of a company's roles are in each settled state, but those of the ids `without`.
        One that is ready or degraded counts as stale where its current assessment is by another
        assessor (`AssessorInfo.key`), from before, or of other inputs than the role's now.
        """

    async def companies(self) -> list[str]:
        """Names of companies with at least one role, sorted."""

    async def move_role(
        self, role_id: str, target: RoleStatus, *, reasons: Sequence[StaleReason] = ()
    ) -> Role:
        """A settled move outside a push: stale, validation_error, draft. Raises `IllegalMove`."""

    async def settle_role(
        self, role_id: str, outcome: RoleStatus, *, workflow_id: str, token: int | None
    ) -> Role:
        """Processing to ready, degraded or failed. Raises `IllegalMove`, `LeaseLost`.

        `token` is None for a push that was given up when its last lease was lost.
        """

    # -- documents ---------------------------------------------------------------------------
    async def link_documents(
        self, role_id: str, documents: Sequence[LinkedDocument], *, token: int | None = None
    ) -> Role:
        """Links documents: the newest JD replaces the JD, others replace those of the same type
        and name. Documents whose hash is linked already change nothing.
        """

    async def documents(self, role_id: str) -> list[LinkedDocument]:
        """What is linked now, the JD first."""

    # -- assessments -------------------------------------------------------------------------
    async def add_assessment(
        self, assessment: Assessment, *, current: bool, token: int | None = None
    ) -> None:
        """Appends; the same id again changes nothing but, with `current`, which one is current."""

    async def assessments(self, role_id: str) -> list[Assessment]:
        """All of a role, newest first."""

    async def current_assessment(self, role_id: str) -> Assessment | None:
        """The role's current one."""

    async def find_assessment(
        self, role_id: str, inputs_hash: str, assessor_key: str, *, not_before: datetime
    ) -> Assessment | None:
        """The newest by this assessor (`AssessorInfo.key`) from these inputs, not older than
        given.
        """

    async def assessed_before(
        self, inputs_hashes: Mapping[str, str], assessor_key: str, *, not_before: datetime
    ) -> set[str]:
        """Of roles, given by id with their inputs, those for which `find_assessment` finds one."""

    # -- skills ------------------------------------------------------------------------------
    async def put_skills(
        self, role_id: str, skills: Sequence[RoleSkill], *, token: int | None = None
    ) -> None:
        """Replaces the role's skills."""

    async def skills(self, role_id: str) -> list[RoleSkill]:
        """The role's skills by falling exposure, then name."""

    # -- restoring ---------------------------------------------------------------------------
    async def restore_role(
        self,
        role: Role,
        *,
        documents: Sequence[LinkedDocument],
        assessments: Sequence[Assessment],
        skills: Sequence[RoleSkill],
    ) -> Role:
        """Puts a role back as it was, assessments oldest first, unless a push settled it here."""

    # -- history and audit ---------------------------------------------------------------------
    async def append_history(self, pushes: Sequence[Push]) -> None:
        """Appends ended pushes; a workflow id that is there already is left as it is."""

    async def history_of(self, workflow_ids: Sequence[str]) -> dict[str, Push]:
        """Ended pushes by id; unknown ids are absent."""

    async def list_history(self, where: PushFilter, *, cursor: str | None, limit: int) -> PushPage:
        """Ended pushes, newest first, same order and cursor as the queue's."""

    async def count_history(self, where: PushFilter) -> PushCounts:
        """Counts over the same set."""

    async def newest_push(self, role_id: str) -> Push | None:
        """The role's newest ended push."""

    async def delete_company(self, company_id: str, entry: AuditEntry) -> int:
        """Deletes roles, documents, assessments, skills and history of a company, and appends
        `entry` with the number of `roles` in its detail, in one transaction; gives that number.
        The one thing that takes away what is append-only; the audit log itself stays.
        """

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Appends."""

    async def audit(
        self, companies: Sequence[str] | None, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditEntry], str | None]:
        """Newest first, with the cursor of the next page."""


def with_roles(entry: AuditEntry, roles: int) -> AuditEntry:
    """The entry with the number of roles that were deleted."""
    return entry.model_copy(update={"detail": {**entry.detail, "roles": roles}})


def list_key(role: Role) -> str:
    """The `after` value that continues a list of roles behind this one."""
    return f"{role.role_name}\0{role.role_id}"


def push_cursor(push: Push) -> str:
    """The cursor of the page behind this push, the same for queue and history."""
    text = f"{push.queued_at.astimezone(timezone.utc).isoformat()}\0{push.workflow_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_push_cursor(cursor: str) -> tuple[datetime, str]:
    """The (queued_at, workflow_id) that a page continues behind.

    Raises:
        ValidationFailed: The cursor is not ours.
    """
    try:
        text = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
        written, workflow_id = text.split("\0")
        queued_at = datetime.fromisoformat(written)
        if queued_at.tzinfo is None:
            raise ValueError(written)
        return queued_at, workflow_id
    except ValueError:
        raise ValidationFailed(
            FieldProblem("cursor", "is not one of ours; leave it out to start over")
        ) from None
