"""Pushing the taxonomy's roles that nobody has pushed yet, once they can be assessed."""

from __future__ import annotations

from dataclasses import dataclass

from etter_dagster.model.identity import derived_workflow_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import Source
from etter_dagster.model.role import Role
from etter_dagster.model.taxonomy_changes import ACTIVE
from etter_dagster.onboarding.accept import Accepted, accept_many
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.known import catalogued_jd
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.sample_data import sample_roles

AT_ONCE = 2_000
PUSHED_BY = "taxonomy_sensor"


@dataclass(frozen=True)
class NewRolesPushed:
    """`last` is the sequence to go on behind, 0 at the end."""

    last: int
    pushed: int
    refused: int
    not_assessable: int


async def push_new_roles(services: Services, after: int) -> NewRolesPushed:
    """Pushes new roles of the taxonomy that have a Draup role and a job description, each once.

    A push that was cancelled is not sent again: its id follows from the role.

    Args:
        services: Stores.
        after: The sequence of the last role looked at.
    """
    drafts = await services.graph.roles_in(
        [RoleStatus.DRAFT, RoleStatus.VALIDATION_ERROR], after=after, limit=AT_ONCE
    )
    samples = sample_roles()
    new = [r for r in drafts if _is_listed(r) and r.taxonomy not in samples]
    ready = {_workflow_id(role): role for role in new if _can_be_assessed(role)}
    sent = await find_pushes(services, list(ready)) if ready else {}
    orders = [_order(role, wid) for wid, role in ready.items() if wid not in sent]
    answers = await accept_many(services, orders) if orders else []
    pushed = sum(isinstance(answer, Accepted) for answer in answers)
    return NewRolesPushed(
        last=drafts[-1].sequence if len(drafts) == AT_ONCE else 0,
        pushed=pushed,
        refused=len(answers) - pushed,
        not_assessable=len(new) - len(ready),
    )


def _is_listed(role: Role) -> bool:
    return role.taxonomy is not None and role.taxonomy.status == ACTIVE


def _can_be_assessed(role: Role) -> bool:
    has_text = bool(role.jd_hash or role.documents_hash) or catalogued_jd(role)
    return bool(role.inputs.draup_role) and has_text


def _workflow_id(role: Role) -> str:
    return derived_workflow_id("taxonomy", role.role_id)


def _order(role: Role, workflow_id: str) -> PushOrder:
    return PushOrder(
        company_id=role.company_id,
        role_name=role.role_name,
        source=Source.TAXONOMY,
        created_by=PUSHED_BY,
        workflow_id=workflow_id,
    )
