"""Where inputs come from: taxonomy and documents (`samples`, `folder`), files of many roles
(`bulk_files`), a caller's links (`fetch`), text out of documents (`text`).
"""

from etter_dagster.sources.protocols import DocumentProvider, RoleTaxonomyProvider
from etter_dagster.sources.registry import (
    get_document_provider,
    get_role_taxonomy_provider,
    register_document_provider,
    register_role_taxonomy_provider,
)

__all__ = [
    "DocumentProvider",
    "RoleTaxonomyProvider",
    "get_document_provider",
    "get_role_taxonomy_provider",
    "register_document_provider",
    "register_role_taxonomy_provider",
]
