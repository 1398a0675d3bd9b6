"""What changed between the taxonomy as recorded and as listed now, for one company. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from etter_dagster.model.identity import name_problem, normalize_name, role_id
from etter_dagster.model.taxonomy import TaxonomyEntry

ACTIVE, REMOVED = "active", "removed"


@dataclass(frozen=True)
class TaxonomyChanges:
    """Entries by role id.

    `removed` holds the recorded entries with their new status. `renamed` gives for a removed
    role's id that of the new one with the same `job_id`. `unusable` says which entries cannot be
    roles, and why.
    """

    new: Mapping[str, TaxonomyEntry]
    changed: Mapping[str, TaxonomyEntry]
    removed: Mapping[str, TaxonomyEntry]
    renamed: Mapping[str, str]
    unusable: tuple[str, ...]

    @property
    def entries(self) -> dict[str, TaxonomyEntry]:
        """All that must be recorded; what is listed comes before what is not."""
        return {**self.new, **self.changed, **self.removed}


def taxonomy_changes(
    company: str, known: Mapping[str, TaxonomyEntry | None], listed: Iterable[TaxonomyEntry]
) -> TaxonomyChanges:
    """Compares a whole list of a company with what is recorded.

    Args:
        company: The company's name.
        known: Of each of its roles by id: the entry recorded, or None for one that was only pushed.
        listed: All entries of the taxonomy; a part of them would look like removals.
    """
    chosen, unusable = _chosen(company, listed)
    new = {rid: entry for rid, entry in chosen.items() if rid not in known}
    changed = {rid: entry for rid, entry in chosen.items() if rid in known and known[rid] != entry}
    removed = {
        rid: entry.model_copy(update={"status": REMOVED})
        for rid, entry in known.items()
        if entry is not None and rid not in chosen and entry.status != REMOVED
    }
    by_job = {entry.job_id: rid for rid, entry in {**changed, **new}.items()}
    renamed = {
        rid: by_job[entry.job_id] for rid, entry in removed.items() if entry.job_id in by_job
    }
    return TaxonomyChanges(new, changed, removed, renamed, unusable)


def _chosen(
    company: str, listed: Iterable[TaxonomyEntry]
) -> tuple[dict[str, TaxonomyEntry], tuple[str, ...]]:
    """One entry per role: an active one before others, then by job id, in whatever order listed."""
    chosen: dict[str, TaxonomyEntry] = {}
    unusable = []
    for entry in sorted(listed, key=lambda e: (e.status != ACTIVE, e.job_id)):
        if problem := name_problem("job_title", normalize_name(entry.job_title)):
            unusable.append(f"{entry.job_id}: job_title {problem.message}")
            continue
        if entry.company_name != company:
            entry = entry.model_copy(update={"company_name": company})
        chosen.setdefault(role_id(company, entry.job_title), entry)
    return chosen, tuple(unusable)
