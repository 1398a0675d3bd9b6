"""`docs/settings.md` is what the settings model says, and holds no secret of whoever made it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from etter_dagster.settings import Settings
from etter_dagster.settings_docs import GROUPS, settings_page

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
ROW = re.compile(r"^\| `ETTER_([A-Z0-9_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def test_the_page_is_what_the_code_says() -> None:
    """`python -m etter_dagster.settings_docs > docs/settings.md` makes it anew."""
    assert PAGE.read_text(encoding="utf-8") == settings_page()


def test_every_setting_stands_in_it_once_in_the_models_order() -> None:
    assert [name.lower() for name, _, _ in ROW.findall(settings_page())] == list(
        Settings.model_fields
    )


def test_every_group_begins_with_a_setting_that_exists() -> None:
    """A renamed setting would otherwise take its group's heading with it."""
    page = settings_page()
    assert re.findall("^## (.+)$", page, re.MULTILINE) == list(GROUPS.values())


def test_secrets_and_choices_are_marked() -> None:
    rows = {name.lower(): meaning for name, _, meaning in ROW.findall(settings_page())}
    assert {name for name, meaning in rows.items() if "*secret*" in meaning} == set(
        Settings.SECRETS
    )
    assert "one of `exposure`, `workflow_api`, `llm`" in rows["assessor"]


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("PORT", "`8090`"),
        ("ENABLE_MOCK_DATA", "`true`"),
        ("OPTIONAL_STEPS", "`skills`"),
        ("ALLOWED_DOCUMENT_HOSTS", "none"),
        ("REDIS_HOST", "none"),
        ("DATA_DIR", "`~/.local/share/etter`"),
        ("NIGHTLY_CRON", "`0 2 * * *`"),
    ],
)
def test_defaults_are_written_as_a_user_would_set_them(name: str, default: str) -> None:
    assert {n: d for n, d, _ in ROW.findall(settings_page())}[name] == default


def test_nothing_of_the_machine_that_makes_it_gets_into_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A developer's `.env` and home folder are nobody else's business."""
    before = settings_page()
    monkeypatch.setenv("ETTER_PORT", "9999")
    monkeypatch.setenv("ETTER_LLM_API_KEY", "hush")
    assert settings_page() == before
    assert str(Path.home()) + "/" not in before
