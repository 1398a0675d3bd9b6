from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, rest_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    # Port 9 refuses at once: Dagster is off in these tests.
    return Settings(
        data_dir=tmp_path, enable_mock_data=False, dagster_port=9, retry_backoff_seconds=0
    )


@pytest.fixture
async def rest(settings: Settings) -> AsyncIterator[Rest]:
    async with rest_of(settings) as opened:
        yield opened
