"""Which assessors a process has: the configured one, and the built-in one for mock pushes."""

from __future__ import annotations

from etter_dagster.assessors.exposure.assessor import ExposureAssessor
from etter_dagster.assessors.protocol import Assessor
from etter_dagster.settings import Settings


class Assessors:
    """The configured assessor and the one that `use_mock` takes; the same object if both are.

    Args:
        configured: What `ASSESSOR` names.
        mock: The built-in one.
    """

    def __init__(self, configured: Assessor, mock: Assessor) -> None:
        self.configured = configured
        self.mock = mock

    def for_push(self, use_mock: bool) -> Assessor:
        """The assessor of a push."""
        return self.mock if use_mock else self.configured

    async def close(self) -> None:
        """Closes both."""
        await self.configured.close()
        if self.mock is not self.configured:
            await self.mock.close()


def open_assessors(settings: Settings) -> Assessors:
    """Makes what the settings name.

    Raises:
        ValueError: `ASSESSOR` names one that this version does not have.
    """
    built_in = ExposureAssessor()
    if settings.assessor != "exposure":
        raise ValueError(
            f"ETTER_ASSESSOR={settings.assessor} is not in this version; "
            "use ETTER_ASSESSOR=exposure"
        )
    return Assessors(configured=built_in, mock=built_in)
