"""One company's documents into the catalogue: listed first, fetched only where they changed.

A list that cannot be read whole raises, and changes nothing; a document whose text cannot be
fetched now is fetched the next time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from etter_dagster.model.catalogue import KnownDocument, changed_types
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import DocumentUnavailable, EtterError, SourceUnavailable
from etter_dagster.model.identity import role_id
from etter_dagster.model.role import Role
from etter_dagster.onboarding.check import check_document_text
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.source_documents import unusable
from etter_dagster.onboarding.stale import mark_stale
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.sources.protocols import DocumentListing
from etter_dagster.stores.protocols import list_key

_PAGE = 2_000
_AWAY = 5  # fetches that fail one after the other: it is the source then, not its documents


@dataclass
class DocumentsSynced:
    """What one look at a company's documents brought. Ids are role ids."""

    listed: int = 0
    recorded: int = 0
    fetched: int = 0
    changed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    waiting: int = 0  # roles whose changed documents there was no time for
    failure: SourceUnavailable | None = None  # the last one
    failed_in_a_row: int = 0


async def sync_documents(
    services: Services, company: str, limit: TickTime, *, has_documents: bool
) -> DocumentsSynced:
    """Reads a company's list of documents, fetches and links what changed.

    What is seen of a role for the first time is only recorded: its text is fetched when the role
    is onboarded. If that was before, the role says so by an empty catalogue, and its text is
    fetched again and compared.

    Args:
        services: Source, graph, clock.
        company: The company's name.
        limit: Once it is over, no more is fetched or recorded than of one page of roles; the rest
            differs still, and comes next.
        has_documents: Whether its list is worth asking for.

    Raises:
        SourceUnavailable: The list cannot be read; nothing changed.
    """
    listed = await _list(services, company, limit) if has_documents else ()
    now: dict[str, list[KnownDocument]] = {}
    for listing in listed:
        now.setdefault(role_id(company, listing.role), []).append(_known(listing))
    done = DocumentsSynced(listed=len(listed))
    after = ""
    while page := await services.graph.roles(company, after=after, limit=_PAGE):
        after = list_key(page[-1])
        await _sync_page(services, page, now, limit, done)
    done.stale = await mark_stale(services, done.changed)
    return done


async def _list(services: Services, company: str, limit: TickTime) -> Sequence[DocumentListing]:
    return await limit.ask(
        services.document_source.list_documents,
        company,
        what=f"the list of documents of {company}",
    )


async def _sync_page(
    services: Services,
    page: Sequence[Role],
    now: dict[str, list[KnownDocument]],
    limit: TickTime,
    done: DocumentsSynced,
) -> None:
    record: dict[str, tuple[KnownDocument, ...]] = {}
    other: list[tuple[Role, tuple[KnownDocument, ...], frozenset[DocumentType]]] = []
    for role in page:
        documents = tuple(sorted(now.get(role.role_id, ()), key=lambda d: (d.type, d.source)))
        if documents == role.catalogued:
            continue
        if done.recorded and limit.over:
            done.waiting += 1
            continue
        types = changed_types(role.catalogued or (), documents)
        has_text = bool(role.jd_hash or role.documents_hash)
        if role.catalogued is None or not types or not has_text:
            record[role.role_id] = documents
        else:
            other.append((role, documents, types))
    if record:  # at once: fetching takes its time, and a role may be onboarded meanwhile
        await services.graph.put_catalogue(record)
        done.recorded += len(record)
    fetched: dict[str, tuple[KnownDocument, ...]] = {}
    for role, documents, types in other:
        if done.failed_in_a_row >= _AWAY or limit.over:
            done.waiting += 1
        else:
            try:
                lost = await _fetch(services, role, sorted(types), limit, done)
                done.waiting += bool(lost)
                done.failed_in_a_row = 0
                fetched[role.role_id] = tuple(doc for doc in documents if doc.type not in lost)
            except SourceUnavailable as error:
                done.failure = error
                done.failed_in_a_row += 1
                done.waiting += 1
    if fetched:
        await services.graph.put_catalogue(fetched)
        done.recorded += len(fetched)


async def _fetch(
    services: Services,
    role: Role,
    types: Sequence[DocumentType],
    limit: TickTime,
    done: DocumentsSynced,
) -> set[DocumentType]:
    """Fetches and links documents of these types; one that cannot be used is only noted.

    Gives the types of those that cannot be read now: they must keep no others waiting.
    """
    references: list[DocumentRef] = []
    lost: set[DocumentType] = set()
    for type_ in types:
        try:
            found = await limit.ask(
                services.document_source.get_document,
                role.company_id,
                role.role_name,
                type_,
                what=f"the {type_.value} of {role.role_name}",
            )
            if found is not None:
                check_document_text(type_.value, found.content or "")
                references.append(found)
        except EtterError as error:
            if not unusable(error):
                raise
            done.unusable.append(f"{role.role_id}: {error.message}")
            if isinstance(error, DocumentUnavailable):
                lost.add(type_)
    done.fetched += len(references)
    linked = await services.graph.link_documents(
        role.role_id, linked_documents(references, services.clock())
    )
    if (linked.jd_hash, linked.documents_hash) != (role.jd_hash, role.documents_hash):
        done.changed.append(role.role_id)
    return lost


def _known(listing: DocumentListing) -> KnownDocument:
    return KnownDocument(
        type=listing.type,
        source=listing.source,
        key=listing.key,
        fingerprint=listing.fingerprint,
        name=listing.name,
    )
