"""The stand-in of the platform's APIs, served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from etter_dagster_tests.standin.catalogue import PlatformState
from etter_dagster_tests.standin.platform_api import create_platform
from etter_dagster_tests.standin.server import serving


@dataclass
class Served:
    """The stand-in and where it is."""

    state: PlatformState
    url: str


@pytest.fixture
def platform() -> Iterator[Served]:
    state = PlatformState()
    with serving(create_platform(state)) as url:
        yield Served(state, url)
