"""The command line's commands, put together. What a command does is in the module of its name.

This is imported at every start: commands import what they need when they run.
"""

from __future__ import annotations

from typing import Annotated

import typer

from etter_dagster import __version__
from etter_dagster.cli.acting import cancel, retry
from etter_dagster.cli.assess import assess
from etter_dagster.cli.company import company
from etter_dagster.cli.compare import compare
from etter_dagster.cli.demo import demo
from etter_dagster.cli.doctor import doctor
from etter_dagster.cli.drain import drain
from etter_dagster.cli.failures import EtterGroup
from etter_dagster.cli.format import format_file
from etter_dagster.cli.keys import keys
from etter_dagster.cli.look import companies, roles, show
from etter_dagster.cli.migrate import migrate
from etter_dagster.cli.nightly import nightly, plan
from etter_dagster.cli.portable import export, import_
from etter_dagster.cli.push import push
from etter_dagster.cli.reconcile import reconcile
from etter_dagster.cli.reference import docs
from etter_dagster.cli.status import status
from etter_dagster.cli.up import up
from etter_dagster.cli.worker import worker

app = typer.Typer(
    name="etter",
    cls=EtterGroup,
    help="Onboards job roles: push a role, get its AI assessment on a dashboard.",
    epilog="Exit codes: 0 done, 1 something failed, 2 wrong usage or input, 3 not reachable.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=True,
)
PANELS = {
    "Start": (up, demo),
    "Push": (push, status, retry, cancel),
    "Look": (companies, roles, show, compare),
    "Operate": (worker, drain, plan, nightly, reconcile, migrate, export, import_, doctor),
    "Without a service": (assess, format_file),
}
for panel, commands in PANELS.items():
    for command in commands:
        # Two commands have names that Python has given away.
        name = {format_file: "format", import_: "import"}.get(command)
        app.command(name, rich_help_panel=panel)(command)
app.add_typer(keys, rich_help_panel="Operate")
app.add_typer(company, rich_help_panel="Operate")
app.command(hidden=True)(docs)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"etter {__version__}")
        raise typer.Exit


@app.callback()
def _etter(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass
