from __future__ import annotations

from collections.abc import Iterator

import pytest

from etter_dagster_tests.graphql.stack import Stack, stack


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One Dagster for all tests here: each takes role names of its own."""
    with stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
