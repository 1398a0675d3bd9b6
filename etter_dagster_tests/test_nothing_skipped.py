"""CI notices what it skips."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SKIPPED = {
    "test": "def test_it():\n    pytest.skip('no server here')",
    "fixture": "@pytest.fixture\ndef it():\n    pytest.skip('no server here')\n"
    "def test_it(it):\n    pass",
    "mark": "@pytest.mark.skipif(True, reason='no server here')\ndef test_it():\n    pass",
    "module": "pytest.importorskip('no_such_module', reason='no server here')",
}


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "etter_dagster_tests.nothing_skipped"]
    words = ("-q", "-p", "no:cacheprovider", f"--rootdir={folder}", *words, str(folder))
    return subprocess.run([*command, *words], capture_output=True, text=True, check=False)


def test_what_is_skipped_fails_with_its_reason(tmp_path: Path) -> None:
    """However it is skipped, and in a worker, as CI has them."""
    for how, code in SKIPPED.items():
        (tmp_path / f"test_{how}.py").write_text(f"import pytest\n{code}\n")
    (tmp_path / "test_fine.py").write_text(
        "import pytest\ndef test_it():\n    pass\n"
        "@pytest.mark.xfail\ndef test_known():\n    assert False\n"
    )
    done = ran(tmp_path, "-n", "1", "--continue-on-collection-errors")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    for how in SKIPPED:
        assert f"test_{how}.py" in done.stdout
    assert done.stdout.count("no server here\n(skipped") == len(SKIPPED), done.stdout
    assert "1 passed, 1 xfailed" in done.stdout
