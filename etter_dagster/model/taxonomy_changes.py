"""What changed between the taxonomy as recorded and as listed now, for one company. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from etter_dagster.model.identity import name_problem, normalize_name, role_id
from etter_dagster.model.taxonomy import TaxonomyEntry

ACTIVE, REMOVED = "active", "removed"


@dataclass(frozen=True)
class TaxonomyChanges:
    """Entries by role id.

    `removed` holds the recorded entries with their new status. `renamed` gives for a removed
    role's id that of the new one with the same `job_id`. `unusable` says which entries cannot be
    roles, and why. `doubtful` are roles that were not listed, and are not `removed` all the same:
    the list may lack what moved between its pages while they were read.
    """

    new: Mapping[str, TaxonomyEntry]
    changed: Mapping[str, TaxonomyEntry]
    removed: Mapping[str, TaxonomyEntry]
    renamed: Mapping[str, str]
    unusable: tuple[str, ...]
    doubtful: tuple[str, ...] = ()

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
    listed = list(listed)
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
    changes = TaxonomyChanges(new, changed, removed, renamed, unusable)
    return _doubted(changes, removed) if _some_twice(listed) else changes


def confirmed(first: TaxonomyChanges, second: TaxonomyChanges) -> TaxonomyChanges:
    """The second reading of a list, where only what the first lacked too counts as removed.

    Args:
        first: By the first reading.
        second: By another one, right after it.
    """
    return _doubted(second, first.removed.keys() ^ second.removed.keys())


def _doubted(changes: TaxonomyChanges, doubtful: Iterable[str]) -> TaxonomyChanges:
    doubt = frozenset(doubtful)
    return replace(
        changes,
        removed={rid: entry for rid, entry in changes.removed.items() if rid not in doubt},
        renamed={old: new for old, new in changes.renamed.items() if old not in doubt},
        doubtful=tuple(sorted({*changes.doubtful, *doubt})),
    )


def _some_twice(listed: Sequence[TaxonomyEntry]) -> bool:
    """Whether the same job is listed twice: where pages move, another one is then missing."""
    counts = Counter((entry.job_id, entry.job_title) for entry in listed)
    return any(count > 1 for count in counts.values())


def preference(entry: TaxonomyEntry) -> tuple[bool, str]:
    """Which of several entries for one role counts: an active one before others, then by job id.

    Args:
        entry: One of them.
    """
    return entry.status != ACTIVE, entry.job_id


def _chosen(
    company: str, listed: Iterable[TaxonomyEntry]
) -> tuple[dict[str, TaxonomyEntry], tuple[str, ...]]:
    """One entry per role, in whatever order they are listed; the others are named."""
    chosen: dict[str, TaxonomyEntry] = {}
    unusable = []
    for entry in sorted(listed, key=preference):
        if problem := name_problem("job_title", normalize_name(entry.job_title)):
            unusable.append(f"{entry.job_id}: job_title {problem.message}")
            continue
        if entry.company_name != company:
            entry = entry.model_copy(update={"company_name": company})
        other = chosen.setdefault(role_id(company, entry.job_title), entry)
        if preference(other) == preference(entry):  # the same job twice, maybe with other data
            chosen[role_id(company, entry.job_title)] = min(other, entry, key=repr)
        elif other.status == entry.status:
            unusable.append(f"{entry.job_id}: has the job_title of {other.job_id}, which counts")
    return chosen, tuple(unusable)
