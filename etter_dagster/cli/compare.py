"""`etter compare`: what changed between two assessments of a role, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etter_dagster.cli.naming import explained, role_id_of
from etter_dagster.cli.service import Json, KeyFile, Url, connect
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.identity import is_role_id

if TYPE_CHECKING:
    from etter_dagster.model.comparison import Comparison


def compare(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="ROLE_ID|COMPANY ROLE [FROM] [TO]",
            help="The role, by its id or by company and name, and two ids of assessments: FROM is "
            "the one before TO, TO the current one, if left out.",
            show_default=False,
        ),
    ],
    url: Url = None,
    key_file: KeyFile = None,
    json: Json = False,
) -> None:
    """Compares two assessments of a role: scores, tasks, and why they differ.

    `etter show ROLE_ID --history` lists their ids.
    """
    from etter_dagster.cli.output import print_json

    role, before, after = _named(named)
    name = None if is_role_id(named[0]) else named[1]
    with connect(url, key_file) as service, explained(service, named[0], name):
        found = service.compare_assessments(role, before=before, after=after)
    print_json(found) if json else _print(found)


def _named(words: list[str]) -> tuple[str, str | None, str | None]:
    """The role's id and the two assessments."""
    by_id = is_role_id(words[0])
    role = words[0] if by_id else role_id_of(words[0], words[1] if len(words) > 1 else None)
    ids = words[1 if by_id else 2 :]
    if len(ids) > 2:
        raise ValidationFailed(FieldProblem("TO", "is the last argument; leave out the others"))
    before, after = [*ids, None, None][:2]
    return role, before, after


def _print(found: Comparison) -> None:
    from etter_dagster.cli.output import clean, print_facts, print_table, tell

    print_facts(
        [
            ("from", f"{found.before.assessment_id}, {clean(found.before.created_at)}"),
            ("to", f"{found.after.assessment_id}, {clean(found.after.created_at)}"),
            *(("why", cause.message) for cause in found.causes),
        ]
    )
    tell()
    print_table(
        ["score", "before", "now", "change"],
        [[s.name, s.before, s.after, _change(s.before, s.after)] for s in found.scores],
    )
    if rows := found.rows():
        tell()
        print_table(["change", "task", "before", "now"], [list(row) for row in rows])
    print_facts([("tasks as before", found.tasks.unchanged)])


def _change(before: float | None, after: float | None) -> float | None:
    """Of the scores as they are shown, so that the three numbers add up."""
    if before is None or after is None:
        return None
    return round(after, 1) - round(before, 1)
