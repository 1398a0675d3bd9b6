"""Samples, registry and combination: what the sources answer, and who goes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.settings import Settings
from etter_dagster.sources import (
    DocumentProvider,
    RoleTaxonomyProvider,
    get_document_provider,
    get_role_taxonomy_provider,
    register_document_provider,
    register_role_taxonomy_provider,
)
from etter_dagster.sources.combined import CombinedDocuments, CombinedTaxonomy
from etter_dagster.sources.protocols import (
    DocumentListing,
    ListingDocumentProvider,
    fingerprint_of,
)
from etter_dagster.sources.registry import document_factories, taxonomy_factories
from etter_dagster.sources.samples import SampleDocuments, SampleTaxonomy

JD, SOP = DocumentType.JOB_DESCRIPTION, DocumentType.SOP


class FakeTaxonomy:
    def __init__(self, *entries: TaxonomyEntry, broken: bool = False) -> None:
        self._entries = entries
        self._broken = broken

    def get_companies(self) -> list[str]:
        return sorted({entry.company_name for entry in self._all()})

    def get_roles_for_company(
        self, company_name: str, status_filter: str | None = None
    ) -> list[TaxonomyEntry]:
        return [
            e
            for e in self._all()
            if e.company_name == company_name and status_filter in (None, e.status)
        ]

    def get_role(self, company_name: str, role_name: str) -> TaxonomyEntry | None:
        roles = self.get_roles_for_company(company_name)
        return next((e for e in roles if e.job_title == role_name), None)

    def _all(self) -> Sequence[TaxonomyEntry]:
        if self._broken:
            raise SourceUnavailable("the taxonomy is down")
        return self._entries


class FakeDocuments:
    def __init__(self, *documents: DocumentRef) -> None:
        self._documents = documents

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        return next((d for d in self._documents if d.type is type), None)

    def get_documents_for_role(self, company: str, role: str) -> list[DocumentRef]:
        return list(self._documents)


class FakeListing(FakeDocuments):
    def __init__(self, *listings: DocumentListing, broken: bool = False) -> None:
        super().__init__()
        self._listings = listings
        self._broken = broken

    def companies_with_documents(self) -> list[str]:
        return sorted({listing.company for listing in self.list_documents("C")})

    def list_documents(self, company: str) -> list[DocumentListing]:
        if self._broken:
            raise SourceUnavailable("the documents are away")
        return list(self._listings)


def listing(
    role: str, type_: DocumentType = JD, *, source: str = "s", company: str = "C"
) -> DocumentListing:
    return DocumentListing(
        company=company,
        role=role,
        type=type_,
        source=source,
        key=role,
        fingerprint=fingerprint_of(source, role, 1),
    )


def entry(
    role: str, *, status: str = "active", draup: str = "D", company: str = "C"
) -> TaxonomyEntry:
    return TaxonomyEntry(
        job_id=f"id-{role}", company_name=company, job_title=role, draup_role=draup, status=status
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path)


@pytest.fixture
def clean_registry() -> Iterator[None]:
    yield
    taxonomy_factories.remove("mine")
    document_factories.remove("mine")


def test_the_samples_are_a_source_by_default(settings: Settings) -> None:
    taxonomy = get_role_taxonomy_provider(settings)
    assert taxonomy.get_companies() == ["Acme Corporation", "Liberty Mutual", "Walmart Inc."]
    assert len(taxonomy.get_roles_for_company("Liberty Mutual", status_filter="active")) == 3
    role = taxonomy.get_role("Liberty Mutual", "Claims Adjuster")
    assert role is not None
    assert role.job_id == "lm-001"
    document = get_document_provider(settings).get_document("Liberty Mutual", "Claims Adjuster", JD)
    assert document is not None
    assert document.content is not None
    assert document.content.startswith("# Claims Adjuster\n")


def test_no_sample_is_seen_with_mock_data_off(settings: Settings) -> None:
    settings = settings.with_changes(enable_mock_data=False)
    assert get_role_taxonomy_provider(settings).get_companies() == []
    assert (
        get_document_provider(settings).get_documents_for_role("Liberty Mutual", "Underwriter")
        == []
    )


def test_samples_and_combinations_are_what_the_protocols_say() -> None:
    assert isinstance(SampleTaxonomy(), RoleTaxonomyProvider)
    assert isinstance(CombinedTaxonomy([]), RoleTaxonomyProvider)
    assert isinstance(SampleDocuments(), DocumentProvider)
    assert isinstance(CombinedDocuments([]), DocumentProvider)
    assert isinstance(SampleDocuments(), ListingDocumentProvider)
    assert isinstance(CombinedDocuments([]), ListingDocumentProvider)


def test_names_are_compared_exactly_up_to_outer_space() -> None:
    """Etter's ids count case; a near match would assess another company's role."""
    taxonomy = SampleTaxonomy()
    assert taxonomy.get_role("  Walmart Inc. ", " Store Manager") is not None
    assert taxonomy.get_role("walmart inc.", "Store Manager") is None
    assert taxonomy.get_role("Walmart", "Store Manager") is None
    assert taxonomy.get_roles_for_company("Nobody") == []
    assert taxonomy.get_roles_for_company("Walmart Inc.", status_filter="removed") == []


def test_samples_have_a_job_description_and_nothing_else() -> None:
    documents = SampleDocuments()
    assert [
        d.type for d in documents.get_documents_for_role("Acme Corporation", "Data Scientist")
    ] == [JD]
    assert documents.get_document("Acme Corporation", "Data Scientist", SOP) is None
    assert documents.get_document("Acme Corporation", "Janitor", JD) is None


@pytest.mark.usefixtures("clean_registry")
def test_a_registered_source_goes_before_the_built_in_ones(settings: Settings) -> None:
    mine = entry("Underwriter", draup="Mine", company="Liberty Mutual")
    register_role_taxonomy_provider("mine", lambda settings: FakeTaxonomy(mine))
    register_document_provider("mine", lambda settings: FakeDocuments(DocumentRef(content="my JD")))
    taxonomy = get_role_taxonomy_provider(settings)
    assert taxonomy.get_role("Liberty Mutual", "Underwriter") == mine
    roles = taxonomy.get_roles_for_company("Liberty Mutual")
    assert sorted(r.job_title for r in roles) == ["Claims Adjuster", "Risk Analyst", "Underwriter"]
    assert mine in roles
    (document,) = get_document_provider(settings).get_documents_for_role(
        "Liberty Mutual", "Underwriter"
    )
    assert document.content == "my JD"


@pytest.mark.usefixtures("clean_registry")
def test_a_factory_may_say_that_its_source_is_not_configured(settings: Settings) -> None:
    register_role_taxonomy_provider("mine", lambda settings: None)
    assert len(get_role_taxonomy_provider(settings).get_companies()) == 3


@pytest.mark.usefixtures("clean_registry")
def test_registering_a_name_again_replaces_it(settings: Settings) -> None:
    settings = settings.with_changes(enable_mock_data=False)
    register_role_taxonomy_provider("mine", lambda settings: FakeTaxonomy(entry("Old")))
    register_role_taxonomy_provider("mine", lambda settings: FakeTaxonomy(entry("New")))
    roles = get_role_taxonomy_provider(settings).get_roles_for_company("C")
    assert [r.job_title for r in roles] == ["New"]


def test_an_outage_of_one_source_is_not_answered_by_the_next() -> None:
    """The later one may be older; and an empty list would make roles look removed."""
    taxonomy = CombinedTaxonomy([FakeTaxonomy(broken=True), FakeTaxonomy(entry("A"))])
    for ask in (
        taxonomy.get_companies,
        lambda: taxonomy.get_roles_for_company("C"),
        lambda: taxonomy.get_role("C", "A"),
    ):
        with pytest.raises(SourceUnavailable):
            ask()


def test_a_role_that_the_first_source_calls_removed_does_not_come_back_from_the_second() -> None:
    taxonomy = CombinedTaxonomy(
        [FakeTaxonomy(entry("A", status="removed")), FakeTaxonomy(entry("A"))]
    )
    assert taxonomy.get_roles_for_company("C", status_filter="active") == []


def test_each_type_of_document_comes_from_the_first_source_that_has_it() -> None:
    first = FakeDocuments(DocumentRef(type=SOP, content="first sop"))
    second = FakeDocuments(DocumentRef(type=SOP, content="second sop"), DocumentRef(content="jd"))
    both = CombinedDocuments([first, second])
    assert [d.content for d in both.get_documents_for_role("C", "R")] == ["first sop", "jd"]
    sop, jd = both.get_document("C", "R", SOP), both.get_document("C", "R", JD)
    assert (sop and sop.content, jd and jd.content) == ("first sop", "jd")


def test_the_samples_list_one_job_description_per_role() -> None:
    """A listing must name what `get_document` gives, or a sensor would look at other documents."""
    documents = get_document_provider(Settings(_env_file=None))
    assert documents.companies_with_documents() == [
        "Acme Corporation",
        "Liberty Mutual",
        "Walmart Inc.",
    ]
    listed = documents.list_documents("Liberty Mutual")
    assert {(one.company, one.role) for one in listed} == {
        ("Liberty Mutual", role) for role in ("Claims Adjuster", "Underwriter", "Risk Analyst")
    }
    for one in listed:
        document = documents.get_document(one.company, one.role, one.type)
        assert document is not None
        assert document.name == one.name
    assert len({one.fingerprint for one in listed}) == 3
    assert listed == documents.list_documents("Liberty Mutual")
    assert documents.list_documents("Nobody") == []


def test_the_first_source_that_lists_a_document_hides_the_later_ones() -> None:
    first = FakeListing(listing("A", source="first"))
    second = FakeListing(
        listing("A", source="second"), listing("A", SOP, source="second"), listing("B")
    )
    both = CombinedDocuments([first, second])
    assert [(one.role, one.type, one.source) for one in both.list_documents("C")] == [
        ("A", JD, "first"),
        ("A", SOP, "second"),
        ("B", JD, "s"),
    ]


def test_another_chosen_document_has_another_fingerprint() -> None:
    """The sensor compares fingerprints alone; the same e-tag of another document is a change."""
    assert fingerprint_of("s3", "a", 1, 2) == fingerprint_of("s3", "a", 1, 2)
    different = {
        fingerprint_of("s3", "a", 1, 2),
        fingerprint_of("s3", "a", 12),
        fingerprint_of("s3", "b", 1, 2),
        fingerprint_of("folder", "a", 1, 2),
    }
    assert len(different) == 4


def test_a_source_that_cannot_be_listed_fails_the_whole_listing() -> None:
    """Half a listing would look as if the other documents had been taken away."""
    both = CombinedDocuments([FakeListing(listing("A")), FakeListing(broken=True)])
    with pytest.raises(SourceUnavailable):
        both.list_documents("C")
    with pytest.raises(SourceUnavailable):
        both.companies_with_documents()


def test_a_source_without_listings_still_gives_its_documents() -> None:
    """Those that users registered before listings existed go on working."""
    old = FakeDocuments(DocumentRef(content="mine"))
    assert isinstance(old, DocumentProvider)
    assert not isinstance(old, ListingDocumentProvider)
    both = CombinedDocuments([old, FakeListing(listing("A"))])
    assert [d.content for d in both.get_documents_for_role("C", "R")] == ["mine"]
    assert [one.role for one in both.list_documents("C")] == ["A"]
    assert both.companies_with_documents() == ["C"]
