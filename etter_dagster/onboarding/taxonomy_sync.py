"""One company's taxonomy into the graph: new roles, changed entries, removed ones, stale roles.

A list that cannot be read whole raises, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from etter_dagster.model.documents import DocumentRef, text_hash
from etter_dagster.model.role import Role
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.model.taxonomy_changes import TaxonomyChanges, confirmed, taxonomy_changes
from etter_dagster.onboarding.role_setup import SUMMARY_NAME, linked_documents
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.stale import mark_stale
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.stores.protocols import list_key

MAX_CHANGES = 10_000  # of one company in one go; the rest still differs, and comes next
_PAGE = 2_000


@dataclass(frozen=True)
class TaxonomySynced:
    """What one look at a company's taxonomy brought. Ids are role ids."""

    listed: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: Mapping[str, str]
    stale: tuple[str, ...]
    unusable: tuple[str, ...]
    doubtful: tuple[str, ...] = ()


async def sync_taxonomy(services: Services, company: str, limit: TickTime) -> TaxonomySynced:
    """Reads a company's taxonomy and records what changed.

    What is not listed is removed only if a second reading lacks it, too.

    Args:
        services: Source, graph, clock.
        company: The company's name.
        limit: For the source to answer; once it is over, no more is recorded than of one page of
            entries; the rest differs still, and comes next.

    Raises:
        SourceUnavailable: It cannot be read; nothing changed.
    """
    listed = await _listed(services, company, limit)
    known = await _known(services, company)
    changes = taxonomy_changes(company, known, listed)
    if changes.removed:  # or did they only move between the pages while those were read?
        listed = await _listed(services, company, limit)
        changes = confirmed(changes, taxonomy_changes(company, known, listed))
    entries: dict[str, TaxonomyEntry] = {}
    stale: list[str] = []
    for some in _pages(dict(list(changes.entries.items())[:MAX_CHANGES])):
        if entries and limit.over:
            break
        stale += await _record(services, changes, some)
        entries |= some
    return TaxonomySynced(
        listed=len(listed),
        new=_those(changes.new, entries),
        changed=_those(changes.changed, entries),
        removed=_those(changes.removed, entries),
        renamed=_shown_renames(changes, entries),
        stale=tuple(stale),
        unusable=changes.unusable,
        doubtful=changes.doubtful,
    )


async def _record(
    services: Services, changes: TaxonomyChanges, entries: Mapping[str, TaxonomyEntry]
) -> list[str]:
    """Records entries; gives the roles whose assessment is stale now."""
    before = await services.graph.roles_by_id([rid for rid in entries if rid in changes.changed])
    # First: once an entry is recorded, it differs no more, and nobody would come back for its JD.
    await _follow_summaries(services, before, entries)
    await services.graph.put_taxonomy(list(entries.values()))
    return await mark_stale(services, list(before))


async def _listed(services: Services, company: str, limit: TickTime) -> Sequence[TaxonomyEntry]:
    return await limit.ask(
        services.taxonomy.get_roles_for_company, company, what=f"the taxonomy of {company}"
    )


async def _known(services: Services, company: str) -> dict[str, TaxonomyEntry | None]:
    known: dict[str, TaxonomyEntry | None] = {}
    after = ""
    while page := await services.graph.roles(company, after=after, limit=_PAGE):
        known |= {role.role_id: role.taxonomy for role in page}
        after = list_key(page[-1])
    return known


async def _follow_summaries(
    services: Services, before: Mapping[str, Role], entries: Mapping[str, TaxonomyEntry]
) -> None:
    """A role whose JD is the taxonomy's summary gets the new one."""
    for rid, role in before.items():
        old = role.taxonomy.general_summary if role.taxonomy else None
        new = entries[rid].general_summary
        if old and new and role.jd_hash == text_hash(old) != text_hash(new):
            reference = DocumentRef(content=new, name=SUMMARY_NAME)
            await services.graph.link_documents(
                rid, linked_documents([reference], services.clock())
            )


def _pages(entries: Mapping[str, TaxonomyEntry]) -> list[dict[str, TaxonomyEntry]]:
    items = list(entries.items())
    return [dict(items[start : start + _PAGE]) for start in range(0, len(items), _PAGE)]


def _those(of: Iterable[str], entries: Mapping[str, TaxonomyEntry]) -> tuple[str, ...]:
    return tuple(rid for rid in of if rid in entries)


def _shown_renames(
    changes: TaxonomyChanges, entries: Mapping[str, TaxonomyEntry]
) -> dict[str, str]:
    return {old: new for old, new in changes.renamed.items() if old in entries}
