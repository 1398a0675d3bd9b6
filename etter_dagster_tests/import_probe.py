"""Imports all modules of a package in a fresh interpreter and says what they did to the world.

Run as `python -B -m etter_dagster_tests.import_probe PACKAGE`; prints JSON: all modules, and the
offences of those that have any. A test reads it (`test_architecture.py`).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

# Loaded before anybody watches: what libraries do is not ours to forbid.
LIBRARIES = (
    "dagster",
    "dagster_postgres",
    "fastapi",
    "httpx",
    "numpy",
    "pydantic_settings",
    "typer",
)
FORBIDDEN = (
    "socket.",
    "sqlite3.connect",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.truncate",
    "os.putenv",
    "os.unsetenv",
    "shutil.",
    "tempfile.",
    "urllib.Request",
)
HARMLESS = ("socket.gethostname",)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


def module_names(package: str) -> list[str]:
    """All modules of a package but those that are programs, without importing any."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    names = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] != "__main__":
            names.append(".".join((package, *(p for p in parts if p != "__init__"))))
    return names


def offence(event: str, args: tuple[Any, ...]) -> str | None:
    """What an audit event did that an import must not do, or None."""
    if event == "open":
        path, mode, flags = args
        writes = flags & _WRITING if isinstance(flags, int) else any(c in mode for c in "wax+")
        return f"open for writing: {path}" if writes and path != os.devnull else None
    if event.startswith(FORBIDDEN) and event not in HARMLESS:
        return f"{event}: {args[:2]!r}"
    return None


def main(package: str) -> None:
    """Prints the offences of each module of a package that has any."""
    for library in LIBRARIES:
        importlib.import_module(library)
    found: list[str] = []  # by the module that is being imported

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if what := offence(event, args):
            found.append(what)

    sys.addaudithook(hook)
    names = module_names(package)
    offences: dict[str, list[str]] = {}
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException:
            found.append(traceback.format_exc())
        if found:
            offences[name] = list(found)
            found.clear()
    print(json.dumps({"modules": names, "offences": offences}))


if __name__ == "__main__":
    main(sys.argv[1])
