from __future__ import annotations

import base64

import pytest

from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, error, push_body, rest_of


async def test_sample_companies_and_roles_are_listed_from_the_start(settings: Settings) -> None:
    """Whoever starts it finds the eight sample roles as drafts."""
    async with rest_of(settings.with_changes(enable_mock_data=True)) as rest:
        companies = (await rest.http.get("/companies")).json()
        assert companies["total_count"] == 3
        page = (await rest.http.get("/roles/Liberty%20Mutual")).json()
        assert page["total_count"] == 3
        assert page["next_cursor"] is None
        adjuster = page["roles"][0]
        assert adjuster["job_title"] == "Claims Adjuster"
        assert adjuster["job_id"] == "lm-001"
        assert adjuster["status"] == "active"
        assert adjuster["state"] == "draft"
        assert adjuster["ai_automation_score"] is None


async def test_a_pushed_role_that_the_taxonomy_lacks_is_listed(rest: Rest) -> None:
    """With `job_id` and `status` null, its score and the push that made it."""
    status = await rest.ready()
    (role,) = (await rest.http.get("/roles/Acme")).json()["roles"]
    assert role["job_id"] is role["status"] is None
    assert role["state"] == "ready"
    assert role["ai_automation_score"] == 40.0
    assert role["workflow_id"] == status["workflow_id"]
    assert role["stale_reasons"] == []


async def test_roles_are_paged_and_filtered(rest: Rest) -> None:
    """Every page's cursor leads to the next, and the count is of all that match."""
    for name in ("A", "B", "C"):
        await rest.push(name)
    names, cursor = [], ""
    while True:
        page = (await rest.http.get(f"/roles/Acme?limit=1&state=queued{cursor}")).json()
        assert page["total_count"] == 3
        names += [role["job_title"] for role in page["roles"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert names == ["A", "B", "C"]
    assert (await rest.http.get("/roles/Acme?state=ready")).json()["total_count"] == 0
    error(await rest.http.get("/roles/Acme?state=gone"), 422, "VALIDATION_ERROR")


async def test_roles_are_searched_page_by_page(rest: Rest) -> None:
    """Nobody who looks for one role of thousands wants to read them all."""
    for name in ("Registered Nurse", "Nursery Worker", "Clerk"):
        await rest.push(name)
    first = (await rest.http.get("/roles/Acme?q=NURSE&limit=1")).json()
    assert ([role["job_title"] for role in first["roles"]], first["total_count"]) == (
        ["Nursery Worker"],
        2,
    )
    rest_of_it = f"/roles/Acme?q=NURSE&limit=1&cursor={first['next_cursor']}"
    last = (await rest.http.get(rest_of_it)).json()
    assert [role["job_title"] for role in last["roles"]] == ["Registered Nurse"]
    assert last["next_cursor"] is None
    assert (await rest.http.get("/roles/Acme?q=nurse&state=queued")).json()["total_count"] == 2
    assert (await rest.http.get("/roles/Acme?q=nurse&state=ready")).json()["total_count"] == 0
    await rest.http.put("/roles/Acme/Clerk", json={"draup_role_name": "Office Worker"})
    by_draup_role = (await rest.http.get("/roles/Acme?q=office")).json()["roles"]
    assert [role["job_title"] for role in by_draup_role] == ["Clerk"]
    assert (await rest.http.get("/roles/Acme?q=%20")).json()["total_count"] == 3
    assert (await rest.http.get("/roles/Acme?q=welder")).json()["roles"] == []


@pytest.mark.parametrize(
    "text",
    [
        "not a cursor",
        "a\0b",
        "2026-01-01T00:00:00+00:00\0role-onboard-0123456789ab",
        "2026-01-01\0x",
    ],
)
async def test_a_cursor_that_is_not_ours_is_a_400(rest: Rest, text: str) -> None:
    """Also one in our letters, or of another list: a page from nowhere would look like the end."""
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    error(await rest.http.get(f"/roles/Acme?cursor={cursor}"), 400, "VALIDATION_ERROR")
    if not text.endswith("0123456789ab"):
        error(await rest.http.get(f"/history/Acme?cursor={cursor}"), 400, "VALIDATION_ERROR")


async def test_an_unknown_company_has_no_roles_and_no_history(rest: Rest) -> None:
    """An empty list, not a 404."""
    assert (await rest.http.get("/roles/Nobody")).json()["roles"] == []
    assert (await rest.http.get("/history/Nobody")).json()["items"] == []


async def test_a_role_can_be_defined_and_then_pushed_by_name(rest: Rest) -> None:
    """`PUT` links what later pushes need; it queues nothing."""
    body = {key: push_body()[key] for key in ("documents", "draup_role_name")}
    put = await rest.http.put("/roles/Acme/Analyst", json=body)
    assert put.json()["state"] == "draft"
    assert put.json()["workflow_id"] is None
    answer = await rest.http.post("/push", json={"company_id": "Acme", "role_name": "Analyst"})
    assert answer.status_code == 200
    error(await rest.http.put("/roles/Acme/%20", json=body), 400, "VALIDATION_ERROR")


async def test_the_assessment_has_scores_tasks_and_its_maker(rest: Rest) -> None:
    """The shape of the contract; 404 before the first one."""
    workflow_id = await rest.push()
    role_id = (await rest.http.get(f"/status/{workflow_id}")).json()["role_id"]
    error(await rest.http.get(f"/assessments/{role_id}"), 404, "NOT_FOUND")
    await rest.work()
    found = (await rest.http.get(f"/assessments/{role_id}")).json()
    assert found["scores"]["final_score"] == found["scores"]["ai_automation_score"] == 40.0
    assert found["scores"]["validated_ai_automation_score"] is None
    assert found["tasks"][0] == {
        "task": "Prepare reports",
        "workload": None,
        "category": None,
        "exposure": "E1",
        "score": 40.0,
        "evidence": [],
    }
    assert set(found["assessor"]) == {"name", "model", "version"}
    assert found["stale"] is False
    assert found["created_at"].endswith("Z")
    history = (await rest.http.get(f"/assessments/{role_id}?history=true")).json()
    assert history["assessments"] == [found]


async def test_history_is_newest_first_and_paged_over_both_stores(rest: Rest) -> None:
    """Pushes still in the queue and those in the history make one list."""
    done = await rest.ready("A")
    waiting = [await rest.push(name) for name in ("B", "C")]
    ids, cursor = [], ""
    while True:
        page = (await rest.http.get(f"/history/Acme?limit=1{cursor}")).json()
        ids += [item["workflow_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert ids == [waiting[1], waiting[0], done["workflow_id"]]


async def test_every_change_is_in_the_audit_log(rest: Rest) -> None:
    """Who did what to what; reading leaves no entry."""
    first = await rest.push("A", created_by="ann")
    await rest.http.post(f"/cancel/{first}")
    await rest.http.put("/roles/Other/X", json={"draup_role_name": "Y"})
    entries = (await rest.http.get("/audit")).json()["items"]
    assert [entry["action"] for entry in entries] == ["define-role", "cancel", "push"]
    assert {entry["actor"] for entry in entries} == {"anonymous"}
    assert entries[-1]["created_by"] == "ann"
    assert entries[-1]["target"] == first
    mine = (await rest.http.get("/audit?company_id=Acme&limit=1")).json()
    assert [entry["action"] for entry in mine["items"]] == ["cancel"]
    rest_of_mine = await rest.http.get(f"/audit?company_id=Acme&cursor={mine['next_cursor']}")
    assert [entry["action"] for entry in rest_of_mine.json()["items"]] == ["push"]


async def test_a_role_may_be_defined_with_a_uri_as_a_push_may(rest: Rest) -> None:
    """Read at once, by the same rules; what cannot be read links nothing."""
    for uri in ("https://127.0.0.1/jd.md", "file:///etc/passwd", "https://example.org/jd.md"):
        documents = [{"type": "job_description", "uri": uri}]
        answer = await rest.http.put("/roles/Acme/Analyst", json={"documents": documents})
        detail = error(answer, 400, "VALIDATION_ERROR")
        assert detail["fields"][0]["field"] == "documents[0].uri"
    empty = {"documents": [{"type": "sop", "content": " "}]}
    error(await rest.http.put("/roles/Acme/Analyst", json=empty), 400, "VALIDATION_ERROR")
    assert (await rest.http.get("/roles/Acme")).json()["total_count"] == 0
