"""The envelope that a step and the whole pipeline take and give."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.push import PushError


class ExecutionContext(BaseModel):
    """On whose behalf something is done; `trace_id` ties log lines together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    company_id: str
    user_id: str | None = None
    trace_id: str | None = None


class EnvelopeProgress(BaseModel):
    """How far it is."""

    model_config = ConfigDict(frozen=True)

    current: int = 0
    total: int = 1


class Envelope(BaseModel):
    """In: `{id, inputs, context}`. Out: `{id, status, progress, outputs, error}`."""

    model_config = ConfigDict(frozen=True)

    id: str
    inputs: dict[str, Any] = Field(default_factory=dict)
    context: ExecutionContext | None = None
    status: str = Field("pending", pattern="^(pending|running|completed|failed)$")
    progress: EnvelopeProgress = EnvelopeProgress()
    outputs: dict[str, Any] | None = None
    error: PushError | None = None
