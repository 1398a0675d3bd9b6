"""Notifications of ends: what is to be told, and when it is tried again. Sends nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from enum import Enum

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.push import Push

MAX_ATTEMPTS = 15  # about two days, at the pauses below
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=6)


class NoticeKind(str, Enum):
    """What has ended."""

    PUSH = "push"
    BATCH = "batch"


class Notice(BaseModel):
    """That something ended and is to be told: a push, or a batch as a whole.

    `version` rises each time a push of a batch ends; `sent` is the last event that was told, so
    that an end is told once.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    kind: NoticeKind
    version: int = 1
    sent: str = ""
    attempts: int = 0


def notices_of(pushes: Iterable[Push]) -> dict[str, NoticeKind]:
    """What is to be told of ended pushes: each for itself, those of a batch as one.

    Args:
        pushes: That ended.
    """
    return {
        push.batch_id or push.workflow_id: NoticeKind.BATCH if push.batch_id else NoticeKind.PUSH
        for push in pushes
        if push.options.notify_on_complete
    }


def batch_event(batch_id: str, workflow_ids: Iterable[str]) -> str:
    """The event id of a batch's end; a retry of a role makes it another.

    Args:
        batch_id: The batch.
        workflow_ids: The newest push of each role.
    """
    digest = hashlib.sha256("\0".join(workflow_ids).encode()).hexdigest()
    return f"{batch_id}.{digest[:12]}"


def pause_after(attempts: int) -> float:
    """Seconds until the next attempt.

    Args:
        attempts: Made so far, all in vain.
    """
    doubled: int = 2 ** max(0, attempts - 1)
    return min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE).total_seconds()
