"""Every GraphQL request as a function: what to send, and how the answer is read. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from etter_dagster.client import graphql_answers as answers
from etter_dagster.client import graphql_operations as operations
from etter_dagster.client.calls import Call
from etter_dagster.client.platform_views import (
    BackfillView,
    LaunchedPushes,
    PartitionView,
    PushRequest,
    RunStatus,
    RunView,
    Termination,
)

PATH = "/graphql"
ROLE_ASSETS = ("company_role", "job_description", "ai_assessment", "skills_profile")
PARTITION_TAG = "dagster/partition"
_REPOSITORY = {"repositoryLocationName": "etter", "repositoryName": "__repository__"}
Answer = TypeVar("Answer")
Json = Mapping[str, Any]


def push_roles(
    pushes: Sequence[PushRequest | Json], *, idempotency_key: str, user: str | None = None
) -> Call[LaunchedPushes]:
    """Puts pushes on the queue by a run of `push_roles`.

    Each push has its workflow id at once; a refused one ends `failed`, one whose role is ready and
    unchanged ends `ready`. The same key and pushes queue nothing twice.

    Args:
        pushes: Each as REST takes it: `company_id`, `role_name`, and what else a push has.
        idempotency_key: 1 to 255 characters of the caller's choice.
        user: Who asks; a tag of the run.
    """
    config = {"pushes": [_plain(push) for push in pushes], "idempotency_key": idempotency_key}
    run_config = {"ops": {"queue_pushes": {"config": config}}}
    return _launch("push_roles", run_config, _user(user), answers.launched_pushes)


def materialize_role(
    role_id: str, *, force_rerun: bool = False, user: str | None = None
) -> Call[str]:
    """Works one role now by a run of `onboard_roles`, past the queue; gives the run's id.

    Args:
        role_id: The role, which Etter knows.
        force_rerun: Assess although nothing changed; costs what an assessment costs.
        user: Who asks; `created_by` in the history.
    """
    tags = [{"key": PARTITION_TAG, "value": role_id}, *_user(user)]
    return _launch("onboard_roles", _forced(force_rerun), tags, answers.launched_run)


def launch_backfill(
    role_ids: Sequence[str],
    *,
    force_rerun: bool = False,
    title: str | None = None,
    user: str | None = None,
) -> Call[str]:
    """Works many roles by a backfill; gives its id. Roles far apart need a run each.

    Args:
        role_ids: 1 to 10,000 roles, which Etter knows.
        force_rerun: Assess although nothing changed; costs what assessments cost.
        title: Shown in Dagster's UI.
        user: Who asks; `created_by` in the history.
    """
    params = {
        "partitionNames": list(role_ids),
        "runConfigData": _forced(force_rerun),
        "tags": _user(user),
        "title": title,
    }
    return _call(operations.LAUNCH_BACKFILL, {"params": params}, answers.launched_backfill)


def runs(
    *,
    run_ids: Sequence[str] | None = None,
    statuses: Sequence[RunStatus] = (),
    tags: Mapping[str, str] | None = None,
    cursor: str | None = None,
    limit: int = 200,
) -> Call[list[RunView]]:
    """Runs that this key launched, newest first; `cursor` is the last run id of the page before.

    Args:
        run_ids: Only these.
        statuses: Only in one of these.
        tags: Only with all of these.
        cursor: Where the page begins.
        limit: 1 to 1000.
    """
    chosen: dict[str, Any] = {
        "statuses": [RunStatus(status).value for status in statuses] or None,
        "runIds": list(run_ids) if run_ids is not None else None,
        "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    variables = {"filter": given, "cursor": cursor, "limit": limit}
    return _call(operations.RUNS, variables, answers.runs)


def why_failed(run_id: str) -> Call[dict[str, str]]:
    """What a run of this key says about its failure: for `push_roles` the `error` code."""
    return _call(operations.WHY_FAILED, {"runId": run_id}, answers.reasons)


def backfill(backfill_id: str) -> Call[BackfillView]:
    """How far a backfill is, with its runs."""
    return _call(operations.BACKFILL, {"backfillId": backfill_id}, answers.backfill)


def partitions(
    role_ids: Sequence[str], *, assets: Sequence[str] = ROLE_ASSETS
) -> Call[list[PartitionView]]:
    """What Dagster says of roles: one row per asset and role.

    Args:
        role_ids: 1 to 10,000 roles.
        assets: Of which assets.
    """
    wanted = list(dict.fromkeys(role_ids))
    variables = {"assets": [{"path": [asset]} for asset in assets], "partitions": wanted}
    return _call(
        operations.PARTITIONS, variables, lambda data: answers.partition_rows(data, wanted)
    )


def terminate_runs(run_ids: Sequence[str]) -> Call[list[Termination]]:
    """Ends runs that this key launched; what they hold goes back to the queue."""
    return _call(operations.TERMINATE_RUNS, {"runIds": list(run_ids)}, answers.terminations)


def cancel_backfill(backfill_id: str) -> Call[str]:
    """Cancels a backfill that this key launched, and its runs; gives its id."""
    return _call(operations.CANCEL_BACKFILL, {"backfillId": backfill_id}, answers.cancelled)


def _launch(
    job: str, config: Json, tags: list[dict[str, str]], read: Callable[[Any], Answer]
) -> Call[Answer]:
    params = {
        "selector": {**_REPOSITORY, "jobName": job},
        "runConfigData": config,
        "executionMetadata": {"tags": tags},
    }
    return _call(operations.LAUNCH_RUN, {"params": params}, read)


def _call(query: str, variables: Json, read: Callable[[Any], Answer]) -> Call[Answer]:
    body = {"query": query, "variables": variables}
    return Call("POST", PATH, lambda answer: read(answers.whole(answer)), json=body)


def _plain(push: PushRequest | Json) -> dict[str, Any]:
    if isinstance(push, PushRequest):
        return push.model_dump(mode="json", exclude_none=True)
    return dict(push)


def _forced(force_rerun: bool) -> dict[str, Any]:
    return {"ops": {"onboard": {"config": {"force_rerun": True}}}} if force_rerun else {}


def _user(user: str | None) -> list[dict[str, str]]:
    return [{"key": "user", "value": user}] if user is not None else []
