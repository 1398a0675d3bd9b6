"""Pushes as Redis hashes: the body as it was queued, and the fields that changed since."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from etter_dagster.model.errors import ErrorCode
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, PushError, StepRecord, given_up
from etter_dagster.stores.protocols import NewPush
from etter_dagster.stores.times import micros, moment

# Field of the hash -> field of the push, and how it is read; an empty one is None.
_CHANGING: dict[str, tuple[str, Callable[[str], Any]]] = {
    "status": ("status", WorkflowState),
    "version": ("version", int),
    "attempts": ("attempts", int),
    "steps": ("steps", json.loads),
    "step": ("current_step", str),
    "started_us": ("started_at", lambda value: moment(int(value))),
    "completed_us": ("completed_at", lambda value: moment(int(value))),
    "error": ("error", json.loads),
    "run_id": ("run_id", str),
    "assessor": ("assessor", str),
    "score": ("ai_automation_score", float),
}


def arguments(new: NewPush) -> list[str | int]:
    """A new push as `insert` in `common.lua` takes it."""
    push = new.push
    return [
        push.workflow_id,
        push.role_id,
        push.company_id,
        push.lane.value,
        micros(push.queued_at),
        push.role_name,
        push.source.value,
        push.batch_id or "",
        push.assessor or "",
        push.model_dump_json(),
        new.request.model_dump_json(),
    ]


def push_of(fields: Mapping[str, str]) -> Push:
    """The push of a hash."""
    values = json.loads(fields["body"])
    for name, (field, read) in _CHANGING.items():
        found = fields.get(name)
        if found is not None:
            values[field] = read(found) if found else None
    if fields.get("error_code") == ErrorCode.ATTEMPTS_EXHAUSTED.value and not fields.get("error"):
        values["error"] = given_up(int(fields["lost"]), fields.get("lost_in") or None)
    return Push.model_validate(values)


def push_of_pairs(flat: Sequence[str]) -> Push:
    """The push of a script's HGETALL."""
    return push_of(dict(zip(flat[::2], flat[1::2], strict=True)))


def steps_json(steps: Sequence[StepRecord]) -> str:
    """Steps as the hash keeps them."""
    return json.dumps([step.model_dump(mode="json") for step in steps])


def error_json(error: PushError | None) -> str:
    """An error as the hash keeps it."""
    return error.model_dump_json() if error else ""
