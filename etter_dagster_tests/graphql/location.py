"""Etter's definitions, but for roles named "Held ...": their assessment does not come back.

So a run can be caught in its middle. Loaded by processes of the tests' Dagster only.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from etter_dagster.assessors.protocol import AssessmentRequest, Assessor
from etter_dagster.assessors.registry import Assessors
from etter_dagster.definitions import build_definitions
from etter_dagster.model.assessment import AssessmentOutputs
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.orchestration import serving_run
from etter_dagster.settings import Settings


class _Holding:
    def __init__(self, inner: Assessor) -> None:
        self.info = inner.info
        self._inner = inner

    async def assess(self, request: AssessmentRequest) -> AssessmentOutputs:
        if request.role_name.startswith("Held "):
            await asyncio.sleep(3600)
        return await self._inner.assess(request)

    async def close(self) -> None:
        await self._inner.close()


def _holding_services(settings: Settings) -> Services:
    services = open_services(settings)
    holding = _Holding(services.assessors.configured)
    return replace(services, assessors=Assessors(configured=holding, mock=holding))


serving_run.open_services = _holding_services  # type: ignore[attr-defined, assignment]
defs = build_definitions()
