"""Uploading a document of a role."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from etter_dagster.api import routes_documents
from etter_dagster.api.routes_documents import MAX_UPLOADS
from etter_dagster.client.rest import AsyncEtterClient
from etter_dagster.model.documents import DocumentType
from etter_dagster.model.identity import role_id
from etter_dagster.sources.text import MAX_FILE_BYTES
from etter_dagster_tests import papers
from etter_dagster_tests.rest import Rest, error
from etter_dagster_tests.support import JD

PATH = "/roles/Acme/Analyst/documents"
RID = role_id("Acme", "Analyst")


async def upload(
    rest: Rest, data: bytes, name: str = "jd.pdf", path: str = PATH, **form: Any
) -> httpx.Response:
    headers = form.pop("headers", {})
    return await rest.http.post(path, files={"file": (name, data)}, data=form, headers=headers)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (papers.pdf(), "jd.pdf"),
        (papers.docx(), "jd.docx"),
        (b"<h1>Analyst</h1><ul><li>Review claims</li></ul>", "jd.html"),
        (b"- Review claims", "jd.md"),
        (b"- Review claims", "jd"),
    ],
)
async def test_an_upload_answers_the_text_it_found_and_links_it(
    rest: Rest, data: bytes, name: str
) -> None:
    answer = await upload(rest, data, name)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["role_id"], body["state"]) == (RID, "draft")
    assert (body["type"], body["name"]) == ("job_description", name)
    assert "Review claims" in body["content"]
    linked = (await rest.http.get(f"/documents/{RID}")).json()["documents"]
    assert [doc["document_id"] for doc in linked] == [body["document_id"]]
    assert linked[0]["content"] == body["content"]


async def test_a_key_has_a_few_uploads_at_work_and_is_told_to_wait_with_more(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten of 17 MB took a gigabyte of memory, which is what a whole service has."""
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slowly(data: bytes, *_: Any, **__: Any) -> str:
        begun.release()
        await go_on.wait()
        return data.decode()

    monkeypatch.setattr(routes_documents, "read_document", slowly)
    sent = [asyncio.create_task(upload(rest, JD.encode())) for _ in range(MAX_UPLOADS)]
    for _ in sent:
        await begun.acquire()
    refused = await upload(rest, JD.encode())
    error(refused, 429, "RATE_LIMITED")
    assert int(refused.headers["Retry-After"]) > 0
    go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*sent)] == [200] * MAX_UPLOADS
    assert (await upload(rest, JD.encode())).status_code == 200


async def test_a_push_by_name_alone_uses_what_was_uploaded(rest: Rest) -> None:
    await upload(rest, JD.encode(), "jd.md")
    pushed = await rest.http.post(
        "/push",
        json={"company_id": "Acme", "role_name": "Analyst", "draup_role_name": "Data Analyst"},
    )
    assert pushed.status_code == 200, pushed.text
    await rest.work()
    status = (await rest.http.get(f"/status/{pushed.json()['workflow_id']}")).json()
    assert status["status"] == "ready"
    (request,) = rest.assessor.requests
    assert [document.content for document in request.documents] == [JD]


async def test_another_document_makes_an_assessed_role_stale(rest: Rest) -> None:
    await rest.ready()
    answer = await upload(rest, b"1. Open the ledger", "sop.md", type="sop")
    assert answer.json()["state"] == "stale"


async def test_names_in_the_path_are_exact(rest: Rest) -> None:
    """A `/` in a name is percent-encoded; it must not end the name."""
    path = "/roles/A%2FB%20%26%20Co/R%2FD%20100%25/documents"
    answer = await upload(rest, b"text", "jd.md", path)
    assert answer.json()["role_id"] == role_id("A/B & Co", "R/D 100%")


@pytest.mark.parametrize("sent", ["../../etc/jd.md", "C:\\docs\\jd.md", "j\x07d.md"])
async def test_a_file_name_is_only_a_name(rest: Rest, sent: str) -> None:
    answer = await upload(rest, b"text", sent)
    assert answer.json()["name"] in ("jd.md", "j%07d.md")


async def test_a_form_of_over_20_mib_is_413(rest: Rest) -> None:
    answer = await upload(rest, b"x" * (MAX_FILE_BYTES + 100 * 1024), "jd.md")
    error(answer, 413, "PAYLOAD_TOO_LARGE")
    answer = await upload(rest, b"x" * (MAX_FILE_BYTES + 1), "jd.md")
    assert "jd.md has" in error(answer, 413, "PAYLOAD_TOO_LARGE")["message"]


async def test_a_file_that_json_could_not_bring_is_taken(rest: Rest) -> None:
    """The other routes take 10 MiB."""
    answer = await upload(rest, papers.pdf() + b"%" * (12 * 1024 * 1024), "jd.pdf")
    assert answer.status_code == 200, answer.text


async def test_more_than_2_mib_of_text_is_413(rest: Rest) -> None:
    error(await upload(rest, b"x" * (2 * 1024 * 1024 + 1), "jd.md"), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (papers.pdf_bomb(), "bomb.pdf", "bomb.pdf unpacks to far more"),
        (papers.docx_bomb(), "bomb.docx", "bomb.docx unpacks to far more"),
        (papers.docx_with_doctype(), "laughs.docx", "laughs.docx holds an XML document type"),
        (papers.encrypted_pdf(), "locked.pdf", "locked.pdf is encrypted; save a copy"),
        (papers.pdf([]), "scan.pdf", "scan.pdf holds no text, only pictures"),
        (b"\x89PNG\r\n", "jd.png", "jd.png is an image"),
        (b"caf\xe9", "jd.txt", "jd.txt is not text in UTF-8"),
        (b" \n ", "jd.md", "jd.md is empty"),
        (b"", "jd.md", "jd.md is empty"),
    ],
)
async def test_a_document_that_cannot_be_read_is_400_and_links_nothing(
    rest: Rest, data: bytes, name: str, reason: str
) -> None:
    refused = error(await upload(rest, data, name), 400, "VALIDATION_ERROR")
    assert reason in refused["message"]
    assert [field["field"] for field in refused["fields"]] == ["file"]
    error(await rest.http.get(f"/documents/{RID}"), 404, "NOT_FOUND")
    assert (await upload(rest, b"good", "jd.md")).status_code == 200


async def test_what_is_no_form_is_415_and_a_broken_one_422(rest: Rest) -> None:
    error(await rest.http.post(PATH, json={"file": "x"}), 415, "UNSUPPORTED_MEDIA_TYPE")
    form = {"Content-Type": "multipart/form-data"}
    broken = await rest.http.post(PATH, content=b"x", headers=form)
    assert "multipart/form-data" in error(broken, 422, "VALIDATION_ERROR")["message"]


@pytest.mark.parametrize(
    ("files", "form", "field"),
    [
        ({}, {"type": "sop"}, "file"),
        ({"file": ("jd.md", b"x")}, {"type": "poem"}, "type"),
        ({"file": ("jd.md", b"x")}, {"colour": "red"}, "colour"),
        ({"other": ("jd.md", b"x")}, {}, "file"),
        ({}, {"file": "no file"}, "file"),
    ],
)
async def test_a_form_that_breaks_the_schema_is_422(
    rest: Rest, files: dict[str, Any], form: dict[str, str], field: str
) -> None:
    parts = files or {"": ("", b"")}
    answer = await rest.http.post(PATH, files=parts, data=form)
    found = error(answer, 422, "VALIDATION_ERROR")
    assert field in [problem["field"] for problem in found["fields"]]
    assert "<class" not in found["message"]


async def test_a_wrong_name_is_400(rest: Rest) -> None:
    answer = await upload(rest, b"text", "jd.md", f"/roles/Acme/{'x' * 201}/documents")
    error(answer, 400, "VALIDATION_ERROR")


async def test_the_same_upload_sent_again_gets_the_first_answer(rest: Rest) -> None:
    """Each sending draws a boundary of its own, which is no part of what is asked."""
    key = {"Idempotency-Key": "once"}
    first = await upload(rest, b"text", "jd.md", headers=key)
    again = await upload(rest, b"text", "jd.md", headers=key)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = await upload(rest, b"other", "jd.md", headers=key)
    error(other, 409, "IDEMPOTENCY_CONFLICT")


async def test_an_upload_is_in_the_audit(rest: Rest) -> None:
    await upload(rest, b"text", "jd.md", created_by="ann")
    entries = (await rest.http.get("/audit")).json()["items"]
    assert [(e["action"], e["target"], e["created_by"]) for e in entries] == [
        ("upload-document", RID, "ann")
    ]


async def test_the_client_uploads(rest: Rest) -> None:
    transport = httpx.ASGITransport(rest.app)
    async with AsyncEtterClient("http://test", transport=transport) as client:
        found = await client.upload_document(
            "A/B", "Analyst", papers.pdf(), name="sop.pdf", type=DocumentType.SOP
        )
    assert (found.role_id, found.type) == (role_id("A/B", "Analyst"), DocumentType.SOP)
    assert "Review claims" in found.content
