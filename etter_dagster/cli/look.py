"""Looking at companies, roles and assessments. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from etter_dagster.cli.naming import PAGE, explained, require_company, role_id_of
from etter_dagster.cli.service import Json, KeyFile, Url, connect
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.lifecycle import RoleStatus

if TYPE_CHECKING:
    from etter_dagster.cli.calling import Service
    from etter_dagster.onboarding.documents import DocumentView
    from etter_dagster.onboarding.roles import AssessmentView
    from etter_dagster.onboarding.views import RolesPage


def companies(url: Url = None, key_file: KeyFile = None, json: Json = False) -> None:
    """Lists the companies."""
    from etter_dagster.cli.output import print_json, print_table

    with connect(url, key_file) as service:
        found = service.companies()
    if json:
        print_json(found)
    else:
        print_table(["company"], [[name] for name in found.companies])


def roles(
    company: Annotated[
        str, typer.Argument(metavar="COMPANY", help="The company's name.", show_default=False)
    ],
    state: Annotated[
        RoleStatus | None,
        typer.Option(
            metavar="STATE",
            help=f"Only roles in this state: {', '.join(RoleStatus)}.",
            show_default=False,
        ),
    ] = None,
    q: Annotated[
        str | None,
        typer.Option(
            "--q",
            metavar="TEXT",
            help="Part of the role's or its Draup role's name.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="At most so many rows.", min=1)] = 50,
    every: Annotated[bool, typer.Option("--all", help="All rows, however many.")] = False,
    cursor: Annotated[
        str | None,
        typer.Option(
            metavar="CURSOR", help="Go on where an earlier list ended.", show_default=False
        ),
    ] = None,
    url: Url = None,
    key_file: KeyFile = None,
    json: Json = False,
) -> None:
    """Lists the roles of a company with their states and scores."""
    from etter_dagster.cli.output import counted, print_json, print_table, say
    from etter_dagster.model.staleness import said_reason

    with connect(url, key_file) as service:
        page = _roles(
            service, company, state=state, q=q, cursor=cursor, limit=None if every else limit
        )
        if not page.total_count:
            require_company(service, company)
    if json:
        print_json(page)
        return
    ids = print_table(
        ["role", "Draup role", "state", "score", "assessed", "stale because", "role id"],
        [
            [
                r.job_title,
                r.draup_role,
                r.state,
                r.ai_automation_score,
                r.assessed_at,
                "; ".join(map(said_reason, r.stale_reasons)),
                r.role_id,
            ]
            for r in page.roles
        ],
        spare="role id",
    )
    if page.roles and not ids:
        say("etter show COMPANY ROLE shows one; a wider window or --json has the ids")
    if page.next_cursor:
        say(f"{len(page.roles)} of {counted(page.total_count, 'role')}; --all shows all")
    elif not page.total_count:
        say("no such roles")


def _roles(
    service: Service,
    company: str,
    *,
    state: RoleStatus | None,
    q: str | None,
    cursor: str | None,
    limit: int | None,
) -> RolesPage:
    """So many rows, over as many pages as that takes."""
    rows: list[Any] = []
    while True:
        wanted = PAGE if limit is None else min(PAGE, limit - len(rows))
        page = service.roles(company, state=state, q=q, cursor=cursor, limit=wanted)
        rows += page.roles
        cursor = page.next_cursor
        if cursor is None or (limit is not None and len(rows) >= limit):
            return page.model_copy(update={"roles": tuple(rows)})


def show(
    role: Annotated[
        str,
        typer.Argument(
            metavar="ROLE_ID", help="The role's id, or its company.", show_default=False
        ),
    ],
    name: Annotated[
        str | None,
        typer.Argument(metavar="ROLE", help="With a company: the role.", show_default=False),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="All assessments of the role, newest first.")
    ] = False,
    jd: Annotated[
        bool,
        typer.Option("--jd", help="The role's documents, its JD under the usual headings."),
    ] = False,
    url: Url = None,
    key_file: KeyFile = None,
    json: Json = False,
) -> None:
    """Shows a role's assessment: scores, tasks, and why each task got its score."""
    from etter_dagster.cli.output import print_json

    found_id = role_id_of(role, name)
    if jd and history:
        raise ValidationFailed(FieldProblem("--jd", "cannot be combined with --history"))
    with connect(url, key_file) as service, explained(service, role, name):
        if jd:
            documents = service.documents(found_id)
            print_json(documents) if json else _print_documents(documents.documents)
        elif history:
            every = service.assessments(found_id)
            print_json(every) if json else _print_history(every.assessments)
        else:
            found = service.assessment(found_id)
            print_json(found) if json else _print_assessment(found)


def _print_documents(found: tuple[DocumentView, ...]) -> None:
    from etter_dagster.cli.output import clean, say, tell_text

    for document in found:
        say(
            f"{document.type.value} {document.name or ''}".strip()
            + f", {clean(document.linked_at)}"
        )
        if document.warning:
            say(document.warning)
        tell_text((document.formatted or document.content).removesuffix("\n"))
    if not found:
        say("no document is linked to this role; push it with one")


def _print_history(found: tuple[AssessmentView, ...]) -> None:
    from etter_dagster.cli.output import print_table

    print_table(
        ["made", "score", "assessor", "tasks", "assessment id"],
        [
            [
                a.created_at,
                a.scores.final_score,
                f"{a.assessor.name} {a.assessor.version}",
                len(a.tasks),
                a.assessment_id,
            ]
            for a in found
        ],
    )


def _print_assessment(found: AssessmentView) -> None:
    from etter_dagster.cli.output import print_facts, tell

    print_facts(
        [
            ("role", found.role_id),
            ("made", found.created_at),
            ("assessor", f"{found.assessor.name} {found.assessor.model} {found.assessor.version}"),
            *(
                (
                    f"stale, {reason.field}",
                    f"is {reason.stored}, now {reason.required}; {reason.remedy}",
                )
                for reason in found.stale_reasons
            ),
        ]
    )
    print_scores(found.scores.model_dump())
    print_tasks([task.model_dump() for task in found.tasks])
    if found.summary:
        tell()
        print_facts([("why", found.summary)])


def print_scores(scores: dict[str, Any]) -> None:
    """The scores of an assessment.

    Args:
        scores: As REST gives them.
    """
    from etter_dagster.cli.output import print_facts

    names = {
        "final_score": "score",
        "ai_automation_score": "automation score",
        "ai_automation_potential_score": "AI alone",
        "ai_augmentation_potential_score": "AI with people",
        "validated_ai_automation_score": "validated",
    }
    print_facts((label, scores.get(name)) for name, label in names.items())


def print_tasks(tasks: list[dict[str, Any]]) -> None:
    """The tasks of an assessment with what speaks for each score.

    Args:
        tasks: As REST gives them.
    """
    from etter_dagster.cli.output import print_table

    workload = any(task.get("workload") for task in tasks)
    print_table(
        ["score", "task", *(["workload"] if workload else []), "category", "why"],
        [
            [
                task["score"],
                task["task"],
                *([task.get("workload")] if workload else []),
                " ".join(filter(None, (task.get("category"), task.get("exposure")))),
                " ".join(task.get("evidence") or ()),
            ]
            for task in tasks
        ],
    )
