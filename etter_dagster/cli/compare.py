"""`etter compare`: what changed between two assessments of a role, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etter_dagster.cli.service import Json, KeyFile, Url, connect

if TYPE_CHECKING:
    from etter_dagster.model.comparison import Comparison


def compare(
    role: Annotated[
        str, typer.Argument(metavar="ROLE_ID", help="The role's id.", show_default=False)
    ],
    before: Annotated[
        str | None,
        typer.Argument(
            metavar="FROM",
            help="An assessment's id; the one before TO, if left out.",
            show_default=False,
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Argument(
            metavar="TO",
            help="An assessment's id; the current one, if left out.",
            show_default=False,
        ),
    ] = None,
    url: Url = None,
    key_file: KeyFile = None,
    json: Json = False,
) -> None:
    """Compares two assessments of a role: scores, tasks, and why they differ.

    `etter show ROLE_ID --history` lists their ids.
    """
    from etter_dagster.cli.output import print_json

    with connect(url, key_file) as service:
        found = service.compare_assessments(role, before=before, after=after)
    print_json(found) if json else _print(found)


def _print(found: Comparison) -> None:
    from etter_dagster.cli.output import print_facts, print_table, tell

    print_facts(
        [
            ("from", f"{found.before.assessment_id}, {found.before.created_at}"),
            ("to", f"{found.after.assessment_id}, {found.after.created_at}"),
            *(("why", cause.message) for cause in found.causes),
        ]
    )
    tell()
    print_table(
        ["score", "before", "now", "change"],
        [[s.name, s.before, s.after, s.change] for s in found.scores],
    )
    if rows := found.rows():
        tell()
        print_table(["change", "task", "before", "now"], [list(row) for row in rows])
    print_facts([("tasks as before", found.tasks.unchanged)])
