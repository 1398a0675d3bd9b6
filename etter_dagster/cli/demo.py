"""`etter demo`: the sample roles from a push to their scores, with everything embedded.

A service of its own in `.demo`, whatever this machine is set up for; its processes log to a file
there, so that the screen shows the roles.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from etter_dagster.cli.demo_roles import DemoRole
    from etter_dagster.cli.engine import Engine
    from etter_dagster.settings import Settings

FOLDER = ".demo"
_LOOK_SECONDS = 0.1
_TOO_LONG_SECONDS = 300.0  # with the built-in assessor, all take a second
# What of the surroundings counts here: never a store, a source or a key of a real installation.
_TAKEN_OVER = ("ETTER_PORT", "ETTER_DAGSTER_PORT", "ETTER_LOG_LEVEL")
_ASSESSORS = (
    "ETTER_ASSESSOR", "ETTER_WORKFLOW_API_", "ETTER_LLM_", "ETTER_BUDGET_", "ETTER_COST_",
)  # fmt: skip


def demo(
    company: Annotated[
        str | None, typer.Option(help="Only the sample roles of this company.", show_default=False)
    ] = None,
    role: Annotated[
        str | None, typer.Option(help="Only the sample role of this name.", show_default=False)
    ] = None,
    real: Annotated[
        bool,
        typer.Option(
            "--use-real-assessment",
            help="Assess with the service that ETTER_ASSESSOR names, not with the built-in one.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Assess anew what an earlier demo has made ready.")
    ] = False,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            envvar="DEMO_ONCE",
            help="End after the table: 0 if every role is ready, else 1.",
        ),
    ] = False,
) -> None:
    """Shows the sample roles from a push to their scores, all embedded, in the folder .demo."""
    from etter_dagster.cli.demo_roles import choose
    from etter_dagster.cli.output import out
    from etter_dagster.cli.up import require_startable, sole_or_unavailable, stop_signals

    chosen = choose(company, role)
    settings = embedded(Path.cwd() / FOLDER, real=real)
    require_startable(settings)
    console = out()
    if real and settings.assessor == "exposure":
        console.print(
            "No assessment service is configured (ETTER_ASSESSOR=workflow_api or llm): "
            "the built-in assessor does it."
        )
    with stop_signals() as stop, sole_or_unavailable(settings):
        done = Demonstration(settings, console, stop, real=real, force=force).run(chosen, once)
    raise typer.Exit(0 if done else 1)


def embedded(folder: Path, *, real: bool) -> Settings:
    """Settings of a service on its own, which its processes get through their environment.

    Args:
        folder: For all of its state; becomes the current one, so that no `.env` is read again.
        real: Whether the configured assessor is used.
    """
    from dotenv import dotenv_values

    from etter_dagster.cli.up import make_folder
    from etter_dagster.settings import Settings

    make_folder(folder, "the current folder")
    kept = _TAKEN_OVER + (_ASSESSORS if real else ())
    given = {**dotenv_values(".env"), **os.environ}
    for name in [n for n in os.environ if n.startswith("ETTER_") or n == "DAGSTER_HOME"]:
        del os.environ[name]
    os.environ.update({n: v for n, v in given.items() if v and n.upper().startswith(kept)})
    os.environ["ETTER_DATA_DIR"] = str(folder)
    os.chdir(folder)
    return Settings()


class Demonstration:
    """One demonstration, from the start of its processes to their end.

    Args:
        settings: Of a service of its own.
        console: Where it is shown.
        stop: Set by Ctrl-C.
        real: Assess as configured, not with the built-in assessor.
        force: Assess anew what is ready already.
    """

    def __init__(
        self,
        settings: Settings,
        console: Console,
        stop: threading.Event,
        *,
        real: bool,
        force: bool,
    ) -> None:
        self.settings = settings
        self.console = console
        self.stop = stop
        self.real = real
        self.force = force

    def run(self, roles: list[DemoRole], once: bool) -> bool:
        """Shows the roles getting ready; whether all are.

        Args:
            roles: Those to push.
            once: End after the table instead of staying up.
        """
        from etter_dagster.cli.demo_table import print_pages, score_table

        with self._service() as engine:
            if engine is None:
                return False
            started = time.monotonic()
            roles = self._onboard(engine, roles)
            seconds = time.monotonic() - started
            url = engine.settings.dagster_url
            self.console.print(score_table(roles, url))
            print_pages(self.console, roles)
            ready = sum(_is_ready(role) for role in roles)
            self.console.print(
                f"\n{ready} of {len(roles)} roles ready after {seconds:.1f} s\n"
                f"  Etter    {engine.settings.rest_base_url}/dashboard\n"
                f"  REST     {engine.settings.rest_base_url}/api/v1/pipeline\n"
                f"  Dagster  {url}/assets/ai_assessment",
                soft_wrap=True,
            )
            if not once and not self.stop.is_set():
                self._stay(engine)
        return ready == len(roles)

    @contextmanager
    def _service(self) -> Iterator[Engine | None]:
        """The running service; None if told to stop before it ran."""
        from etter_dagster.cli.engine import Engine, NotReady
        from etter_dagster.cli.up import moved_ports

        log = self.settings.data_dir / "demo.log"
        with log.open("w", buffering=1, encoding="utf-8") as file:
            engine = Engine(self.settings, _into(file))
            for line in moved_ports(self.settings, engine):
                self.console.print(line)
            try:
                with self.console.status("starting REST, Dagster's webserver and its daemon ..."):
                    engine.start()
                    runs = engine.wait_ready(self.stop)
                yield engine if runs else None
            except NotReady as error:
                raise NotReady(f"{error}; the log is {log}") from error
            finally:
                with self.console.status("ending ..."):
                    engine.stop()

    def _onboard(self, engine: Engine, roles: list[DemoRole]) -> list[DemoRole]:
        """Pushes the roles and follows them to their ends."""
        from etter_dagster.cli.demo_roles import look, push
        from etter_dagster.client import EtterClient

        deadline = None if self.real else time.monotonic() + _TOO_LONG_SECONDS
        with EtterClient(engine.settings.rest_base_url) as client, self._display(roles) as show:
            for number, role in enumerate(roles):
                roles[number] = push(client, role, real=self.real, force=self.force)
                show(roles)
            while not all(role.ended for role in roles) and not self.stop.wait(_LOOK_SECONDS):
                engine.tend()
                roles = [look(client, role) for role in roles]
                show(roles)
                if deadline is not None and time.monotonic() > deadline:
                    self.console.print(f"not all ready after {_TOO_LONG_SECONDS:.0f} s")
                    break
        return roles

    @contextmanager
    def _display(self, roles: list[DemoRole]) -> Iterator[Callable[[list[DemoRole]], None]]:
        """A table that changes in place; a line for each change where there is no terminal."""
        from rich.live import Live

        from etter_dagster.cli.demo_table import line, progress_table

        if self.console.is_terminal:
            with Live(
                progress_table(roles), console=self.console, transient=True, auto_refresh=False
            ) as live:
                yield lambda now: live.update(progress_table(now), refresh=True)
            return
        said: set[str] = set()

        def say(now: list[DemoRole]) -> None:
            for text in (line(role) for role in now if role.state):
                if text not in said:
                    said.add(text)
                    self.console.print(text, soft_wrap=True)

        yield say

    def _stay(self, engine: Engine) -> None:
        self.console.print("\nCtrl-C ends it. Meanwhile, from another terminal:")
        command = f"{sys.argv[0]} companies --url {engine.settings.rest_base_url}"
        self.console.print(f"  {command}", soft_wrap=True)
        while not self.stop.wait(0.2):
            engine.tend()


def _is_ready(role: DemoRole) -> bool:
    return role.state is not None and role.state.value == "ready"


def _into(file: TextIO) -> Callable[[str, str], None]:
    def say(name: str, line: str) -> None:
        if not file.closed:  # a process that is killed late may still have said something
            file.write(f"{name:>7} | {line}\n")

    return say
