"""The command line as a whole: what there is, how fast it starts, what its reference says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from etter_dagster import __version__
from etter_dagster.cli import main
from etter_dagster.cli.app import app
from etter_dagster.cli.running import Running, announce, sole
from etter_dagster_tests.cli.conftest import Etter, Served

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    *("up", "demo", "push", "status", "retry", "cancel"),
    *("companies", "roles", "show", "compare", "assess", "format"),
    *("plan", "nightly", "worker", "drain", "migrate", "reconcile"),
    *("export", "import", "keys", "company", "doctor"),
)
# Each costs a tenth of a second and more; a command that needs one imports it.
HEAVY = ("dagster", "fastapi", "uvicorn", "numpy", "bs4", "neo4j", "redis", "jinja2", "sqlite3")


def test_an_interrupt_while_commands_load_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loading takes a second on a busy machine; Ctrl-C then wrote fifty lines."""

    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "etter_dagster.cli.app", Interrupted("etter_dagster.cli.app"))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130


def test_version_is_that_of_the_package(etter: Etter) -> None:
    assert etter("--version").stdout == f"etter {__version__}\n"


def test_there_is_no_command_beside_these() -> None:
    there = get_command(app)
    assert isinstance(there, TyperGroup)
    assert {name for name, command in there.commands.items() if not command.hidden} == set(COMMANDS)


def test_help_names_every_command_and_the_exit_codes(etter: Etter) -> None:
    ran = etter("--help")
    assert ran.code == 0
    assert all(f" {command} " in ran.stdout for command in COMMANDS)
    assert "3 not" in ran.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(etter: Etter, command: str) -> None:
    assert etter(command, "--help").code == 0


def test_starting_imports_nothing_heavy() -> None:
    """`etter --help` answers in under half a second; with one of these it would not."""
    code = f"import sys, etter_dagster.cli.app; print([m for m in {HEAVY} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_the_reference_is_what_the_commands_say(etter: Etter) -> None:
    """Make it anew with `etter docs > docs/cli.md`."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == etter("docs").stdout


def test_a_command_that_there_is_not_is_2(etter: Etter) -> None:
    assert etter("onboard").code == 2


@pytest.mark.parametrize(
    ("arguments", "field", "told"),
    [
        (("roles",), "COMPANY", "is missing"),
        (("keys", "create"), "--company", "is missing"),
        (("roles", "Acme", "--state", "bogus"), "--state", "'bogus' is not one of"),
        (("push", "--nope"), "--nope", "No such option"),
        (("status", "one", "two"), "arguments", "two"),
        (("onboard",), "arguments", "No such command 'onboard'"),
        (("--nope",), "--nope", "No such option"),
    ],
)
def test_wrong_usage_with_json_is_the_error_body_of_rest(
    etter: Etter, arguments: tuple[str, ...], field: str, told: str
) -> None:
    """A program reads one form of error, whoever finds it; a box of text is for people."""
    ran = etter(*arguments, "--json")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.error["error"] == "VALIDATION_ERROR"
    assert ran.error["recoverable"] is False
    (problem,) = ran.error["fields"]
    assert problem["field"] == field
    assert told in problem["message"]
    assert "--help`" in ran.error["message"]


def test_every_command_that_ends_by_itself_takes_json(etter: Etter) -> None:
    """README says so; what stays up, or shows something to people, has nothing to answer."""
    lacking = re.findall(
        r"^## `etter ([a-z ]+)`$(?!(?:(?!^## )[\s\S])*--json)", etter("docs").stdout, re.MULTILINE
    )
    assert lacking == ["up", "demo", "worker"]


def test_wrong_usage_without_json_is_told_to_people(etter: Etter) -> None:
    """Typer's own box, without the words of the library that checks values."""
    ran = etter("roles", "Acme", "--state", "bogus")
    assert ran.code == 2
    assert "'bogus' is not one of" in ran.stderr
    assert "Value error" not in ran.stderr


def test_the_key_of_a_file_is_sent(etter: Etter, service: Served, tmp_path: Path) -> None:
    """A key on the command line would be seen by every user of the machine."""
    (tmp_path / "key").write_text("etk_something\n")
    assert etter("companies", "--key-file", "key").code == 0


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"two words", b"etk_\x00x"])
def test_a_file_without_one_key_is_2(
    etter: Etter, service: Served, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    ran = etter("companies", "--key-file", "key")
    assert ran.code == 2
    assert "--key-file" in ran.stderr


def test_a_running_etter_up_of_the_data_folder_is_found_on_another_port(
    etter: Etter, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8090 was taken when it started; its commands must not need --url for that."""
    monkeypatch.setenv("ETTER_PORT", "9")
    assert etter("companies").code == 3
    with sole(service.settings):
        announce(service.settings, Running(service.url, "http://127.0.0.1:9", os.getpid()))
        assert etter("companies").code == 0
    assert etter("companies").code == 3
