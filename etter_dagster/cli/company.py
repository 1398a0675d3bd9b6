"""`etter company delete`: everything of a company, out of all stores. Needs no running service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etter_dagster.cli.service import Json, user
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.identity import name_problem, normalize_name

if TYPE_CHECKING:
    from etter_dagster.orchestration.company import Deleted

company = typer.Typer(name="company", help="Deletes a company.", no_args_is_help=True)


@company.callback()
def _company() -> None:
    """Deletes a company."""  # a group, although it has one command


@company.command()
def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `etter companies` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Deletes all roles, documents, assessments and pushes of a company; there is no way back.

    Revoke its keys and take it out of the taxonomy before, or it comes back. The audit log keeps
    its entries, and the ledger when paid calls were made and what they cost, without their answers.
    Refused while its pushes are worked on; one that broke off can be repeated.
    """
    import asyncio
    from dataclasses import asdict

    from etter_dagster.cli.output import counted, print_json, say

    company_id = normalize_name(name)
    if problem := name_problem("NAME", company_id):
        raise ValidationFailed(problem)
    gone = asyncio.run(_delete(company_id, yes))
    if json:
        print_json(asdict(gone))
        return
    pushes = counted(gone.pushes, "push", "pushes")
    say(f"deleted: {counted(gone.roles, 'role')}, and {pushes} in the queue")
    paid = counted(gone.paid_calls_kept, "paid call")
    ledger = f", and in the ledger when {paid} of it began and what they cost"
    say(f"kept: its audit log{ledger if gone.paid_calls_kept else ''}")


async def _delete(company_id: str, yes: bool) -> Deleted:
    from etter_dagster.cli.store_settings import settings_of_stores
    from etter_dagster.onboarding.services import open_services
    from etter_dagster.orchestration.company import delete_company, role_ids_of
    from etter_dagster.orchestration.runless import open_instance

    settings = settings_of_stores()
    services = open_services(settings)
    try:
        with open_instance(settings) as instance:
            roles = len(await role_ids_of(services, company_id))
            if not yes:
                _ask(company_id, roles)
            return await delete_company(services, instance, company_id, created_by=user())
    finally:
        await services.close()


def _ask(company_id: str, roles: int) -> None:
    from etter_dagster.cli.output import clean, counted

    question = f"Delete '{clean(company_id)}' with its {counted(roles, 'role')} for good?"
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:  # nobody is there to answer
        agreed = False
    if not agreed:
        what = "was not given and the question not answered with y: nothing is deleted"
        raise ValidationFailed(FieldProblem("--yes", what))
