"""`etter export` and `etter import`: the whole graph as lines of JSON. Needs no running service."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from etter_dagster.cli.naming import unknown_company
from etter_dagster.cli.service import Json
from etter_dagster.model.errors import FieldProblem, ValidationFailed

if TYPE_CHECKING:
    from etter_dagster.stores import RoleGraph

_STANDARD = Path("-")


def export(
    file: Annotated[
        Path, typer.Option("--file", metavar="FILE", help="Where to; standard output, if `-`.")
    ] = _STANDARD,
    company: Annotated[
        str | None, typer.Option("--company", metavar="NAME", help="Only this company's.")
    ] = None,
    json: Json = False,
) -> None:
    """Writes all roles, documents, assessments, ended pushes and the audit log as lines of JSON.

    What waits or is at work is not in it: pushes are in the queue.
    """
    import asyncio

    from etter_dagster.cli.output import counted, print_json, say
    from etter_dagster.model.identity import normalize_name
    from etter_dagster.onboarding.portable import exported

    async def write(out: IO[str]) -> int:
        count = 0
        async with _graph() as graph:
            name = normalize_name(company) if company is not None else None
            if name is not None:
                await _require_known(graph, name)
            async for line in exported(graph, name):
                out.write(line + "\n")
                count += 1
        return count

    with _whole_file(file) as out:
        lines = asyncio.run(write(out))
    if json and file != _STANDARD:
        print_json({"lines": lines})
    else:
        say(f"{counted(lines, 'line')} written")


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Of `etter export`; standard input, if `-`.")
    ],
    json: Json = False,
) -> None:
    """Puts an export back, usually into empty stores.

    Repeated, it changes nothing; a role that was worked on here since stays as it is.
    """
    import asyncio

    from etter_dagster.cli.output import print_facts, print_json
    from etter_dagster.onboarding.portable import restore

    async def read(lines: IO[str]) -> dict[str, int]:
        async with _graph() as graph:
            return await restore(graph, lines)

    try:
        with contextlib.ExitStack() as stack:
            lines = (
                sys.stdin if file == _STANDARD else stack.enter_context(file.open(encoding="utf-8"))
            )
            count = asyncio.run(read(lines))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ValidationFailed(FieldProblem("FILE", f"{file} cannot be read: {reason}")) from None
    if json:
        print_json(count)
    else:
        print_facts(count.items())


async def _require_known(graph: RoleGraph, company: str) -> None:
    """Of a deleted company the audit log is left, and that is exported."""
    if company not in (known := await graph.companies()):
        entries, _ = await graph.audit([company], cursor=None, limit=1)
        if not entries:
            raise unknown_company(company, known)


@contextlib.asynccontextmanager
async def _graph() -> AsyncIterator[RoleGraph]:
    from etter_dagster.cli.store_settings import settings_of_stores
    from etter_dagster.stores import open_graph

    graph = open_graph(settings_of_stores())
    try:
        yield graph
    finally:
        await graph.close()


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[IO[str]]:
    """A file for its owner alone that is there when it is whole; or standard output."""
    if path == _STANDARD:
        yield sys.stdout
        return
    draft = path.with_name(path.name + ".part")
    try:
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, path)
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror}"
        raise ValidationFailed(FieldProblem("--file", what)) from None
    finally:
        draft.unlink(missing_ok=True)
