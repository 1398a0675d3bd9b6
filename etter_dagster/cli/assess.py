"""`etter assess`: documents assessed here and now by the built-in assessor, with no service."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from etter_dagster.cli.failures import DONE, FAILED, end, exit_code
from etter_dagster.model.errors import EtterError, FieldProblem, ValidationFailed


def assess(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Job descriptions: PDF, DOCX, HTML, Markdown, text.",
            show_default=False,
        ),
    ] = None,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help='Read lines {"id", "text"} from standard input; write lines {"id", "scores", '
            '"tasks"} in that order. A bad line gives {"id", "error"}.',
        ),
    ] = False,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="A JSON list on standard output, one entry a file.",
        ),
    ] = False,
) -> None:
    """Assesses job descriptions with the built-in assessor: no service, nothing is kept."""
    if jsonl == bool(files):
        what = "not both" if jsonl else "one of them"
        raise ValidationFailed(FieldProblem("FILE", f"give files or --jsonl, {what}"))
    if jsonl:
        from etter_dagster.cli.jsonl import assess_lines

        bad = assess_lines(sys.stdin.buffer, sys.stdout)
        end(FAILED if bad else DONE)
    end(_assess_files(files or [], json=json))


def _assess_files(files: Sequence[Path], *, json: bool) -> int:
    """Exit code: that of the last failure; one bad file never hides the others."""
    from etter_dagster.cli.failures import show_error
    from etter_dagster.cli.files import read_text
    from etter_dagster.cli.jsonl import assessed
    from etter_dagster.cli.output import print_json

    results: list[dict[str, Any]] = []
    code = DONE
    for path in files:
        try:
            result = {"id": str(path), **assessed(read_text(path, field="FILE"), title=None)}
        except EtterError as error:
            code = exit_code(error.code)
            if json:
                results.append({"id": str(path), "error": error.message})
            else:
                show_error(error, as_json=False)
            continue
        results.append(result)
        if not json:
            _print(result, named=len(files) > 1)
    if json:
        print_json(results)
    return FAILED if code and len(files) > 1 else code


def _print(result: dict[str, Any], *, named: bool) -> None:
    from etter_dagster.cli.look import print_scores, print_tasks
    from etter_dagster.cli.output import print_facts, tell

    if named:
        print_facts([("file", result["id"])])
    print_scores(result["scores"])
    print_tasks(result["tasks"])
    tell()
