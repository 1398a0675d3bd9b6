from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from etter_dagster_tests.rest import Rest, error, push_body

NAMES = [
    "A/B",
    "R&D",
    "50% Off",
    'The "Best"',
    "Müller’s 保险",
    "a%2Fb",
    "x/roles/y",
    "/",
    "a?b#c",
    "é/",
    "<script>alert(1)</script>",
    "🙂",
]


@pytest.mark.parametrize("name", NAMES)
async def test_hostile_names_work_in_every_path(rest: Rest, name: str) -> None:
    """Percent-encoded, also the `/` that servers decode before routing."""
    status = await rest.ready(role_name=name, company=name)
    path = quote(name, safe="")
    listed = (await rest.http.get(f"/roles/{path}")).json()
    assert [role["job_title"] for role in listed["roles"]] == [name]
    assert listed["company_name"] == name
    history = (await rest.http.get(f"/history/{path}")).json()
    assert [item["role_name"] for item in history["items"]] == [name]
    put = await rest.http.put(f"/roles/{path}/{path}", json={"draup_role_name": "Other"})
    assert put.status_code == 200, put.text
    assert put.json()["role_id"] == status["role_id"]
    assert put.json()["draup_role"] == "Other"
    page = await rest.http.get(status["dashboard_url"])
    assert page.status_code == 200, status["dashboard_url"]


async def test_a_slash_that_is_not_encoded_is_no_name(rest: Rest) -> None:
    """Reading `/roles/A/B` as the company `A/B` would hide the mistake: it is a role's path."""
    await rest.ready(company="A/B")
    answer = await rest.http.get("/roles/A/B")
    error(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "PUT"
    error(await rest.http.get("/roles/"), 404, "NOT_FOUND")
    error(await rest.http.get("/history/A/B"), 404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["%FF", "%00", "%ED%A0%80", "%", "%zz", "x" * 3000])
async def test_a_path_that_holds_no_name_finds_nothing(rest: Rest, path: str) -> None:
    """Broken UTF-8, NUL and bad escapes are somebody's probe, not a bug of ours."""
    for url in (f"/roles/{path}", f"/history/{path}"):
        answer = await rest.http.get(url)
        assert answer.status_code == 200, answer.text
        assert answer.json()[url.split("/")[1] if "roles" in url else "items"] == []
    for url in (f"/status/{path}", f"/batch-status/{path}", f"/assessments/{path}"):
        error(await rest.http.get(url), 404, "NOT_FOUND")
    body = {"draup_role_name": "X"}
    if path not in ("%", "%zz", "%FF", "%ED%A0%80"):
        answer = await rest.http.put(f"/roles/Acme/{path}", json=body)
        error(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("field", ["created_by", "draup_role_id", "draup_role_name"])
@pytest.mark.parametrize("text", ["\ud800", "\0", "x" * 201])
async def test_other_texts_are_checked_like_names(rest: Rest, field: str, text: str) -> None:
    """They stand in lists, logs and other systems as well."""
    answer = await rest.http.post(
        "/push",
        content=json.dumps({**push_body(), field: text}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422), answer.text
    detail = error(answer, answer.status_code, "VALIDATION_ERROR")
    assert detail["fields"][0]["field"] == field


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
async def test_document_text_that_cannot_be_stored_is_a_400(rest: Rest, text: str) -> None:
    """Named by its place among the documents."""
    documents = [{"type": "sop", "content": "fine"}, {"type": "sop", "content": text}]
    answer = await rest.http.post(
        "/push",
        content=json.dumps(push_body(documents=documents)),
        headers={"Content-Type": "application/json"},
    )
    detail = error(answer, 400, "VALIDATION_ERROR")
    assert detail["fields"][0]["field"] == "documents[1].content"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/push", push_body(documents=[{"type": "sop", "name": "\ud800"}]), "documents[0].name"),
        ("/push", push_body(documents=[{"type": "sop", "uri": "\0"}]), "documents[0].uri"),
        ("/retry-failed/batch-000000000000", {"workflow_ids": ["\udfff"]}, "workflow_ids"),
        ("/pushes/retry", {"company": "\ud800"}, "company"),
        ("/pushes/cancel", {"q": "\udc00"}, "q"),
        ("/push-batch", {"company_id": "\ud800", "roles": [{}]}, "company_id"),
    ],
)
async def test_no_text_of_a_body_can_break_a_store(
    rest: Rest, path: str, body: dict[str, object], field: str
) -> None:
    """JSON can spell what UTF-8 cannot hold; it was a 500 once."""
    answer = await rest.http.post(
        path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    detail = error(answer, 400, "VALIDATION_ERROR")
    assert detail["fields"][0]["field"] == field


async def test_a_bad_text_in_a_batch_is_rejected_by_itself(rest: Rest) -> None:
    """The good role beside it is queued."""
    bad = push_body("B", documents=[{"type": "sop", "content": "x", "name": "\ud800"}])
    body = {"company_id": "Acme", "roles": [push_body("A"), bad, {"role_name": "\ud800"}]}
    answer = await rest.http.post(
        "/push-batch", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    assert [item["index"] for item in answer.json()["rejected"]] == [1, 2]
