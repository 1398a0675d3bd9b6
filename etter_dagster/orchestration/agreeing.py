"""Dagster and the graph brought together: what differs, and telling Dagster again."""

from __future__ import annotations

import asyncio

import dagster as dg

from etter_dagster.model.agreement import Disagreement, disagreement, expected_version
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.onboarding.ai_assessment import AiAssessment, assessment_made
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.collecting import rare_collections
from etter_dagster.onboarding.overview import roles_in
from etter_dagster.onboarding.role_setup import RoleSetup, documents_linked, role_made
from etter_dagster.onboarding.services import Services
from etter_dagster.orchestration.events import data_versions
from etter_dagster.orchestration.partitions import add_partitions
from etter_dagster.orchestration.reporter import DagsterReporter
from etter_dagster.orchestration.runless import runless_reporter, tell_given_up

_AT_ONCE = 50
SETTLED = [state for state in RoleStatus if state.settled]


async def find_disagreement(services: Services, instance: dg.DagsterInstance) -> Disagreement:
    """What Dagster shows of roles otherwise than the graph; changes nothing.

    A role in work may be among them for a moment.

    Args:
        services: Graph.
        instance: Who is asked.
    """
    # Dagster first: what is made meanwhile is then missing here, not unknown there.
    partitions = set(await asyncio.to_thread(instance.get_dynamic_partitions, "roles"))
    shown = await asyncio.to_thread(data_versions, instance, "ai_assessment")
    with rare_collections():
        expected = {
            role.role_id: expected_version(role) async for role in roles_in(services, SETTLED)
        }
    return disagreement(expected, partitions, shown)


async def reconcile(services: Services, instance: dg.DagsterInstance) -> Disagreement:
    """Makes Dagster, queue and graph agree again; gives what differed.

    Ended pushes get into the history, missing partitions are added, and assessments that Dagster
    does not show as they are are reported to it. The graph is the authority; nothing is assessed.
    Partitions of roles that the graph does not know are left: their history may be wanted.

    Args:
        services: Stores.
        instance: Who is told.
    """
    while await archive(services, tell=tell_given_up(instance)):
        pass
    found = await find_disagreement(services, instance)
    await asyncio.to_thread(add_partitions, instance, found.no_partition)
    active = await services.queue.active(found.to_report)
    reporter = runless_reporter(instance, services.steps)
    try:
        idle = [role_id for role_id in found.to_report if role_id not in active]
        for start in range(0, len(idle), _AT_ONCE):  # events of one block are stored together
            roles = idle[start : start + _AT_ONCE]
            await asyncio.gather(*(_report(services, reporter, role_id) for role_id in roles))
    finally:
        reporter.close()
    return found


async def _report(services: Services, reporter: DagsterReporter, role_id: str) -> None:
    """Reports an assessment with the inputs that it was made from, then the inputs of now."""
    role = await services.graph.role(role_id)
    assessment = await services.graph.current_assessment(role_id)
    if role is None or assessment is None:
        return
    documents = await services.graph.documents(role_id)
    inputs = assessment.inputs
    then = role.model_copy(
        update={
            "jd_hash": inputs.jd_hash,
            "documents_hash": inputs.documents_hash,
            "draup_role_name": inputs.draup_role,
        }
    )
    version = AiAssessment().code_version_by(assessment.assessor)
    made = assessment_made(services.settings, role, assessment, version, {"reconciled": True})
    await reporter.materialized(role_made(then, RoleSetup.code_version))
    await reporter.materialized(documents_linked(then, documents, RoleSetup.code_version))
    await reporter.materialized(made)
    if role.inputs != inputs:
        await reporter.materialized(role_made(role, RoleSetup.code_version))
        await reporter.materialized(documents_linked(role, documents, RoleSetup.code_version))
