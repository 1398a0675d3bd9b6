"""Error codes: the status of each, whether trying again helps, and the body that users read."""

from __future__ import annotations

import json

import pytest

from etter_dagster.model.errors import (
    AlreadyProcessing,
    ErrorCode,
    EtterError,
    FieldProblem,
    NotFound,
    SourceUnavailable,
    StoreUnavailable,
    TransientError,
    ValidationFailed,
)

STATUS = {
    "VALIDATION_ERROR": 400,
    "METHOD_NOT_ALLOWED": 405,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "ALREADY_PROCESSING": 409,
    "NOT_RETRYABLE": 409,
    "NOT_CANCELLABLE": 409,
    "IDEMPOTENCY_CONFLICT": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "QUEUE_FULL": 429,
    "RATE_LIMITED": 429,
    "BUDGET_EXCEEDED": 429,
    "STORE_UNAVAILABLE": 503,
    "SOURCE_UNAVAILABLE": 503,
    "INTERNAL_ERROR": 500,
}
# What a push that failed in work says; no answer to a request has them.
OF_PUSHES = {"ASSESSMENT_FAILED", "STEP_FAILED", "STEP_TIMEOUT", "ATTEMPTS_EXHAUSTED"}
RECOVERABLE = {
    "ALREADY_PROCESSING",
    "QUEUE_FULL",
    "RATE_LIMITED",
    "BUDGET_EXCEEDED",
    "STORE_UNAVAILABLE",
    "SOURCE_UNAVAILABLE",
    "STEP_TIMEOUT",
    "ATTEMPTS_EXHAUSTED",
}


def test_the_codes_are_those_of_the_contract_and_no_other() -> None:
    """Clients switch on them; a new one belongs into their documentation first."""
    assert {code.value for code in ErrorCode} == set(STATUS) | OF_PUSHES


@pytest.mark.parametrize("code", list(ErrorCode), ids=lambda code: code.value)
def test_each_code_has_its_status_and_says_whether_trying_again_helps(code: ErrorCode) -> None:
    assert code.http_status == STATUS.get(code.value, 500)
    assert code.recoverable == (code.value in RECOVERABLE)


@pytest.mark.parametrize("code", list(ErrorCode), ids=lambda code: code.value)
def test_each_body_has_the_three_keys_and_is_json(code: ErrorCode) -> None:
    body = EtterError(code, "what is wrong").body()
    assert body == {
        "error": code.value,
        "message": "what is wrong",
        "recoverable": code.value in RECOVERABLE,
    }
    assert json.loads(json.dumps(body)) == body


def test_a_body_names_fields_only_where_there_are_some() -> None:
    problem = FieldProblem("role_name", "is blank; give a name")
    body = EtterError(ErrorCode.VALIDATION_ERROR, "m", fields=[problem]).body()
    assert body["fields"] == [{"field": "role_name", "message": "is blank; give a name"}]
    assert "fields" not in EtterError(ErrorCode.VALIDATION_ERROR, "m").body()


def test_more_keys_join_the_body_and_never_replace_its_own() -> None:
    """A caller's `rejected` list must not be able to hide the code."""
    error = EtterError(ErrorCode.QUEUE_FULL, "m", detail={"workflow_id": "w", "error": "OTHER"})
    assert (error.body()["workflow_id"], error.body()["error"]) == ("w", "QUEUE_FULL")


def test_one_error_may_differ_from_its_code() -> None:
    """A batch that is refused whole takes the status of its items."""
    error = EtterError(ErrorCode.VALIDATION_ERROR, "m", recoverable=True, http_status=429)
    assert (error.http_status, error.body()["recoverable"]) == (429, True)
    assert EtterError(ErrorCode.QUEUE_FULL, "m", recoverable=False).recoverable is False


def test_refused_input_names_every_field_at_once() -> None:
    """One round trip per mistake is what users hate most about forms."""
    error = ValidationFailed(FieldProblem("company_id", "is blank"), FieldProblem("limit", "is 0"))
    assert error.code is ErrorCode.VALIDATION_ERROR
    assert error.message == "company_id: is blank; limit: is 0"
    assert [field["field"] for field in error.body()["fields"]] == ["company_id", "limit"]


def test_a_role_in_work_is_answered_with_its_workflow_id() -> None:
    error = AlreadyProcessing("Analyst", "role-onboard-0123456789ab")
    assert error.http_status == 409
    assert error.body()["workflow_id"] == error.workflow_id == "role-onboard-0123456789ab"
    assert "Analyst" in error.message
    assert error.workflow_id in error.message


def test_an_unknown_thing_says_what_it_is_and_what_helps() -> None:
    assert NotFound("role cr-x").body()["message"] == "role cr-x is not known"
    error = NotFound("role cr-x", "push it first")
    assert (error.http_status, error.message) == (404, "role cr-x is not known; push it first")


@pytest.mark.parametrize("error", [StoreUnavailable("graph"), SourceUnavailable("no answer")])
def test_an_outage_is_503_and_says_when_to_come_back(error: EtterError) -> None:
    assert error.http_status == 503
    assert error.recoverable
    assert error.retry_after is not None
    assert error.retry_after > 0


def test_a_transient_error_keeps_how_long_the_other_side_asked_to_wait() -> None:
    assert TransientError("m", retry_after=7).retry_after == 7
    assert TransientError("m").retry_after is None
