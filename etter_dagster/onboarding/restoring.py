"""Whether a push finds its assessment made already, so that nothing is paid for it."""

from __future__ import annotations

from datetime import timedelta

from etter_dagster.model.assessment import Assessment, AssessmentInputs, AssessorInfo
from etter_dagster.model.catalogue import mapping_given
from etter_dagster.model.documents import DocumentType, documents_hash
from etter_dagster.model.role import Role
from etter_dagster.onboarding.check import Checked
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.stale import reasons_now


def restores_current(services: Services, checked: Checked) -> bool:
    """Whether a push will find the role's current assessment true again; asks nobody.

    Args:
        services: Assessors, settings, clock.
        checked: An order that passed the checks.
    """
    role = checked.role
    if role is None or role.current is None or not _may_restore(services, checked):
        return False
    return not reasons_now(services, role, inputs=inputs_after(checked, role))


async def restores(services: Services, checked: Checked) -> bool:
    """The same for any finished assessment of the role, also an earlier one; asks the graph.

    Args:
        services: Graph, assessors, settings, clock.
        checked: An order that passed the checks.
    """
    role = checked.role
    if role is None or role.current is None or not _may_restore(services, checked):
        return False
    inputs = inputs_after(checked, role)
    assessor = services.assessors.configured.info
    return await finished_assessment(services, role, inputs, assessor) is not None


def _may_restore(services: Services, checked: Checked) -> bool:
    """Where nothing is ever paid, or a new one is wanted, the question does not come up."""
    order = checked.order
    return not (services.assessors.guard is None or order.use_mock or order.options.force_rerun)


async def finished_assessment(
    services: Services, role: Role, inputs: AssessmentInputs, assessor: AssessorInfo
) -> Assessment | None:
    """The newest finished one that is young enough to become the current one again.

    Args:
        services: Graph, settings, clock.
        role: The role.
        inputs: Its inputs, as linked or as they will be.
        assessor: Whose.
    """
    oldest = services.clock() - timedelta(days=services.settings.max_assessment_age_days)
    return await services.graph.find_assessment(
        role.role_id, inputs.inputs_hash, assessor.key, not_before=oldest
    )


def inputs_after(checked: Checked, role: Role) -> AssessmentInputs:
    """The role's inputs as they will be once the order's documents and Draup role are linked."""
    request = checked.request
    mapped = role.model_copy(update=mapping_after_push(checked, role))
    linked = linked_documents(request.documents, role.updated_at)
    jds = [doc for doc in linked if doc.type is DocumentType.JOB_DESCRIPTION]
    others = [doc for doc in linked if doc.type is not DocumentType.JOB_DESCRIPTION]
    return AssessmentInputs.model_validate(
        {
            "role_id": role.role_id,
            "jd_hash": jds[-1].content_hash if jds else role.jd_hash,
            "documents_hash": documents_hash(others) if others else role.documents_hash,
            "draup_role": mapped.inputs.draup_role,
        }
    )


def mapping_after_push(checked: Checked, role: Role) -> dict[str, str | None]:
    """What the order makes of the role's Draup role; empty if it names none."""
    request = checked.request
    return mapping_given(
        role, draup_role_id=request.draup_role_id, draup_role_name=request.draup_role_name
    )
