"""The other records: envelope, role, skills, taxonomy, and what the library takes and gives."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

import etter_dagster.model as model
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.envelope import Envelope, ExecutionContext
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import PushError
from etter_dagster.model.role import Role
from etter_dagster.model.skills import RoleSkill
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.model.workflow import RoleOnboardingInput, WorkflowResult
from etter_dagster_tests.model.records import NOW


def role(**changes: object) -> Role:
    given: dict[str, object] = {
        "role_id": "cr-acme-analyst-0123456789ab",
        "company_id": "Acme",
        "role_name": "Analyst",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Role.model_validate(given | changes)


@pytest.mark.parametrize("status", ["pending", "running", "completed", "failed"])
def test_an_envelope_has_one_of_four_states(status: str) -> None:
    assert Envelope(id="1", status=status).status == status


@pytest.mark.parametrize("status", ["ready", "", "completed\n", "xcompleted", "Completed"])
def test_another_state_of_an_envelope_is_refused(status: str) -> None:
    with pytest.raises(ValidationError, match="status"):
        Envelope(id="1", status=status)


def test_an_incoming_envelope_needs_only_id_inputs_and_context() -> None:
    """What another service sends; the rest is filled by whoever works on it."""
    sent = {"id": "1", "inputs": {"a": 1}, "context": {"company_id": "Acme"}}
    envelope = Envelope.model_validate(sent)
    assert envelope.status == "pending"
    assert envelope.context == ExecutionContext(company_id="Acme")
    assert envelope.model_dump(include={"progress", "outputs", "error"}) == {
        "progress": {"current": 0, "total": 1},
        "outputs": None,
        "error": None,
    }


def test_an_outgoing_error_has_code_message_and_recoverable() -> None:
    error = PushError(code="STEP_FAILED", message="m")
    dumped = Envelope(id="1", status="failed", error=error).model_dump()["error"]
    assert dumped == {"code": "STEP_FAILED", "message": "m", "recoverable": False}


def test_a_context_names_its_company_and_nothing_unknown() -> None:
    with pytest.raises(ValidationError, match="company_id"):
        ExecutionContext.model_validate({"user_id": "ada"})
    with pytest.raises(ValidationError, match="tenant"):
        ExecutionContext.model_validate({"company_id": "Acme", "tenant": "x"})


def test_a_new_role_is_a_draft_that_was_made_from_nothing() -> None:
    new = role()
    assert new.state is RoleStatus.DRAFT
    assert new.current is None
    inputs = new.inputs
    assert (inputs.jd_hash, inputs.documents_hash, inputs.draup_role) == ("", "", "")


@pytest.mark.parametrize(
    ("name", "id_", "expected"),
    [("Data Analyst", "d-1", "Data Analyst"), (None, "d-1", "d-1"), ("", "d-1", "d-1")],
)
def test_a_draup_role_known_by_its_id_alone_counts_too(
    name: str | None, id_: str | None, expected: str
) -> None:
    """An id is enough for a push, so a changed id must make the assessment stale."""
    assert role(draup_role_name=name, draup_role_id=id_).inputs.draup_role == expected


def test_a_roles_inputs_are_what_is_linked_to_it_now() -> None:
    inputs = role(jd_hash="jd", documents_hash="docs").inputs
    assert inputs.role_id == "cr-acme-analyst-0123456789ab"
    assert (inputs.jd_hash, inputs.documents_hash) == ("jd", "docs")


@pytest.mark.parametrize("exposure", [None, 0, 100])
def test_a_skill_may_have_no_exposure(exposure: float | None) -> None:
    """None: no task uses it; 0: the tasks that do are not exposed."""
    assert RoleSkill(name="SQL", exposure=exposure).exposure == exposure


@pytest.mark.parametrize("exposure", [-1, 101, float("nan")])
def test_a_skills_exposure_is_0_to_100(exposure: float) -> None:
    with pytest.raises(ValidationError, match="exposure"):
        RoleSkill(name="SQL", exposure=exposure)


def test_a_taxonomy_entry_is_active_and_knows_little_unless_told() -> None:
    entry = TaxonomyEntry(job_id="a-1", company_name="Acme", job_title="Analyst")
    assert entry.status == "active"
    assert entry.skills == ()
    rest = entry.model_dump(exclude={"job_id", "company_name", "job_title", "status", "skills"})
    assert set(rest.values()) == {None}


@pytest.mark.parametrize("missing", ["job_id", "company_name", "job_title"])
def test_a_taxonomy_entry_without_its_names_is_refused(missing: str) -> None:
    """Half an entry would become a role that nobody can find again."""
    given = {"job_id": "a-1", "company_name": "Acme", "job_title": "Analyst"}
    del given[missing]
    with pytest.raises(ValidationError, match=missing):
        TaxonomyEntry.model_validate(given)


@pytest.mark.parametrize(
    "wrong", [{"company_id": 7}, {"role_name": None}, {"documents": "text"}, {"draup": "x"}]
)
def test_wrong_types_for_the_library_raise(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        RoleOnboardingInput.model_validate({"company_id": "Acme", "role_name": "Analyst"} | wrong)


def test_the_library_takes_a_list_of_documents() -> None:
    """Python users write lists; only the record itself is a tuple."""
    given = RoleOnboardingInput(
        company_id="Acme",
        role_name="Analyst",
        documents=[DocumentRef(content="text")],
    )
    assert given.documents == (DocumentRef(content="text"),)


def test_a_failed_onboarding_needs_no_role() -> None:
    """Blank names give a result, not an exception, and there is no role to name."""
    result = WorkflowResult(
        success=False, workflow_id="role-onboard-0123456789ab", status=WorkflowState.FAILED
    )
    assert (result.role_id, result.outputs, result.error) == (None, None, None)


def test_every_name_of_the_package_is_there() -> None:
    """`from etter_dagster.model import ...` of the documentation works."""
    assert [name for name in model.__all__ if not hasattr(model, name)] == []


RECORDS = [
    value
    for name in model.__all__
    if isinstance(value := getattr(model, name), type) and issubclass(value, BaseModel)
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_records_are_frozen(record: type[BaseModel]) -> None:
    """They are shared between tasks of one event loop; a change would be seen half-way."""
    assert record.model_config.get("frozen") is True
