"""Which assessors a process has: the configured one, and the built-in one for mock pushes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from etter_dagster.assessors.exposure.assessor import ExposureAssessor
from etter_dagster.assessors.guard.guarded import GuardedAssessor
from etter_dagster.assessors.protocol import Assessor, PaidAssessor
from etter_dagster.settings import Settings

if TYPE_CHECKING:
    from etter_dagster.stores.ledger import Ledger


class Assessors:
    """The configured assessor and the one that `use_mock` takes; the same object if both are.

    Args:
        configured: What `ASSESSOR` names.
        mock: The built-in one.
        guard: The configured one, if it is paid.
    """

    def __init__(
        self, configured: Assessor, mock: Assessor, guard: GuardedAssessor | None = None
    ) -> None:
        self.configured = configured
        self.mock = mock
        self.guard = guard

    def for_push(self, use_mock: bool) -> Assessor:
        """The assessor of a push."""
        return self.mock if use_mock else self.configured

    async def close(self) -> None:
        """Closes both."""
        await self.configured.close()
        if self.mock is not self.configured:
            await self.mock.close()


def open_assessors(settings: Settings, ledger: Ledger, clock: Callable[[], datetime]) -> Assessors:
    """Makes what the settings name; a paid one passes the guard.

    Args:
        settings: `assessor` and what belongs to it.
        ledger: Where paid calls are recorded; stays the caller's to close.
        clock: The present, in UTC.

    Raises:
        ValueError: `ASSESSOR` names one that this version does not have, or lacks a setting.
    """
    built_in = ExposureAssessor()
    paid = _open_paid(settings, clock)
    if paid is None:
        return Assessors(configured=built_in, mock=built_in)
    guarded = GuardedAssessor(paid, ledger, settings, clock)
    return Assessors(configured=guarded, mock=built_in, guard=guarded)


def _open_paid(settings: Settings, clock: Callable[[], datetime]) -> PaidAssessor | None:
    # Each is loaded only where it is chosen: what it needs may not be installed.
    if settings.assessor == "exposure":
        return None
    if settings.assessor == "workflow_api":
        from etter_dagster.assessors.workflow_api.opening import open_workflow_api

        return open_workflow_api(settings, clock)
    from etter_dagster.assessors.llm.assessor import LlmAssessor
    from etter_dagster.assessors.llm.endpoint import ChatEndpoint

    return LlmAssessor(ChatEndpoint(settings))
