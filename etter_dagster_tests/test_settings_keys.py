"""The file of API keys: read whole or refused, written whole, and what a service starts with."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.model.api_keys import ApiKey, Scope, hash_of
from etter_dagster.settings import Settings
from etter_dagster.settings_keys import KeysFileError, read_keys, write_keys
from etter_dagster_tests.keys import add_key

ROW = {"id": "a", "sha256": hash_of("etk_a"), "companies": ["Acme"], "scopes": ["read"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not JSON"),
        ("{}", "no list"),
        ('"etk_secret"', "no list"),
        ("[" * 100_000, "not JSON"),
        (b"\xff[]", "not JSON"),
        (json.dumps([{**ROW, "scopes": ["root"]}]), "[0].scopes[0]"),
        (json.dumps([ROW, {**ROW, "sha256": "etk_secret"}]), "[1].sha256"),
        (json.dumps([ROW, ROW]), "a"),
    ],
)
def test_a_broken_file_is_refused_with_the_place_and_no_content(
    path: Path, content: str | bytes, why: str
) -> None:
    """Whoever put a key itself into the file must not find it in a log, too."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(KeysFileError) as caught:
        read_keys(path)
    assert why in str(caught.value)
    assert "etk_secret" not in str(caught.value)


def test_what_is_written_is_read(path: Path) -> None:
    """Names with any characters, and a time."""
    keys = (
        ApiKey.model_validate({**ROW, "expires_at": "2027-01-01T00:00:00Z"}),
        ApiKey.model_validate({**ROW, "id": "b", "companies": ['A/B "&" Söhne']}),
    )
    write_keys(path, keys)
    assert read_keys(path) == keys
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_new_file_is_for_its_owner_alone_and_an_old_one_keeps_its_group(path: Path) -> None:
    """A service under another user of the group must go on reading it; others never."""
    add_key(path, "a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    add_key(path, "b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_to_the_file_stays_a_link(path: Path, tmp_path: Path) -> None:
    """Mounted secrets are links."""
    (tmp_path / "real").mkdir()
    path.symlink_to(tmp_path / "real" / "keys.json")
    add_key(path, "a")
    assert path.is_symlink()
    assert read_keys(path)[0].scopes == (Scope.ADMIN,)


def test_a_write_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: Any) -> None:
    """Half a file would shut everybody out at the next start."""
    add_key(path, "a")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeysFileError, match="No space left"):
        add_key(path, "b")
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [None, "[]", "nonsense", "[{}]"])
@pytest.mark.parametrize("given", [{}, {"host": "0.0.0.0"}, {"environment": "staging"}])
def test_a_service_does_not_start_with_a_file_that_lets_nobody_in(
    path: Path, content: str | None, given: dict[str, Any]
) -> None:
    """It would be up and refuse everybody, or be thought to be open."""
    if content is not None:
        path.write_text(content)
    (reason,) = Settings(api_keys_file=path, **given).refuse_to_start()
    assert "ETTER_API_KEYS_FILE" in reason
    assert "etter keys create" in reason


def test_with_a_key_it_may_listen_anywhere(path: Path) -> None:
    add_key(path, "a")
    assert Settings(api_keys_file=path, host="0.0.0.0").refuse_to_start() == []
