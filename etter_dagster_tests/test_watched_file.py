"""A file that is read again when it changed, and only then."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from etter_dagster.watched_file import WatchedFile


class Reader:
    """Reads a file's text, which may not be empty, and counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, path: Path) -> str:
        self.times += 1
        if not (text := path.read_text()):
            raise ValueError("is empty")
        return text


@pytest.fixture
def read() -> Reader:
    return Reader()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is not young: in these tests it is always a minute later."""
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    path = tmp_path / "file"
    path.write_text("first")
    return path


def test_it_is_read_once_and_again_when_it_changed(path: Path, read: Reader) -> None:
    file = WatchedFile(path, read)
    assert [file.read(), file.read(), read.times] == ["first", "first", 1]
    path.write_text("other")
    assert [file.read(), file.read(), read.times] == ["other", "other", 2]
    (path.parent / "new").write_text("third")
    os.replace(path.parent / "new", path)
    assert [file.read(), read.times] == ["third", 3]


def test_what_is_wrong_with_it_holds_till_it_changes(path: Path, read: Reader) -> None:
    """A broken file is no reason to parse it for each request."""
    file = WatchedFile(path, read)
    path.write_text("")
    for _ in range(2):
        with pytest.raises(ValueError, match="is empty"):
            file.read()
    assert read.times == 1
    path.unlink()
    with pytest.raises(FileNotFoundError):
        file.read()
    path.write_text("good again")
    assert file.read() == "good again"


def test_a_change_within_one_tick_of_the_files_clock_is_noticed(
    path: Path, read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same length, in the same place: nothing that can be seen from outside tells it."""
    monkeypatch.undo()
    file = WatchedFile(path, read)
    assert file.read() == "first"
    before = os.stat(path)
    path.write_text("FIRST")
    monkeypatch.setattr(os, "stat", lambda _: before)
    assert file.read() == "FIRST"
