"""`etter push`: one role, or many out of a file. How each is done is in `push_one`, `push_many`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etter_dagster.cli.service import Json, KeyFile, Url
from etter_dagster.model.errors import FieldProblem, ValidationFailed


def push(
    company: Annotated[
        str | None,
        typer.Argument(metavar="COMPANY", help="The company's name.", show_default=False),
    ] = None,
    role: Annotated[
        str | None, typer.Argument(metavar="ROLE", help="The role's name.", show_default=False)
    ] = None,
    document: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What describes the role: PDF, DOCX, HTML, Markdown, text. A job description; for "
            "another kind: process_map=FILE, sop=FILE, other=FILE. May be repeated.",
            show_default=False,
        ),
    ] = None,
    draup_role: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The standard role it maps to.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV|FOLDER",
            help="Many roles: a CSV with the columns company, role, draup_role, jd and perhaps "
            "draup_role_id, or a folder in which each file is one role of --company.",
            show_default=False,
        ),
    ] = None,
    of_company: Annotated[
        str | None,
        typer.Option(
            "--company",
            metavar="NAME",
            help="With --file: the company of the roles in a folder.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Assess again, even if nothing has changed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --file: read and check the file, push nothing.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the end; 1 unless everything is ready.")
    ] = False,
    url: Url = None,
    key_file: KeyFile = None,
    json: Json = False,
) -> None:
    """Pushes a role, or with --file many: each gets its AI assessment."""
    if file is not None:
        _refuse("--file", COMPANY=company, ROLE=role, **{"--document": document or None})
        from etter_dagster.cli.push_many import push_file

        push_file(
            file,
            company=of_company,
            draup_role=draup_role,
            force=force,
            dry_run=dry_run,
            wait=wait,
            url=url,
            key_file=key_file,
            json=json,
        )
        return
    if company is None or role is None:
        raise ValidationFailed(FieldProblem("COMPANY ROLE", "give both, or --file CSV|FOLDER"))
    _refuse("COMPANY ROLE", **{"--company": of_company, "--dry-run": dry_run or None})
    from etter_dagster.cli.push_one import push_role

    push_role(
        company,
        role,
        documents=document or [],
        draup_role=draup_role,
        force=force,
        wait=wait,
        url=url,
        key_file=key_file,
        json=json,
    )


def _refuse(kind: str, **given: object) -> None:
    """Options of the other way to push are a mistake, not something to overlook."""
    if names := [name for name, value in given.items() if value is not None]:
        raise ValidationFailed(*(FieldProblem(name, f"does not go with {kind}") for name in names))
