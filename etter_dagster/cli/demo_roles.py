"""The roles of the demonstration: which they are, pushing them, and how far each is.

Through REST like anybody's; nothing of the terminal belongs here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from etter_dagster.client import EtterClient
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed
from etter_dagster.model.identity import normalize_name
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import WorkflowOptions
from etter_dagster.onboarding.roles import AssessmentView
from etter_dagster.sample_data import sample_roles


@dataclass(frozen=True)
class DemoRole:
    """One sample role and how far it is; `state` is empty until it was pushed."""

    company: str
    role: str
    state: WorkflowState | None = None
    step: str = ""
    done: int = 0
    steps: int = 0
    role_id: str = ""
    workflow_id: str = ""
    page: str | None = None
    error: str = ""
    from_before: bool = False
    assessment: AssessmentView | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state is not None and self.state.terminal


def choose(company: str | None, role: str | None) -> list[DemoRole]:
    """The sample roles that are asked for, by names in any case.

    Args:
        company: Only of this company, unless None.
        role: Only of this name, unless None.

    Raises:
        ValidationFailed: There is none; names those that there are.
    """
    known = [(entry.company_name, entry.job_title) for entry in sample_roles()]
    companies = sorted({name for name, _ in known})
    chosen = [
        (its_company, its_role)
        for its_company, its_role in known
        if _same(company, its_company) and _same(role, its_role)
    ]
    if chosen:
        return [DemoRole(its_company, its_role) for its_company, its_role in chosen]
    if company is not None and not any(_same(company, name) for name in companies):
        raise _unknown("--company", company, companies)
    raise _unknown("--role", role or "", [r for c, r in known if _same(company, c)])


def _same(wanted: str | None, name: str) -> bool:
    return wanted is None or normalize_name(wanted).casefold() == name.casefold()


def _unknown(option: str, given: str, legal: Sequence[str]) -> ValidationFailed:
    names = ", ".join(repr(name) for name in legal)
    return ValidationFailed(FieldProblem(option, f"{given!r} is no sample; one of {names}"))


def push(client: EtterClient, role: DemoRole, *, real: bool, force: bool) -> DemoRole:
    """Pushes one role.

    Args:
        client: The service.
        role: What to push.
        real: Assess as configured, not with the built-in assessor.
        force: Assess anew what is ready already.

    Returns:
        The role as it then is; refused, it has failed with the reason.
    """
    try:
        accepted = client.push(
            role.company,
            role.role,
            options=WorkflowOptions(force_rerun=force),
            use_mock=not real,
            created_by="etter demo",
        )
    except EtterError as error:
        if error.code is not ErrorCode.ALREADY_PROCESSING:
            return replace(role, state=WorkflowState.FAILED, error=error.message)
        # From a demonstration that was ended in the middle; it is followed to its end.
        return look(client, replace(role, workflow_id=str(error.detail.get("workflow_id", ""))))
    return look(
        client,
        replace(
            role,
            workflow_id=accepted.workflow_id,
            role_id=accepted.role_id,
            from_before=accepted.status.terminal,
        ),
    )


def look(client: EtterClient, role: DemoRole) -> DemoRole:
    """How far a pushed role is now; one that has ended has its assessment.

    Args:
        client: The service.
        role: As it was before.
    """
    if role.ended:
        return role
    status = client.status(role.workflow_id)
    now = replace(
        role,
        role_id=status.role_id,
        state=status.status,
        step=status.current_step or "",
        done=status.progress.current,
        steps=status.progress.total,
        page=status.dashboard_url,
        error=status.error.message if status.error else "",
    )
    if now.state in (WorkflowState.READY, WorkflowState.DEGRADED):
        return replace(now, assessment=client.assessment(now.role_id))
    return now
