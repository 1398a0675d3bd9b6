"""CI notices what it skips."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SKIPPED = {
    "test": "def test_it():\n    pytest.skip('no server here')",
    "fixture": "@pytest.fixture\ndef it():\n    pytest.skip('no server here')\n"
    "def test_it(it):\n    pass",
    "mark": "@pytest.mark.skipif(True, reason='no server here')\ndef test_it():\n    pass",
    "module": "pytest.importorskip('no_such_module', reason='no server here')",
}


def ran(folder: Path, *words: str) -> tuple[int, dict[str, str]]:
    """The exit code, and of each test module the message of its failure (empty: none)."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "etter_dagster_tests.nothing_skipped"]
    words = ("-p", "no:cacheprovider", f"--rootdir={folder}", f"--junitxml={report}", *words)
    done = subprocess.run([*command, *words, str(folder)], capture_output=True, check=False)
    found = {}
    # Its own report, not its output: pytest writes more of that when `CI` is set.
    for case in ElementTree.parse(report).iter("testcase"):
        module = (case.get("classname") or case.get("name") or "").rpartition("test_")[2]
        found[module] = "".join(
            part.text or "" for part in case if part.tag in ("failure", "error")
        )
    return done.returncode, found


@pytest.mark.parametrize("ci", ["", "true"])
def test_what_is_skipped_fails_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str
) -> None:
    """However it is skipped, and in a worker, as CI has them."""
    monkeypatch.setenv("CI", ci)
    for how, code in SKIPPED.items():
        (tmp_path / f"test_{how}.py").write_text(f"import pytest\n{code}\n")
    (tmp_path / "test_fine.py").write_text("def test_it():\n    pass\n")
    (tmp_path / "test_known.py").write_text(
        "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"
    )
    exit_code, found = ran(tmp_path, "-n", "1", "--continue-on-collection-errors")
    assert exit_code == pytest.ExitCode.TESTS_FAILED
    assert {module for module, message in found.items() if not message} == {"fine", "known"}
    for how in SKIPPED:
        assert "no server here\n(skipped, which counts as failed here)" in found[how]
