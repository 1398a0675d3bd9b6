"""A Dagster instance of the test's own, as `etter up` would set it up, and roles to work on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import dagster as dg
import pytest

from etter_dagster.settings import Settings, get_settings


@pytest.fixture
def storage() -> str:
    """Where Dagster's state is; a module that overrides this runs over `postgres` too."""
    return "sqlite"


@pytest.fixture
def home(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    storage: str,
    request: pytest.FixtureRequest,
) -> Path:
    """A `DAGSTER_HOME` with our `dagster.yaml`, in the environment together with the settings."""
    if storage == "postgres":
        monkeypatch.setenv("ETTER_DAGSTER_POSTGRES_URL", request.getfixturevalue("postgres_url"))
    folder = tmp_path / "dagster"
    folder.mkdir()
    ours = resources.files("etter_dagster.orchestration").joinpath("dagster.yaml").read_text()
    (folder / "dagster.yaml").write_text(ours)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    monkeypatch.setenv("ETTER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ETTER_ENABLE_MOCK_DATA", "false")
    get_settings.cache_clear()
    return folder


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of `home`: our storage, on disk."""
    with dg.DagsterInstance.get() as opened:
        yield opened
