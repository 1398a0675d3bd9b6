"""`etter export` and `etter import` as commands."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from etter_dagster_tests.cli.conftest import Etter, Served


def test_what_is_exported_can_be_imported_elsewhere(
    etter: Etter, service: Served, jd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a running service's stores into new ones, by a file that only its owner reads."""
    etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "Data Analyst")
    service.work()
    out = tmp_path / "backup.jsonl"
    assert etter("export", "--file", out).code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert etter("export", "--json").stdout == etter("export").stdout == out.read_text()
    again = etter("export", "--file", tmp_path / "again.jsonl", "--json")
    assert again.json == {"lines": len(out.read_text().splitlines())}
    monkeypatch.setenv("ETTER_DATA_DIR", str(tmp_path / "elsewhere"))
    assert etter("import", out, "--json").json == {"roles": 1, "pushes": 1, "audit": 1}
    assert etter("import", "-", stdin=out.read_text()).code == 0
    assert etter("export").stdout == out.read_text()


def test_a_file_that_is_none_is_2(etter: Etter, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff")
    for file in ("missing", "bad", tmp_path):
        ran = etter("import", file)
        assert ran.code == 2
    assert etter("export", "--file", tmp_path / "no" / "folder").code == 2
    assert list(tmp_path.glob("*.part")) == []
