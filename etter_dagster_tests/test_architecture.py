"""Rules of docs/architecture.md that a machine can hold: who imports whom, no I/O at import."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import etter_dagster

PACKAGE = Path(etter_dagster.__file__).parent
PROJECT = PACKAGE.parent
# What pure rules need. `datetime` is there for its types; the clock is forbidden below.
MODEL_MAY_IMPORT = {
    "__future__",
    "collections",
    "dataclasses",
    "difflib",
    "datetime",
    "enum",
    "etter_dagster",
    "hashlib",
    "json",
    "math",
    "pydantic",
    "re",
    "secrets",
    "typing",
    "unicodedata",
}
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter"}
SQL = re.compile(
    r"\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s"
    r"|CREATE\s+(TABLE|(UNIQUE\s+)?INDEX)\s)",
    re.DOTALL,
)


def sources(folder: Path = PACKAGE) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path, node: ast.stmt | ast.expr) -> str:
    return f"{path.relative_to(PACKAGE)}:{node.lineno}"


def test_imports_go_in_the_direction_of_the_architecture() -> None:
    """The contracts stand in pyproject.toml; `lint-imports` shows the same."""
    # As a program: called from here it would switch off all loggers of the tests after it.
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def imported(path: Path) -> set[str]:
    """First parts of the names of all modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def test_the_model_imports_nothing_that_could_do_io() -> None:
    """Its rules are tested by thousands of examples; a file or socket would end that."""
    found = {path.name: imported(path) - MODEL_MAY_IMPORT for path in sources(PACKAGE / "model")}
    assert found
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_the_model_has_no_clock() -> None:
    """The present is an argument, so that a test can choose it."""
    found = [
        place(path, node)
        for path in sources(PACKAGE / "model")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ]
    assert found == []


def sql_in(path: Path) -> list[str]:
    """Places of texts that begin like an SQL statement, f-strings included."""
    return [
        place(path, node)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]


def test_sql_stands_in_the_stores_only() -> None:
    """Another place that writes the tables would go round the lifecycle table and the fences."""
    found = {path: sql_in(path) for path in sources()}
    in_stores = [path for path, places in found.items() if places and "stores" in path.parts]
    assert in_stores
    assert [places for path, places in found.items() if places and path not in in_stores] == []


def probe(package: str, folder: Path, path: Path) -> dict[str, dict[str, list[str]]]:
    """What the modules of a package do while they are imported, in an empty environment."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join([str(path), str(PROJECT)]),
    }
    done = subprocess.run(
        [sys.executable, "-B", "-m", "etter_dagster_tests.import_probe", package],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_importing_does_no_io_and_needs_no_secret(tmp_path: Path) -> None:
    """Dagster loads the code in several processes, REST in several workers, tests in a bare one."""
    answer = probe("etter_dagster", tmp_path, PROJECT)
    assert len(answer["modules"]) == len([p for p in sources() if p.name != "__main__.py"])
    assert answer["offences"] == {}
    assert list(tmp_path.iterdir()) == []


OFFENDERS = {
    "opens": ("open('made', 'w').close()", "open for writing: made"),
    "opens_low": ("import os; os.open('low', os.O_CREAT | os.O_WRONLY)", "open for writing: low"),
    "makes": ("import os; os.mkdir('folder')", "os.mkdir"),
    "talks": ("import socket; socket.socket()", "socket."),
    "stores": ("import sqlite3; sqlite3.connect(':memory:')", "sqlite3.connect"),
    "starts": ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
    "needs": ("import os; os.environ['ETTER_LLM_API_KEY']", "KeyError"),
}


def test_the_probe_sees_what_it_looks_for(tmp_path: Path) -> None:
    """Otherwise the test above would pass whatever the package does."""
    package = tmp_path / "offender"
    package.mkdir()
    for name, (line, _) in OFFENDERS.items():
        (package / f"{name}.py").write_text(f"{line}\n")
    (package / "__init__.py").write_text("")
    (package / "harmless.py").write_text("open(__file__).close()\n")
    (tmp_path / "home").mkdir()
    offences = probe("offender", tmp_path / "home", tmp_path)["offences"]
    assert set(offences) == {f"offender.{name}" for name in OFFENDERS}
    for name, (_, part) in OFFENDERS.items():
        assert any(part in what for what in offences[f"offender.{name}"])


def test_definitions_stay_small() -> None:
    """They are a map; what they map stands in `orchestration/`."""
    assert len((PACKAGE / "definitions.py").read_text().splitlines()) < 60
