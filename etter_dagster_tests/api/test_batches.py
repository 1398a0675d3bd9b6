from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding.batches import batch_state
from etter_dagster.settings import Settings
from etter_dagster_tests.keys import add_key
from etter_dagster_tests.rest import Rest, error, push_body, rest_of

HEADER = "company,role,draup_role,jd\n"


def role(name: str, **more: Any) -> dict[str, Any]:
    body = push_body(name)
    del body["company_id"]
    return {**body, **more}


async def send(rest: Rest, *roles: Any, **more: Any) -> httpx.Response:
    return await rest.http.post(
        "/push-batch", json={"company_id": "Acme", "roles": list(roles), **more}
    )


async def send_csv(rest: Rest, text: str | bytes) -> httpx.Response:
    return await rest.http.post(
        "/push-batch", content=text, headers={"Content-Type": "text/csv; charset=utf-8"}
    )


async def test_a_bad_role_never_blocks_the_good_ones(rest: Rest) -> None:
    """Also one that breaks the schema, or is no object at all."""
    answer = await send(
        rest,
        role("A"),
        {"role_name": "B"},
        {"role": "C"},
        5,
        role("D", documents=[{"type": "novel"}]),
        role("A"),
        role("E", company_id="Other"),
        {"role_name": " "},
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["total_roles"] == 8
    assert len(body["workflow_ids"]) == 2
    assert [(item["index"], item["role_name"], item["error"]) for item in body["rejected"]] == [
        (1, "B", "VALIDATION_ERROR"),
        (2, None, "VALIDATION_ERROR"),
        (3, None, "VALIDATION_ERROR"),
        (4, "D", "VALIDATION_ERROR"),
        (5, "A", "ALREADY_PROCESSING"),
        (7, " ", "VALIDATION_ERROR"),
    ]
    assert "roles[4].documents[0].type" in body["rejected"][3]["message"]
    assert body["status"] == "queued"


async def test_a_batch_says_which_names_are_known_ones_but_for_case_and_spaces(
    rest: Rest,
) -> None:
    """A list of roles from another system spells them its own way, and would double them."""
    await rest.push("Clerk")
    roles = [push_body(name) for name in ("clerk", "Nurse", "CLERK", "NURSE", "Welder")]
    answer = await rest.http.post("/push-batch", json={"company_id": "Acme", "roles": roles})
    assert answer.json()["message"] == (
        "5 queued; note that 'clerk' and 'CLERK' are two roles, 'Nurse' and 'NURSE' are two roles, "
        "'CLERK' and 'Clerk' are two roles, and 1 more: case and spaces count"
    )
    again = {"company_id": "ACME", "roles": [push_body("Welder", "ACME")]}
    answer = await rest.http.post("/push-batch", json=again)
    assert answer.json()["message"] == (
        "1 queued; note that 'ACME' and 'Acme' are two companies: case and spaces count"
    )


async def test_a_batch_is_followed_to_its_end(rest: Rest) -> None:
    """Counts, state and rates as the contract defines them."""
    rest.assessor.script = [AssessmentFailed("no")]
    batch = (await send(rest, role("A"), role("B"), role("C"))).json()
    url = f"/batch-status/{batch['batch_id']}"
    before = (await rest.http.get(url)).json()
    assert (before["state"], before["total"], before["queued"]) == ("pending", 3, 3)
    assert before["progress_percent"] == 0
    assert before["success_rate"] is None
    await rest.work()
    after = (await rest.http.get(url)).json()
    assert (after["state"], after["completed"], after["failed"]) == ("partial", 2, 1)
    assert after["progress_percent"] == 100
    assert after["success_rate"] == pytest.approx(200 / 3)
    assert [row["role_name"] for row in after["roles"]] == ["A", "B", "C"]
    for row in after["roles"]:
        assert (row["dashboard_url"] is None) == (row["status"] == "failed")
        assert (row["error"] is None) == (row["status"] == "ready")


async def test_failed_roles_are_retried_once_and_the_batch_counts_the_new_attempts(
    rest: Rest,
) -> None:
    """Asking twice retries nothing twice, also with the old ids."""
    rest.assessor.script = [AssessmentFailed("no")] * 2
    batch = (await send(rest, role("A"), role("B"), role("C"))).json()
    await rest.work()
    url = f"/batch-status/{batch['batch_id']}"
    failed = [
        row["workflow_id"]
        for row in (await rest.http.get(url)).json()["roles"]
        if row["status"] == "failed"
    ]
    retry_url = f"/retry-failed/{batch['batch_id']}"
    one = (await rest.http.post(retry_url, json={"workflow_ids": failed[:1]})).json()
    assert one["retried_count"] == 1
    rest_of_them = (await rest.http.post(retry_url)).json()
    assert rest_of_them["retried_count"] == 1
    for body in (None, {"workflow_ids": failed}):
        again = (await rest.http.post(retry_url, json=body)).json()
        assert (again["retried_count"], again["new_workflow_ids"]) == (0, [])
    assert (await rest.http.get(url)).json()["state"] == "in_progress"
    await rest.work()
    end = (await rest.http.get(url)).json()
    assert (end["state"], end["total"], end["success_rate"]) == ("completed", 3, 100)
    strange = {"workflow_ids": ["role-onboard-000000000000"]}
    error(await rest.http.post(retry_url, json=strange), 400, "VALIDATION_ERROR")


async def test_a_single_retry_counts_for_the_batch_too(rest: Rest) -> None:
    """A batch shows the newest attempt of each role, whoever began it."""
    rest.assessor.script = [AssessmentFailed("no")]
    batch = (await send(rest, role("A"))).json()
    await rest.work()
    await rest.http.post(f"/retry/{batch['workflow_ids'][0]}")
    await rest.work()
    assert (await rest.http.get(f"/batch-status/{batch['batch_id']}")).json()["completed"] == 1


async def test_a_batch_with_no_good_role_is_the_common_error(settings: Settings) -> None:
    """All `QUEUE_FULL` is 429; a mixture is 400; the rejections are listed."""
    async with rest_of(settings.with_changes(queue_capacity=1)) as rest:
        await rest.push("Z")
        answer = await send(rest, role("A"), role("B"))
        detail = error(answer, 429, "QUEUE_FULL")
        assert [item["index"] for item in detail["rejected"]] == [0, 1]
        assert answer.headers["Retry-After"]
        error(await send(rest, role("Z")), 409, "ALREADY_PROCESSING")
        mixed = error(await send(rest, role("A"), {"role_name": ""}), 400, "VALIDATION_ERROR")
        assert len(mixed["rejected"]) == 2
        error(await send(rest, {"nonsense": 1}), 400, "VALIDATION_ERROR")
        no_object = error(await send(rest, 7), 400, "VALIDATION_ERROR")
        assert no_object["rejected"][0]["message"] == "roles[0]: must be an object"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"company_id": "Acme"},
        {"roles": []},
        {"company_id": "Acme", "roles": "A"},
        {"company_id": 5, "roles": [{}]},
        {"company_id": "Acme", "roles": [{}], "more": 1},
        {"company_id": "Acme", "roles": [{}], "options": {"force_rerun": 1}},
    ],
)
async def test_a_broken_envelope_is_a_422(rest: Rest, body: dict[str, Any]) -> None:
    """Nothing of it can be trusted."""
    error(await rest.http.post("/push-batch", json=body), 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("sent", [[], "x", None, 5])
async def test_what_is_no_envelope_is_said_of_the_body(rest: Rest, sent: Any) -> None:
    """A field without a name would leave the caller to guess."""
    answer = await rest.http.post(
        "/push-batch", content=json.dumps(sent), headers={"Content-Type": "application/json"}
    )
    detail = error(answer, 422, "VALIDATION_ERROR")
    assert detail["fields"] == [{"field": "body", "message": "must be an object"}]


@pytest.mark.parametrize("name", [" ", "a\u0001b", "x" * 201])
async def test_a_batch_needs_a_company_of_its_own(rest: Rest, name: str) -> None:
    """Also where each role names another one: who may look at the batch hangs on it."""
    answer = await send(rest, role("A", company_id="Acme"), company_id=name)
    detail = error(answer, 400, "VALIDATION_ERROR")
    assert [field["field"] for field in detail["fields"]] == ["company_id"]
    assert (await rest.http.get("/pushes")).json()["total_count"] == 0


async def test_an_empty_batch_is_a_400(rest: Rest) -> None:
    """The contract's row of the table."""
    error(await send(rest), 400, "VALIDATION_ERROR")
    error(await send_csv(rest, HEADER), 400, "VALIDATION_ERROR")


async def test_csv_rows_are_pushed_like_json(rest: Rest) -> None:
    """Commas and line ends in quotes, a bad row by itself, an empty JD is no document."""
    text = (
        HEADER
        + 'Acme,"Analyst, Senior",Data Analyst,"# Analyst\n\n- Prepare reports, weekly"\n'
        + "Acme,,Data Analyst,text\n"
        + "Acme,No JD,Data Analyst,\n"
    )
    body = (await send_csv(rest, text)).json()
    assert len(body["workflow_ids"]) == 1
    assert [(item["index"], item["role_name"]) for item in body["rejected"]] == [
        (1, None),
        (2, "No JD"),
    ]
    status = (await rest.http.get(f"/batch-status/{body['batch_id']}")).json()
    assert status["company_id"] == "Acme"
    assert status["roles"][0]["role_name"] == "Analyst, Senior"


@pytest.mark.parametrize(
    "first", ["Other,A,Data,text", ",A,Data,text", 'Acme,"A"x,Data,text', "Acme,A,Data"]
)
async def test_whoever_sent_a_csv_can_follow_it_although_its_first_row_is_refused(
    settings: Settings, tmp_path: Path, first: str
) -> None:
    """The batch's company is that of the first row that is the caller's: a key of Acme finds it."""
    keys = tmp_path / "keys.json"
    acme = add_key(keys, "acme", "Acme", scope="push")
    async with rest_of(settings.with_changes(api_keys_file=keys)) as rest:
        rest.http.headers.update(acme)
        sent = (await send_csv(rest, f"{HEADER}{first}\nAcme,B,Data,text\n")).json()
        assert [item["index"] for item in sent["rejected"]] == [0]
        found = (await rest.http.get(f"/batch-status/{sent['batch_id']}")).json()
        assert (found["company_id"], found["total"]) == ("Acme", 1)
        again = await rest.http.post(f"/retry-failed/{sent['batch_id']}")
        assert again.status_code == 200, again.text


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", b"\xff\xfe\xff", b"PK\x03\x04zip"])
async def test_an_unreadable_csv_is_a_400(rest: Rest, text: str | bytes) -> None:
    """One remedy for the whole file, no verdicts on guesses."""
    error(await send_csv(rest, text), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ({"queued": 2}, "pending"),
        ({"queued": 1, "cancelled": 1}, "pending"),
        ({"queued": 1, "ready": 1}, "in_progress"),
        ({"processing": 1}, "in_progress"),
        ({"queued": 1, "failed": 1}, "in_progress"),
        ({"ready": 1, "degraded": 1}, "completed"),
        ({"ready": 1, "cancelled": 5}, "completed"),
        ({"ready": 1, "failed": 1}, "partial"),
        ({"failed": 2}, "failed"),
        ({"failed": 1, "cancelled": 1}, "failed"),
        ({"cancelled": 2}, "failed"),
    ],
)
def test_the_state_of_a_batch_follows_from_its_counts(counts: dict[str, int], state: str) -> None:
    """The contract's definitions, one by one."""
    assert batch_state({WorkflowState(name): count for name, count in counts.items()}) == state
