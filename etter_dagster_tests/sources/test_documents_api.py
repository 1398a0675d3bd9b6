"""Documents out of the platform's documents API."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.model.documents import DocumentType
from etter_dagster.model.errors import (
    DocumentUnavailable,
    ErrorCode,
    EtterError,
    SourceUnavailable,
    ValidationFailed,
)
from etter_dagster.sources.companies import CompaniesFile
from etter_dagster.sources.protocols import ListingDocumentProvider
from etter_dagster.sources.text import MAX_FILE_BYTES
from etter_dagster_tests import papers
from etter_dagster_tests.sources.conftest import Served
from etter_dagster_tests.sources.platform import (
    FAILURES,
    companies_file,
    documents_api,
    seconds_for,
)
from etter_dagster_tests.standin.catalogue import DOCUMENT, DOCUMENTS, DOWNLOAD
from etter_dagster_tests.standin.state import Fault

JD, SOP = DocumentType.JOB_DESCRIPTION, DocumentType.SOP
ACME = {"name": "Acme", "taxonomy_company_id": 7}
NO_FILE = CompaniesFile(None)


def text(platform: Served, role: str = "Analyst", company: str = "Acme") -> str | None:
    document = documents_api(platform.url, NO_FILE).get_document(company, role, JD)
    return document.content if document else None


def test_the_text_behind_a_link_is_read(platform: Served) -> None:
    platform.state.put_document("d1", "Analyst", data=papers.docx(), name="jd.docx")
    documents = documents_api(platform.url, NO_FILE)
    assert isinstance(documents, ListingDocumentProvider)
    document = documents.get_document("Acme", " Analyst ", JD)
    assert document is not None
    assert document.name == "jd.docx"
    assert "- Review claims" in (document.content or "")
    (asked,) = [call for call in platform.state.calls if call.endpoint == DOCUMENTS]
    assert (asked.role, asked.body["status"]) == ("Analyst", "ready")


def test_a_link_is_asked_for_when_the_text_is_needed_and_not_before(platform: Served) -> None:
    """It lives 300 s; a role may wait in the queue for hours."""
    platform.state.put_document("d1", "Analyst")
    documents = documents_api(platform.url, NO_FILE)
    documents.list_documents("Acme")
    assert platform.state.count(DOCUMENT) == 0
    assert documents.get_document("Acme", "Analyst", SOP) is None
    assert platform.state.count(DOCUMENT) == 0


def test_a_document_of_no_role_is_no_fault_of_the_others(platform: Served) -> None:
    listed = [
        {"id": "d0", "roles": ["Analyst"], "original_filename": "half \ud83d.md"},
        {"id": "d1", "roles": None, "original_filename": "jd.pdf"},
    ]
    answer = {"data": {"documents": listed, "count": 2}}
    platform.state.fail(DOCUMENTS, Fault(garbage=json.dumps(answer).encode()))
    documents = documents_api(platform.url, NO_FILE)
    (listing,) = documents.list_documents("Acme")
    assert (listing.key, listing.name) == ("d0", "half ?.md")


def test_no_token_is_sent_to_the_storage(platform: Served) -> None:
    platform.state.token = "general"
    platform.state.put_document("d1", "Analyst")
    documents = documents_api(platform.url, NO_FILE, "general")
    assert documents.get_document("Acme", "Analyst", JD) is not None
    (download,) = [call for call in platform.state.calls if call.endpoint == DOWNLOAD]
    assert download.authorization is None


def test_a_link_that_has_just_run_out_is_asked_for_again(platform: Served) -> None:
    platform.state.put_document("d1", "Analyst")
    platform.state.fail(DOWNLOAD, Fault(status=403))
    assert text(platform) == "text"
    assert platform.state.count(DOCUMENT) == 2
    platform.state.fail(DOWNLOAD, Fault(status=403), times=2)
    with pytest.raises(DocumentUnavailable, match="a link of the documents API answered 403"):
        text(platform)


@pytest.mark.parametrize(
    ("endpoint", "status", "alone"),
    [
        (DOCUMENT, 404, True),
        (DOCUMENT, 401, False),
        (DOCUMENT, 500, False),
        (DOWNLOAD, 404, True),
        (DOWNLOAD, 429, False),
        (DOWNLOAD, 500, False),
    ],
)
def test_what_one_document_lacks_says_nothing_of_the_others(
    platform: Served, endpoint: str, status: int, alone: bool
) -> None:
    platform.state.put_document("d1", "Analyst")
    platform.state.fail(endpoint, Fault(status=status), times=None)
    with pytest.raises(SourceUnavailable) as caught:
        text(platform)
    assert isinstance(caught.value, DocumentUnavailable) is alone


def put(platform: Served, *named: tuple[str, str | None, str | None]) -> None:
    """Documents of the role by file name, type and date; the text is the name."""
    for number, (name, content_type, created) in enumerate(named):
        data = papers.pdf([name]) if name.endswith(".pdf") else name.encode()
        if name.endswith(".docx"):
            data = papers.docx(papers.paragraph(name))
        platform.state.put_document(
            f"d{number}",
            "Analyst",
            data=data,
            name=name,
            observed_content_type=content_type,
            created_at=created,
        )


OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00+01:00"


@pytest.mark.parametrize(
    ("documents", "chosen"),
    [
        ([("a.pdf", None, NEW), ("Job Description.txt", None, OLD)], "Job Description.txt"),
        ([("a.pdf", None, NEW), ("analyst_JD-2024.md", None, None)], "analyst_JD-2024.md"),
        ([("jdk notes.txt", None, NEW), ("a.docx", None, OLD)], "a.docx"),
        ([("a.txt", None, NEW), ("b.docx", None, OLD), ("c.pdf", None, OLD)], "c.pdf"),
        ([("a.txt", None, NEW), ("b.docx", None, OLD)], "b.docx"),
        ([("jd a.pdf", None, OLD), ("jd b.pdf", None, NEW)], "jd b.pdf"),
        ([("jd a.pdf", None, None), ("jd b.pdf", None, OLD)], "jd b.pdf"),
        ([("jd a.pdf", None, "yesterday"), ("jd b.pdf", None, OLD)], "jd b.pdf"),
        ([("jd.png", "image/png", NEW), ("b.md", None, OLD)], "b.md"),
        ([("jd.png", None, NEW), ("b.md", None, OLD)], "b.md"),
        ([("jd.pdf", "image/jpeg", NEW), ("b.md", None, OLD)], "b.md"),
        ([("jd.xlsx", None, NEW), ("b.md", None, OLD)], "b.md"),
        ([("SOP claims.pdf", None, NEW), ("b.md", None, OLD)], "b.md"),
        ([("jd.png", "image/png", NEW)], None),
        ([], None),
    ],
)
def test_the_job_description_is_chosen_by_the_contracts_rules(
    platform: Served, documents: list[tuple[str, str | None, str | None]], chosen: str | None
) -> None:
    """Names that say so, then PDF, DOCX, text; newest first, undated last; never an image."""
    put(platform, *documents)
    assert text(platform) == chosen
    put(platform, *reversed(documents))
    assert text(platform) == chosen, "the order of the list does not matter"
    listed = documents_api(platform.url, NO_FILE).list_documents("Acme")
    assert [one.name for one in listed if one.type is JD] == ([chosen] if chosen else [])


def test_another_roles_document_is_never_chosen(platform: Served) -> None:
    """The API's filter matches parts: it gives the Senior Analyst's for `Analyst`."""
    platform.state.put_document("d1", "Senior Analyst", "analyst")
    assert text(platform, "Analyst") is None
    assert text(platform, "Senior Analyst") == "text"
    assert text(platform, "analyst") == "text"


@pytest.mark.parametrize("given", [" Café Owner ", unicodedata.normalize("NFD", "Café Owner")])
def test_role_names_are_compared_in_nfc_and_trimmed(platform: Served, given: str) -> None:
    """The API's filter knows neither, so that a miss there is no proof."""
    platform.state.put_document("d1", given)
    assert text(platform, "Café Owner") == "text"


def test_a_document_that_is_not_ready_is_left_out(platform: Served) -> None:
    platform.state.put_document("d1", "Analyst", status="processing")
    assert text(platform) is None


def test_documents_of_other_kinds_go_by_their_names(platform: Served) -> None:
    put(platform, ("jd.md", None, OLD), ("SOP.md", None, OLD), ("Process Map v2.md", None, OLD))
    found = documents_api(platform.url, NO_FILE).get_documents_for_role("Acme", "Analyst")
    assert {document.type.value: document.name for document in found} == {
        "job_description": "jd.md",
        "sop": "SOP.md",
        "process_map": "Process Map v2.md",
    }


@pytest.mark.parametrize("counts_pages", [False, True])
@pytest.mark.parametrize("most", [1000, 30])
def test_all_pages_are_read_whatever_count_means(
    platform: Served, counts_pages: bool, most: int
) -> None:
    platform.state.counts_pages, platform.state.most = counts_pages, most
    for number in range(230):
        platform.state.put_document(f"d{number}", f"Role {number}")
    listed = documents_api(platform.url, NO_FILE).list_documents("Acme")
    assert {one.role for one in listed} == {f"Role {number}" for number in range(230)}


def test_a_fingerprint_changes_with_the_document(platform: Served) -> None:
    documents = documents_api(platform.url, NO_FILE)

    def fingerprint() -> str:
        (listed,) = documents.list_documents("Acme")
        return listed.fingerprint

    platform.state.put_document("d1", "Analyst")
    seen = [fingerprint()]
    assert fingerprint() == seen[0]
    newer: list[dict[str, Any]] = [
        {"created_at": NEW},
        {"created_at": NEW, "updated_at": NEW},
        {"created_at": NEW, "updated_at": NEW, "checksum": "abc"},
    ]
    for changes in newer:
        platform.state.put_document("d1", "Analyst", **changes)
        seen.append(fingerprint())
    platform.state.put_document("d2", "Analyst", created_at="2027-01-01T00:00:00Z")
    seen.append(fingerprint())
    assert len(set(seen)) == len(seen)


def test_each_company_is_asked_for_with_its_own_token(platform: Served, tmp_path: Path) -> None:
    """A token sees one company's documents: a wrong one would show another company's."""
    platform.state.put_document("a", "Analyst", data=b"Acme's", token="general")
    platform.state.put_document("g", "Analyst", data=b"Globex's", token="own")
    globex = {"name": "Globex", "taxonomy_company_id": 8, "documents_token": "own"}
    documents = documents_api(platform.url, companies_file(tmp_path, ACME, globex), "general")
    assert documents.companies_with_documents() == ["Acme", "Globex"]
    for company, expected in (("Acme", "Acme's"), ("Globex", "Globex's")):
        document = documents.get_document(company, "Analyst", JD)
        assert document is not None
        assert document.content == expected
    calls = len(platform.state.calls)
    assert documents.get_document("Initech", "Analyst", JD) is None
    assert documents.list_documents("Initech") == []
    assert len(platform.state.calls) == calls, "no token is tried on a company it is not for"


def test_a_refused_token_is_named_and_never_shown(platform: Served, tmp_path: Path) -> None:
    platform.state.token = "right"
    own = {**ACME, "documents_token": "wrong-and-secret"}
    for company, whose in (
        (own, "documents_token of Acme in ETTER_COMPANIES_FILE"),
        (ACME, "ETTER_DOCUMENTS_API_TOKEN"),
    ):
        documents = documents_api(platform.url, companies_file(tmp_path, company), "wrong")
        with pytest.raises(SourceUnavailable, match=whose) as caught:
            documents.list_documents("Acme")
        assert "wrong" not in caught.value.message


@pytest.mark.parametrize("endpoint", [DOCUMENTS, DOCUMENT])
@pytest.mark.parametrize(
    ("fault", "reason", "retry_after"),
    [failure[1:] for failure in FAILURES],
    ids=[failure[0] for failure in FAILURES],
)
def test_every_failure_is_an_outage_with_its_reason(
    platform: Served, endpoint: str, fault: Fault, reason: str, retry_after: int
) -> None:
    platform.state.put_document("d1", "Analyst")
    platform.state.fail(endpoint, fault, times=None)
    documents = documents_api(platform.url, NO_FILE, seconds=seconds_for(fault))
    with pytest.raises(SourceUnavailable) as caught:
        documents.get_document("Acme", "Analyst", JD)
    expected = "holds no download link" if endpoint == DOCUMENT else reason
    assert (expected if reason == "is not a list of" else reason) in caught.value.message
    assert caught.value.retry_after == retry_after
    assert "127.0.0.1" not in caught.value.message
    if endpoint == DOCUMENTS:
        with pytest.raises(SourceUnavailable):
            documents.list_documents("Acme")
    platform.state.heal()
    assert text(platform) == "text", "it catches up by itself"


@pytest.mark.parametrize("fault", [Fault(delay=30), Fault(reset=True), Fault(half=True)])
@pytest.mark.parametrize("page", ["first", "second"])
def test_half_a_list_is_never_given(platform: Served, fault: Fault, page: str) -> None:
    for number in range(150):
        platform.state.put_document(f"d{number}", f"Role {number}")
    if page == "second":
        platform.state.fail(DOCUMENTS, Fault())
    platform.state.fail(DOCUMENTS, fault, times=None)
    documents = documents_api(platform.url, NO_FILE, seconds=3 if fault.delay else 30)
    with pytest.raises(SourceUnavailable):
        documents.list_documents("Acme")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: {**data, "documents": [d for d in data["documents"] if d["id"] < "d5"]},
        lambda data: {**data, "count": 3},
        lambda data: {**data, "documents": data["documents"][:-1] + data["documents"][:1]},
        lambda data: {**data, "documents": [*data["documents"], {"id": "x"}], "count": 11},
        lambda data: {**data, "documents": None},
    ],
    ids=["half", "fewer", "twice", "no roles", "null"],
)
def test_a_page_that_cannot_be_the_whole_is_refused(
    platform: Served, change: Callable[[dict[str, Any]], Any]
) -> None:
    for number in range(10):
        platform.state.put_document(f"d{number}", f"Role {number}")
    fault = Fault(change=lambda body: {**body, "data": change(body["data"])})
    platform.state.fail(DOCUMENTS, fault, times=None)
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        documents_api(platform.url, NO_FILE).list_documents("Acme")


DOWNLOAD_FAILURES = [
    (Fault(delay=30), "did not answer in time", 30),
    (Fault(reset=True), "cannot be reached", 30),
    (Fault(half=True), "cannot be reached", 30),
    (
        Fault(status=429, headers={"Retry-After": "9"}),
        "a link of the documents API answered 429",
        9,
    ),
    (Fault(status=500), "answered 500", 30),
    (
        Fault(status=302, headers={"Location": "http://169.254.169.254/latest"}),
        "sends us to another host",
        30,
    ),
]


@pytest.mark.parametrize(("fault", "reason", "retry_after"), DOWNLOAD_FAILURES)
def test_a_failed_download_is_an_outage_and_not_a_missing_document(
    platform: Served, fault: Fault, reason: str, retry_after: int
) -> None:
    platform.state.put_document("d1", "Analyst")
    platform.state.fail(DOWNLOAD, fault, times=None)
    documents = documents_api(platform.url, NO_FILE, seconds=seconds_for(fault))
    with pytest.raises(SourceUnavailable) as caught:
        documents.get_document("Acme", "Analyst", JD)
    assert reason in caught.value.message
    assert caught.value.retry_after == retry_after
    assert "169.254" not in caught.value.message


def test_a_download_of_over_20_mib_is_cut_off(platform: Served) -> None:
    platform.state.put_document("d1", "Analyst", data=b"x" * (MAX_FILE_BYTES + 1000))
    with pytest.raises(EtterError) as caught:
        text(platform)
    assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE


@pytest.mark.parametrize("link", ["ftp://example.com/x", "file:///etc/passwd", 5, None, ""])
def test_a_link_that_is_none_is_refused(platform: Served, link: object) -> None:
    platform.state.put_document("d1", "Analyst")
    fault = Fault(change=lambda body: {**body, "download": {"url": link, "expires_in": 300}})
    platform.state.fail(DOCUMENT, fault)
    with pytest.raises(SourceUnavailable):
        text(platform)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (papers.pdf_bomb(), "jd.pdf unpacks to far more"),
        (papers.encrypted_pdf(), "jd.pdf is encrypted; save a copy without a password"),
        (b"<html>log in</html>", "jd.pdf is no PDF, whatever it is called"),
        (papers.pdf()[:100], "jd.pdf is a broken PDF"),
    ],
)
def test_a_document_that_cannot_be_read_fails_alone(
    platform: Served, data: bytes, reason: str
) -> None:
    platform.state.put_document("bad", "Analyst", data=data, name="jd.pdf")
    platform.state.put_document("good", "Clerk", data=papers.pdf(), name="jd.pdf")
    with pytest.raises(ValidationFailed, match=reason):
        text(platform)
    assert "Review claims" in (text(platform, "Clerk") or "")
    assert len(documents_api(platform.url, NO_FILE).list_documents("Acme")) == 2
