from __future__ import annotations

import json
import re

import pytest

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster_tests.rest import Rest, error, push_body

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


async def test_a_push_is_queued_and_ends_ready(rest: Rest) -> None:
    """The main job: every key of the contract's answers, before, and after the work."""
    answer = await rest.http.post("/push", json=push_body("Analyst", created_by="ann"))
    assert answer.status_code == 200
    pushed = answer.json()
    assert set(pushed) == {
        "workflow_id",
        "role_id",
        "status",
        "position_in_queue",
        "estimated_duration_seconds",
        "message",
    }
    assert pushed["status"] == "queued"
    assert pushed["position_in_queue"] == 1
    queued = (await rest.http.get(f"/status/{pushed['workflow_id']}")).json()
    assert queued["status"] == queued["role_state"] == "queued"
    assert queued["current_step"] is None
    assert queued["dashboard_url"] is None
    assert queued["attempts"] == 0

    await rest.work()
    status = (await rest.http.get(f"/status/{pushed['workflow_id']}")).json()
    assert status["status"] == status["role_state"] == "ready"
    assert status["position_in_queue"] is None
    assert status["estimated_duration_seconds"] == 0
    assert status["attempts"] == 1
    assert status["error"] is None
    assert [step["name"] for step in status["progress"]["steps"]] == [
        "role_setup",
        "ai_assessment",
        "skills",
    ]
    assert status["progress"]["current"] == status["progress"]["total"] == 3
    assert status["dashboard_url"].endswith(f"/dashboard/Acme/roles/{status['role_id']}")
    for name in ("queued_at", "started_at", "completed_at"):
        assert TIME.fullmatch(status[name]), status[name]


async def test_a_ready_unchanged_role_is_answered_with_ready(rest: Rest) -> None:
    """Nothing is queued or paid, and the id is of the push that made it so."""
    first = await rest.ready()
    answer = (await rest.http.post("/push", json=push_body())).json()
    assert answer["status"] == "ready"
    assert answer["workflow_id"] == first["workflow_id"]
    assert rest.assessor.calls["Analyst"] == 1


async def test_force_rerun_assesses_again(rest: Rest) -> None:
    """`force_rerun` is the caller's way around the cache."""
    first = await rest.ready()
    again = await rest.push(options={"force_rerun": True})
    assert again != first["workflow_id"]
    await rest.work()
    assert rest.assessor.calls["Analyst"] == 2


async def test_a_role_in_work_is_answered_with_its_workflow_id(rest: Rest) -> None:
    """The caller of the second push needs the first one's id to follow it."""
    first = await rest.push()
    detail = error(await rest.http.post("/push", json=push_body()), 409, "ALREADY_PROCESSING")
    assert detail["workflow_id"] == first
    assert first in detail["message"]


async def test_all_problems_are_named_at_once(rest: Rest) -> None:
    """A caller who mends one field after the other loses patience."""
    answer = await rest.http.post("/push", json={"company_id": "Acme", "role_name": "Analyst"})
    detail = error(answer, 400, "VALIDATION_ERROR")
    assert {field["field"] for field in detail["fields"]} == {"documents", "draup_role_name"}
    for field in detail["fields"]:
        assert field["field"] in detail["message"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b", "a\nb", "a\x7fb", "\ud800"])
@pytest.mark.parametrize("field", ["company_id", "role_name"])
async def test_a_bad_name_is_a_400_that_names_the_field(rest: Rest, field: str, name: str) -> None:
    """The contract gives bad names 400, also the lone surrogate that no text field can hold."""
    body = {**push_body(), field: name}
    answer = await rest.http.post(
        "/push",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    detail = error(answer, 400, "VALIDATION_ERROR")
    assert field in [problem["field"] for problem in detail["fields"]]
    assert (await rest.http.get("/companies")).json()["companies"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"company_id": None}, "company_id"),
        ({"company_id": 5}, "company_id"),
        ({"documents": "text"}, "documents"),
        ({"documents": [{"type": "novel", "content": "x"}]}, "documents[0].type"),
        ({"documents": [{"content": "x"}]}, "documents[0].type"),
        ({"documents": [{"type": "sop", "pages": 3}]}, "documents[0].pages"),
        ({"options": {"force_rerun": "yes"}}, "options.force_rerun"),
        ({"options": {"fast": True}}, "options.fast"),
        ({"role": "Analyst"}, "role"),
    ],
)
async def test_a_body_that_breaks_the_schema_is_a_422_that_names_the_field(
    rest: Rest, change: dict[str, object], field: str
) -> None:
    """Types, unknown fields and enum values; a misspelt option must not be lost silently."""
    answer = await rest.http.post("/push", json={**push_body(), **change})
    detail = error(answer, 422, "VALIDATION_ERROR")
    assert [problem["field"] for problem in detail["fields"]] == [field]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b"1" * 5000]
)
async def test_a_body_that_is_no_json_object_is_a_422(rest: Rest, body: bytes) -> None:
    """Also nesting that exhausts the parser and numbers that it refuses: never a 500."""
    answer = await rest.http.post(
        "/push", content=body, headers={"Content-Type": "application/json"}
    )
    error(answer, 422, "VALIDATION_ERROR")


async def test_a_failed_push_says_why_and_can_be_retried(rest: Rest) -> None:
    """A retry takes what was given before, under a new id, and only once."""
    rest.assessor.script = [AssessmentFailed("the text is no job description")]
    failed = await rest.push()
    await rest.work()
    status = (await rest.http.get(f"/status/{failed}")).json()
    assert status["status"] == "failed"
    assert "no job description" in status["error"]["message"]

    retried = (await rest.http.post(f"/retry/{failed}")).json()
    assert retried["workflow_id"] != failed
    error(await rest.http.post(f"/retry/{failed}"), 409, "NOT_RETRYABLE")
    await rest.work()
    done = (await rest.http.get(f"/status/{retried['workflow_id']}")).json()
    assert done["status"] == "ready"


async def test_a_ready_push_is_not_retryable(rest: Rest) -> None:
    """Only failed and degraded pushes are."""
    status = await rest.ready()
    error(await rest.http.post(f"/retry/{status['workflow_id']}"), 409, "NOT_RETRYABLE")


async def test_a_queued_push_can_be_cancelled_once(rest: Rest) -> None:
    """Its role is then as it was before, and its status stays readable."""
    workflow_id = await rest.push()
    cancelled = await rest.http.post(f"/cancel/{workflow_id}")
    assert cancelled.json()["status"] == "cancelled"
    assert cancelled.json()["role_state"] == "draft"
    error(await rest.http.post(f"/cancel/{workflow_id}"), 409, "NOT_CANCELLABLE")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/status/role-onboard-000000000000"),
        ("GET", "/status/role-onboard-000000000000/events"),
        ("POST", "/retry/role-onboard-000000000000"),
        ("POST", "/cancel/role-onboard-000000000000"),
        ("GET", "/batch-status/batch-000000000000"),
        ("POST", "/retry-failed/batch-000000000000"),
        ("GET", "/assessments/cr-a-b-000000000000"),
        ("GET", "/operations/operation-000000000000"),
        ("POST", "/operations/operation-000000000000/abort"),
        ("GET", "/status/%00"),
        ("GET", "/status/a%2Fb"),
        ("GET", "/no-such-path"),
        ("GET", "/assessments/%F0%9F%98%80"),
    ],
)
async def test_an_unknown_id_or_path_is_a_404(rest: Rest, method: str, path: str) -> None:
    """With the same body everywhere, the event stream included."""
    error(await rest.http.request(method, path), 404, "NOT_FOUND")


async def test_use_mock_is_read_from_the_query(rest: Rest) -> None:
    """An unknown value must not count as false, and so be paid for."""
    answer = await rest.http.post("/push?use_mock=perhaps", json=push_body())
    detail = error(answer, 422, "VALIDATION_ERROR")
    assert detail["fields"][0]["field"] == "use_mock"
    answer = await rest.http.post("/push?use_mok=true", json=push_body())
    assert "use_mock" in error(answer, 422, "VALIDATION_ERROR")["message"]
    assert (await rest.http.post("/push?use_mock=true", json=push_body())).status_code == 200


@pytest.mark.parametrize(("header", "source"), [(None, "rest"), ("cli", "cli"), ("page", "page")])
async def test_the_history_says_who_asked(rest: Rest, header: str | None, source: str) -> None:
    """A push from the command line is told apart from a program's."""
    headers = {"X-Etter-Source": header} if header else {}
    answer = await rest.http.post("/push", json=push_body(), headers=headers)
    assert answer.status_code == 200, answer.text
    await rest.work()
    (item,) = (await rest.http.get("/history/Acme")).json()["items"]
    assert item["source"] == source


async def test_nobody_can_pass_for_the_nightly_job(rest: Rest) -> None:
    answer = await rest.http.post("/push", json=push_body(), headers={"X-Etter-Source": "nightly"})
    error(answer, 422, "VALIDATION_ERROR")
