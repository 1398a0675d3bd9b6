"""What the walk tells the outside as it works; Dagster's side implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field


class Materialization(BaseModel):
    """One asset of one role was made (or found unchanged).

    `metadata` holds plain values: str, int, float, bool, None, a list of flat dicts (a table), or a
    str under a key ending in `_url` (a link) or `_md` (Markdown). Never the text of a document.
    `data_version` is the hash of what was made; `code_version` what made it.
    """

    model_config = ConfigDict(frozen=True)

    asset: str
    role_id: str
    metadata: Mapping[str, Any] = Field(default_factory=dict)
    data_version: str
    code_version: str


class Reporter(Protocol):
    """Receives what happens to roles, in order per role."""

    async def claimed(self, role_ids: Sequence[str]) -> None:
        """These roles are about to be worked on (their partitions must exist)."""

    async def materialized(self, event: Materialization) -> None:
        """An asset of a role was made; returns when it is recorded."""

    async def failed(self, role_id: str, assets: Sequence[str]) -> None:
        """These assets of a role could not be made."""

    async def given_up(self, role_id: str, run_id: str | None, assets: Sequence[str]) -> None:
        """These assets could not be made: the last run that tried was lost as those before it."""


class Silent:
    """A reporter that tells nobody."""

    async def claimed(self, role_ids: Sequence[str]) -> None:
        """Does nothing."""

    async def materialized(self, event: Materialization) -> None:
        """Does nothing."""

    async def failed(self, role_id: str, assets: Sequence[str]) -> None:
        """Does nothing."""

    async def given_up(self, role_id: str, run_id: str | None, assets: Sequence[str]) -> None:
        """Does nothing."""
