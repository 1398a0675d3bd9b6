from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from etter_dagster.onboarding.services import Services
from etter_dagster.settings import Settings
from etter_dagster_tests.support import ScriptedAssessor, scripted_services


@pytest.fixture
def assessor() -> ScriptedAssessor:
    return ScriptedAssessor()


@pytest.fixture
async def services(settings: Settings, assessor: ScriptedAssessor) -> AsyncIterator[Services]:
    opened = scripted_services(settings, assessor)
    yield opened
    await opened.close()
