"""Which sources a process has. The latest registered is asked first, so one of your own goes
before the built-in ones: what the operator put into a folder, the platform's APIs, S3, the samples.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Generic, TypeVar

from pydantic import SecretStr

from etter_dagster.settings import Settings, get_settings
from etter_dagster.sources.combined import CombinedDocuments, CombinedTaxonomy
from etter_dagster.sources.companies import CompaniesFile
from etter_dagster.sources.documents_api import DocumentsApi
from etter_dagster.sources.folder import FolderDocuments
from etter_dagster.sources.http_api import HttpApi
from etter_dagster.sources.protocols import (
    DocumentProvider,
    ListingDocumentProvider,
    RoleTaxonomyProvider,
)
from etter_dagster.sources.s3 import S3Documents, bucket_of
from etter_dagster.sources.samples import SampleDocuments, SampleTaxonomy
from etter_dagster.sources.taxonomy_api import TaxonomyApi

T = TypeVar("T")
SAMPLES = "samples"
LOCAL = frozenset({SAMPLES, "folder"})  # asking them is as cheap as asking a store
TaxonomyFactory = Callable[[Settings], RoleTaxonomyProvider | None]
DocumentFactory = Callable[[Settings], DocumentProvider | None]


class Factories(Generic[T]):
    """Factories by name; each gives its provider, or None where the settings do not name it."""

    def __init__(self, **built_in: Callable[[Settings], T | None]) -> None:
        self._by_name = dict(built_in)

    def register(self, name: str, factory: Callable[[Settings], T | None]) -> None:
        """Adds a factory in front; the same name again replaces the older one."""
        self._by_name.pop(name, None)
        self._by_name[name] = factory

    def remove(self, name: str) -> None:
        """Takes a factory out, if it is there."""
        self._by_name.pop(name, None)

    def open(self, settings: Settings, names: Container[str] | None = None) -> list[T]:
        """The providers that the settings name, in order of preference; only of these names."""
        return [provider for _, provider in self._made(settings, names)]

    def named(self, settings: Settings) -> list[tuple[str, T]]:
        """The providers that the settings name, with their names."""
        return list(self._made(settings, None))

    def configured(self, settings: Settings) -> list[str]:
        """The names of the providers that the settings name, in order of preference."""
        return [name for name, _ in self._made(settings, None)]

    def _made(self, settings: Settings, names: Container[str] | None) -> Iterator[tuple[str, T]]:
        for name, factory in reversed(list(self._by_name.items())):
            if names is None or name in names:
                provider = factory(settings)
                if provider is not None:
                    yield name, provider


def _sample_taxonomy(settings: Settings) -> RoleTaxonomyProvider | None:
    return SampleTaxonomy() if settings.enable_mock_data else None


def _sample_documents(settings: Settings) -> DocumentProvider | None:
    return SampleDocuments() if settings.enable_mock_data else None


def _folder_documents(settings: Settings) -> DocumentProvider | None:
    return FolderDocuments(settings.documents_dir) if settings.documents_dir else None


def _taxonomy_api(settings: Settings) -> RoleTaxonomyProvider | None:
    if settings.taxonomy_api_base_url is None:
        return None
    api = HttpApi("the taxonomy API", "ETTER_TAXONOMY_API_BASE_URL", settings.taxonomy_api_base_url)
    companies = CompaniesFile(settings.companies_file)
    return TaxonomyApi(api, companies, _secret(settings.taxonomy_api_token))


def _documents_api(settings: Settings) -> DocumentProvider | None:
    if settings.documents_api_base_url is None:
        return None
    api = HttpApi(
        "the documents API", "ETTER_DOCUMENTS_API_BASE_URL", settings.documents_api_base_url
    )
    companies = CompaniesFile(settings.companies_file)
    return DocumentsApi(api, companies, _secret(settings.documents_api_token))


def _s3_documents(settings: Settings) -> DocumentProvider | None:
    if settings.s3_bucket is None:
        return None
    return S3Documents(bucket_of(settings.s3_bucket, settings.s3_endpoint_url))


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


taxonomy_factories: Factories[RoleTaxonomyProvider] = Factories(
    samples=_sample_taxonomy, taxonomy_api=_taxonomy_api
)
document_factories: Factories[DocumentProvider] = Factories(
    samples=_sample_documents,
    s3=_s3_documents,
    documents_api=_documents_api,
    folder=_folder_documents,
)


def register_role_taxonomy_provider(name: str, factory: TaxonomyFactory) -> None:
    """Adds a source of roles, asked before those registered earlier.

    Args:
        name: Its name; the same name again replaces the older one.
        factory: Makes the provider from the settings, or gives None if it is not configured.
    """
    taxonomy_factories.register(name, factory)


def register_document_provider(name: str, factory: DocumentFactory) -> None:
    """Adds a source of documents, asked before those registered earlier.

    Args:
        name: Its name; the same name again replaces the older one.
        factory: Makes the provider from the settings, or gives None if it is not configured.
    """
    document_factories.register(name, factory)


def get_role_taxonomy_provider(settings: Settings | None = None) -> RoleTaxonomyProvider:
    """All configured sources of roles as one.

    Args:
        settings: The environment's, if None.
    """
    return CombinedTaxonomy(taxonomy_factories.open(settings or get_settings()))


def get_document_provider(settings: Settings | None = None) -> ListingDocumentProvider:
    """All configured sources of documents as one.

    Args:
        settings: The environment's, if None.
    """
    return CombinedDocuments(document_factories.open(settings or get_settings()))


def get_local_taxonomy(settings: Settings) -> RoleTaxonomyProvider:
    """The sources of roles that may be asked at any time; none of them is remote.

    Args:
        settings: Which are configured.
    """
    return CombinedTaxonomy(taxonomy_factories.open(settings, LOCAL))


def get_local_documents(settings: Settings) -> ListingDocumentProvider:
    """The sources of documents that may be asked at any time; none of them is remote.

    Args:
        settings: Which are configured.
    """
    return CombinedDocuments(document_factories.open(settings, LOCAL))


def taxonomy_sources(settings: Settings) -> list[str]:
    """Names of the configured sources of roles, the samples aside.

    Args:
        settings: Which are configured.
    """
    return [name for name in taxonomy_factories.configured(settings) if name != SAMPLES]


def document_sources(settings: Settings) -> list[str]:
    """Names of the configured sources of documents, the samples aside.

    Args:
        settings: Which are configured.
    """
    return [name for name in document_factories.configured(settings) if name != SAMPLES]
