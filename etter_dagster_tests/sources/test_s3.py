"""Documents out of S3: a real S3-compatible server, and one that fails in every way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from etter_dagster.model.documents import DocumentType
from etter_dagster.model.errors import (
    DocumentUnavailable,
    ErrorCode,
    EtterError,
    SourceUnavailable,
    ValidationFailed,
)
from etter_dagster.settings import Settings
from etter_dagster.sources import get_document_provider
from etter_dagster.sources.fetch import fetch_document
from etter_dagster.sources.layout import encoded_name
from etter_dagster.sources.protocols import ListingDocumentProvider
from etter_dagster.sources.s3 import S3Bucket, S3Documents
from etter_dagster.sources.text import MAX_FILE_BYTES
from etter_dagster_tests import papers
from etter_dagster_tests.standin.app import with_scissors
from etter_dagster_tests.standin.assessment_api import CUT
from etter_dagster_tests.standin.server import serving

boto3 = pytest.importorskip("boto3", reason="install the extra: pip install 'etter-dagster[s3]'")
moto_server = pytest.importorskip("moto.server", reason="pip install 'moto[s3,server]'")

JD, SOP = DocumentType.JOB_DESCRIPTION, DocumentType.SOP
BUCKET = "documents"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", str(tmp_path / "none")),
        ("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none")),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    client = boto3.session.Session().client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=BUCKET)
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for held in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=held["Key"])
    client.delete_bucket(Bucket=BUCKET)


def put(s3: Any, key: str, data: bytes = b"text") -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=data)


@pytest.fixture
def documents(s3: Any, endpoint: str) -> S3Documents:
    return S3Documents(S3Bucket(BUCKET, endpoint))


def test_a_document_is_found_by_its_percent_encoded_names(s3: Any, documents: S3Documents) -> None:
    assert isinstance(documents, ListingDocumentProvider)
    for company in ("Söhne & Co", "A/B", "50%"):
        put(s3, f"{encoded_name(company)}/{encoded_name('R/D')}/job_description.pdf", papers.pdf())
        document = documents.get_document(company, " R/D ", JD)
        assert document is not None
        assert "Review claims" in (document.content or "")
    assert documents.get_document("A", "R/D", JD) is None
    assert documents.get_document("A/B", "R", JD) is None
    assert documents.get_document("A/B", "R/D", SOP) is None
    assert documents.companies_with_documents() == ["50%", "A/B", "Söhne & Co"]


def test_folders_made_by_hand_are_found_too(s3: Any, documents: S3Documents) -> None:
    put(s3, "Liberty Mutual/Claims Adjuster/job_description.md", b"by hand")
    document = documents.get_document("Liberty Mutual", "Claims Adjuster", JD)
    assert document is not None
    assert document.content == "by hand"
    put(s3, "Liberty%20Mutual/Claims%20Adjuster/job_description.md", b"ours")
    (listed,) = documents.list_documents("Liberty Mutual")
    assert listed.key == "Liberty%20Mutual/Claims%20Adjuster/job_description.md"


def test_a_listing_names_what_would_be_read(s3: Any, documents: S3Documents) -> None:
    for key in ("A/job_description.docx", "A/job_description.md", "A/sop.txt", "B/notes.md", ""):
        put(s3, f"C/{key}")
    put(s3, "C/A/deeper/job_description.md")
    put(s3, "D/A/job_description.md")
    listed = documents.list_documents("C")
    assert [(one.company, one.role, one.type, one.name) for one in listed] == [
        ("C", "A", JD, "job_description.md"),
        ("C", "A", SOP, "sop.txt"),
    ]
    assert documents.list_documents("Nobody") == []
    found = documents.get_documents_for_role("C", "A")
    assert [document.name for document in found] == ["job_description.md", "sop.txt"]


def test_a_fingerprint_changes_with_the_object(s3: Any, documents: S3Documents) -> None:
    put(s3, "C/R/job_description.md", b"one")
    (first,) = documents.list_documents("C")
    assert documents.list_documents("C") == [first]
    put(s3, "C/R/job_description.md", b"two")
    (second,) = documents.list_documents("C")
    assert second.fingerprint != first.fingerprint


def test_all_pages_of_a_listing_are_read(s3: Any, documents: S3Documents) -> None:
    """S3 gives at most 1,000 keys a page."""
    for number in range(1010):
        put(s3, f"C/R{number:04}/job_description.md")
    assert len(documents.list_documents("C")) == 1010
    assert len(documents._storage.folders("C")) == 1010


def test_an_object_of_over_20_mib_is_not_read(s3: Any, documents: S3Documents) -> None:
    put(s3, "C/R/job_description.md", b"x" * (MAX_FILE_BYTES + 1))
    with pytest.raises(EtterError) as caught:
        documents.get_document("C", "R", JD)
    assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE


def test_an_object_that_was_listed_and_is_gone_fails_alone(
    s3: Any, documents: S3Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is one that only others may read; its company's other documents do not wait for it."""
    put(s3, "C/R/job_description.md")
    listed = documents._storage.files("C/R")
    s3.delete_object(Bucket=BUCKET, Key="C/R/job_description.md")
    monkeypatch.setattr(documents._storage, "files", lambda path: listed)
    with pytest.raises(DocumentUnavailable, match=r"job_description\.md: S3 answered 404"):
        documents.get_document("C", "R", JD)


def test_a_document_that_cannot_be_read_fails_alone(s3: Any, documents: S3Documents) -> None:
    put(s3, "C/R/job_description.pdf", papers.encrypted_pdf())
    put(s3, "C/S/job_description.pdf", papers.pdf())
    with pytest.raises(ValidationFailed, match="is encrypted"):
        documents.get_document("C", "R", JD)
    assert documents.get_document("C", "S", JD) is not None
    assert len(documents.list_documents("C")) == 2


def test_a_bucket_that_is_not_there_is_an_outage(s3: Any, endpoint: str) -> None:
    """A wrong name must not look like a bucket without documents."""
    documents = S3Documents(S3Bucket("another", endpoint))
    for ask in (
        documents.companies_with_documents,
        lambda: documents.list_documents("C"),
        lambda: documents.get_document("C", "R", JD),
    ):
        with pytest.raises(SourceUnavailable, match="S3 answered 404 NoSuchBucket"):
            ask()


def test_the_settings_name_the_bucket(s3: Any, endpoint: str) -> None:
    put(s3, "C/R/job_description.md", b"from S3")
    settings = Settings(_env_file=None, s3_bucket=BUCKET, s3_endpoint_url=endpoint)
    document = get_document_provider(settings).get_document("C", "R", JD)
    assert document is not None
    assert document.content == "from S3"


async def test_a_callers_uri_may_name_an_object_of_the_bucket(s3: Any, endpoint: str) -> None:
    settings = Settings(_env_file=None, s3_bucket=BUCKET, s3_endpoint_url=endpoint)
    put(s3, "uploads/a b#1%20.md", b"text")
    put(s3, "Acme/R/job_description.md", b"Acme's")

    async def fetch(uri: str, company: str = "Acme") -> str:
        return await fetch_document(uri, settings, company=company)

    assert await fetch(f"s3://{BUCKET}/uploads/a b#1%20.md") == "text"
    assert await fetch(f"S3://{BUCKET}/Acme/R/job_description.md", " Acme") == "Acme's"
    for uri, reason in (
        ("s3://other/key", "the bucket other is not allowed"),
        (f"s3://{BUCKET}", "names no object"),
        (f"s3://{BUCKET}/uploads/", "names no object"),
        (f"s3://{BUCKET}/missing.md", r"there is no missing\.md in the bucket"),
    ):
        with pytest.raises(ValidationFailed, match=reason):
            await fetch(uri)


async def test_a_uri_never_reads_another_companys_document(s3: Any, endpoint: str) -> None:
    """A key of one company could otherwise have another's job descriptions assessed."""
    settings = Settings(_env_file=None, s3_bucket=BUCKET, s3_endpoint_url=endpoint)
    names = ("job_description.md", "interview.md", "more/notes.md")
    for name in names:
        put(s3, f"Globex/R/{name}", b"secret")
    put(s3, "uploads/2026/jd.md", b"- Prepare reports")
    for name in names:
        uri = f"s3://{BUCKET}/Globex/R/{name}"
        with pytest.raises(ValidationFailed, match="is a document of another company"):
            await fetch_document(uri, settings, company="Acme")
        assert await fetch_document(uri, settings, company="Globex") == "secret"
    for_all = f"s3://{BUCKET}/uploads/2026/jd.md"
    assert await fetch_document(for_all, settings, company="Acme") == "- Prepare reports"


ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>m</Message></Error>"
LIST = (
    "<?xml version='1.0'?><ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>{}"
    '<Contents><Key>C/R/job_description.md</Key><ETag>"e"</ETag><Size>4</Size>'
    "<LastModified>2026-01-05T09:00:00.000Z</LastModified></Contents></ListBucketResult>"
)
WRONG: dict[str, tuple[int, dict[str, str], str, str, int]] = {
    "403": (403, {}, ERROR.format("AccessDenied"), "refuses the credentials (403", 300),
    "401": (401, {}, ERROR.format("Unauthorized"), "refuses the credentials (401", 300),
    "429": (429, {"Retry-After": "7"}, ERROR.format("SlowDown"), "S3 answered 429 SlowDown", 7),
    "503": (503, {"Retry-After": "9"}, ERROR.format("SlowDown"), "S3 answered 503 SlowDown", 9),
    "500": (500, {}, "", "S3 answered 500", 30),
    "not XML": (200, {}, "<html><p>log in", "S3 answered 500", 30),
    "JSON": (200, {}, '{"a": 1}', "S3 answered 500", 30),
    "no token": (200, {}, LIST.format("<IsTruncated>true</IsTruncated>"), "half a page", 30),
    "fewer": (200, {}, LIST.format("<KeyCount>5</KeyCount>"), "half a page", 30),
    "redirect": (307, {"Location": "http://evil.example.com/"}, "", "S3 answered 307", 30),
}


def answering(status: int, headers: dict[str, str], body: str) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = Response(body, status, headers, media_type="application/xml")
        await response(scope, receive, send)

    return app


def outages(endpoint: str, *, seconds: float | None = None) -> Iterator[SourceUnavailable]:
    documents = S3Documents(S3Bucket(BUCKET, endpoint, seconds=seconds))
    for ask in (
        documents.companies_with_documents,
        lambda: documents.list_documents("C"),
        lambda: documents.get_document("C", "R", JD),
    ):
        with pytest.raises(SourceUnavailable) as caught:
            ask()
        assert "127.0.0.1" not in caught.value.message
        yield caught.value


@pytest.mark.parametrize("name", WRONG)
def test_every_wrong_answer_is_an_outage_with_its_reason(name: str) -> None:
    status, headers, body, reason, retry_after = WRONG[name]
    with serving(answering(status, headers, body)) as url:
        for error in outages(url):
            assert reason in error.message
            assert error.retry_after == retry_after


async def _hang(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(scope: Scope, receive: Receive, send: Send) -> None:
    scope[CUT]()


async def _half(scope: Scope, receive: Receive, send: Send) -> None:
    body = LIST.format("").encode()

    async def half() -> AsyncIterator[bytes]:
        yield body[:100]
        scope[CUT]()

    headers = {"content-length": str(len(body))}
    await StreamingResponse(half(), headers=headers)(scope, receive, send)


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        (_hang, "S3 cannot be reached (ReadTimeoutError)"),
        (_reset, "S3 cannot be reached (ConnectionClosedError)"),
        (_half, "S3 answered 500"),  # what botocore makes of it
    ],
    ids=["slow", "reset", "half a page"],
)
def test_a_broken_connection_is_an_outage(app: ASGIApp, reason: str) -> None:
    with serving(with_scissors(app)) as url:
        for error in outages(url, seconds=0.3 if app is _hang else None):
            assert reason in error.message


def test_a_server_that_is_down_is_an_outage() -> None:
    for error in outages("http://127.0.0.1:9"):
        assert "S3 cannot be reached (EndpointConnectionError)" in error.message


def test_half_an_object_is_never_given() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if "list-type=2" in Request(scope).url.query:
            await answering(200, {}, LIST.format(""))(scope, receive, send)
        else:
            await _half(scope, receive, send)

    with serving(with_scissors(app)) as url, pytest.raises(SourceUnavailable):
        S3Documents(S3Bucket(BUCKET, url)).get_document("C", "R", JD)


def test_missing_credentials_are_an_outage_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with serving(answering(200, {}, LIST.format(""))) as url:
        for error in outages(url):
            assert "NoCredentialsError" in error.message
            assert "check" in error.message


def test_without_boto3_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(SourceUnavailable, match=r"pip install 'etter-dagster\[s3\]'"):
        S3Documents(S3Bucket(BUCKET)).companies_with_documents()
