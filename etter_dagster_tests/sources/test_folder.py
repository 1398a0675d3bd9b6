"""Documents out of `DOCUMENTS_DIR`."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from etter_dagster.model.documents import DocumentType
from etter_dagster.model.errors import ErrorCode, EtterError, SourceUnavailable, ValidationFailed
from etter_dagster.settings import Settings
from etter_dagster.sources import get_document_provider
from etter_dagster.sources.folder import FolderDocuments
from etter_dagster.sources.layout import encoded_name
from etter_dagster_tests import papers

JD, SOP = DocumentType.JOB_DESCRIPTION, DocumentType.SOP


def put(root: Path, company: str, role: str, name: str, data: bytes | str) -> None:
    folder = root / company / role
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def content(root: Path, company: str, role: str, type_: DocumentType = JD) -> str | None:
    document = FolderDocuments(root).get_document(company, role, type_)
    return document.content if document else None


@pytest.mark.parametrize(
    "name", ["Plain", "A/B", "50% & more", "Söhne", 'say "hi"', "..", ".", "日本", "a\\b", "ä" * 40]
)
def test_a_name_is_found_percent_encoded(tmp_path: Path, name: str) -> None:
    root = tmp_path / "documents"
    put(root, encoded_name(name), encoded_name(name), "job_description.md", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["documents"]
    assert content(root, name, name) == "text"


@pytest.mark.parametrize("folder", ["Liberty Mutual", "Liberty%20Mutual", "%4Ciberty%20Mutual"])
def test_other_ways_to_encode_the_same_name_are_found_too(tmp_path: Path, folder: str) -> None:
    """People make these folders by hand; a space is often left as it is."""
    put(tmp_path, folder, "R", "job_description.txt", "text")
    assert content(tmp_path, "Liberty Mutual", "R") == "text"


def test_a_decomposed_folder_name_is_the_same_name(tmp_path: Path) -> None:
    """macOS stores names decomposed."""
    put(tmp_path, unicodedata.normalize("NFD", "Müller"), "R", "job_description.md", "text")
    assert content(tmp_path, "Müller", "R") == "text"


def test_another_roles_document_is_never_given(tmp_path: Path) -> None:
    put(tmp_path, "C", "Analyst", "job_description.md", "text")
    assert content(tmp_path, "C", "analyst") is None
    assert content(tmp_path, "C", "Analyst II") is None
    assert content(tmp_path, "D", "Analyst") is None
    assert content(tmp_path, "C", "x" * 200) is None
    assert content(tmp_path, "C", "ä" * 200) is None
    assert FolderDocuments(tmp_path).get_documents_for_role("D", "Analyst") == []


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "outside", "R", "job_description.md", "secret")
    root = tmp_path / "documents"
    root.mkdir()
    for company in ("../outside", "..", "/", "%2E%2E/outside"):
        assert content(root, company, "R") is None
        assert content(root, company, "outside") is None


def test_all_types_of_documents_are_found_and_other_files_are_left_out(tmp_path: Path) -> None:
    for name in ("sop.md", "job_description.txt", "process_map.html", "notes.md", ".sop.md"):
        put(tmp_path, "C", "R", name, f"text of {name}")
    documents = FolderDocuments(tmp_path).get_documents_for_role("C", "R")
    assert [(d.type.value, d.name) for d in documents] == [
        ("job_description", "job_description.txt"),
        ("process_map", "process_map.html"),
        ("sop", "sop.md"),
    ]
    assert content(tmp_path, "C", "R", SOP) == "text of sop.md"
    assert content(tmp_path, "C", "R", DocumentType.OTHER) is None


def test_of_several_formats_the_plainest_is_read(tmp_path: Path) -> None:
    put(tmp_path, "C", "R", "job_description.pdf", b"%PDF-1.7")
    put(tmp_path, "C", "R", "job_description.html", "<p>html</p>")
    assert content(tmp_path, "C", "R") == "html"
    put(tmp_path, "C", "R", "job_description.md", "markdown")
    assert content(tmp_path, "C", "R") == "markdown"


def test_pdf_and_word_documents_are_read(tmp_path: Path) -> None:
    put(tmp_path, "C", "R", "job_description.pdf", papers.pdf())
    put(tmp_path, "C", "R", "sop.docx", papers.docx())
    assert "Review claims" in (content(tmp_path, "C", "R") or "")
    assert "- Review claims" in (content(tmp_path, "C", "R", SOP) or "")


def test_a_broken_pdf_alone_is_an_error_and_not_a_missing_document(tmp_path: Path) -> None:
    put(tmp_path, "C", "R", "job_description.pdf", b"%PDF-1.7")
    with pytest.raises(ValidationFailed, match=r"job_description\.pdf is a broken PDF"):
        content(tmp_path, "C", "R")


def test_a_missing_root_is_an_outage_and_not_an_empty_answer(tmp_path: Path) -> None:
    """An unmounted share must not make every role look as if it had lost its documents."""
    for ask in (
        lambda: content(tmp_path / "nowhere", "C", "R"),
        lambda: FolderDocuments(tmp_path / "nowhere").get_documents_for_role("C", "R"),
    ):
        with pytest.raises(SourceUnavailable) as caught:
            ask()
        assert caught.value.retry_after
        assert str(tmp_path) not in caught.value.message


def test_a_document_that_cannot_be_read_is_an_outage(tmp_path: Path) -> None:
    put(tmp_path, "C", "R", "sop.md", "text")
    (tmp_path / "C" / "R" / "job_description.md").mkdir()
    with pytest.raises(SourceUnavailable):
        content(tmp_path, "C", "R")


def test_a_document_of_over_2_mib_is_too_large(tmp_path: Path) -> None:
    put(tmp_path, "C", "R", "job_description.md", "x" * (2 * 1024 * 1024 + 1))
    with pytest.raises(EtterError) as caught:
        content(tmp_path, "C", "R")
    assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE


def test_the_folder_goes_before_the_samples(tmp_path: Path) -> None:
    put(tmp_path, "Liberty Mutual", "Underwriter", "job_description.md", "ours")
    provider = get_document_provider(Settings(_env_file=None, documents_dir=tmp_path))
    ours = provider.get_document("Liberty Mutual", "Underwriter", JD)
    sample = provider.get_document("Liberty Mutual", "Risk Analyst", JD)
    assert ours is not None
    assert ours.content == "ours"
    assert sample is not None


def test_a_listing_names_what_would_be_read(tmp_path: Path) -> None:
    for role in ("A/B", "Söhne"):
        put(tmp_path, "C", encoded_name(role), "job_description.html", "<p>old</p>")
        put(tmp_path, "C", encoded_name(role), "job_description.md", "text")
        put(tmp_path, "C", encoded_name(role), "sop.txt", "sop")
    put(tmp_path, "D", "R", "job_description.md", "another company's")
    put(tmp_path, "C", "R", "notes.md", "no document")
    documents = FolderDocuments(tmp_path)
    assert documents.companies_with_documents() == ["C", "D"]
    listed = documents.list_documents(" C ")
    assert {(one.company, one.role, one.type) for one in listed} == {
        ("C", role, type_) for role in ("A/B", "Söhne") for type_ in (JD, SOP)
    }
    for one in listed:
        document = documents.get_document(one.company, one.role, one.type)
        assert document is not None
        assert document.name == one.name
    assert documents.list_documents("Nobody") == []


def test_a_listing_of_two_folders_with_one_name_is_of_the_one_that_is_read(tmp_path: Path) -> None:
    put(tmp_path, "C", "My Role", "job_description.md", "by hand")
    put(tmp_path, "C", "My%20Role", "job_description.md", "ours")
    (listed,) = FolderDocuments(tmp_path).list_documents("C")
    assert listed.key == "C/My%20Role/job_description.md"
    assert content(tmp_path, "C", "My Role") == "ours"


def test_a_link_to_nothing_hides_no_document(tmp_path: Path) -> None:
    """Editors lock files with such links; one made its company's documents an outage."""
    put(tmp_path, "C", "R", "job_description.md", "text")
    (tmp_path / "C" / "R" / ".#job_description.md").symlink_to("someone@host.1:2")
    (tmp_path / "C" / "R" / "sop.md").symlink_to("nowhere")
    assert content(tmp_path, "C", "R") == "text"
    assert [one.type for one in FolderDocuments(tmp_path).list_documents("C")] == [JD]


def test_a_fingerprint_changes_with_the_file_and_only_with_it(tmp_path: Path) -> None:
    put(tmp_path, "C", "R", "job_description.txt", "one")
    put(tmp_path, "C", "S", "job_description.txt", "one")

    def fingerprints() -> dict[str, str]:
        return {one.role: one.fingerprint for one in FolderDocuments(tmp_path).list_documents("C")}

    first = fingerprints()
    assert first == fingerprints()
    put(tmp_path, "C", "R", "job_description.txt", "longer")
    second = fingerprints()
    assert second["R"] != first["R"]
    assert second["S"] == first["S"]
    put(tmp_path, "C", "R", "job_description.md", "a better format")
    assert fingerprints()["R"] not in (first["R"], second["R"])


def test_a_missing_root_is_an_outage_for_listings_too(tmp_path: Path) -> None:
    """A folder that is not mounted must not look as if all documents had been taken away."""
    documents = FolderDocuments(tmp_path / "not-mounted")
    with pytest.raises(SourceUnavailable):
        documents.companies_with_documents()
    with pytest.raises(SourceUnavailable):
        documents.list_documents("C")
