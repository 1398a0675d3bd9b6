"""What a sensor's tick says of what it found, in a few lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized

from etter_dagster.onboarding.document_sync import DocumentsSynced
from etter_dagster.onboarding.new_roles import NewRolesPushed
from etter_dagster.onboarding.rounds import Looked
from etter_dagster.onboarding.taxonomy_sync import TaxonomySynced

_NAMED = 10  # renames, unusable entries and failures of one tick that are named


def said_of_taxonomy(
    looked: Looked[TaxonomySynced], pushed: Sequence[NewRolesPushed] | None, told: int
) -> str:
    """What a tick of the taxonomy sensor found.

    Args:
        looked: Per company.
        pushed: What became of new roles; None where pushing them is switched off.
        told: Roles of whose changed inputs Dagster was told.
    """
    found = list(looked.results.values())
    lines = [
        f"{len(found)} companies read, {sum(one.listed for one in found)} entries: "
        f"{_count(one.new for one in found)} new, {_count(one.changed for one in found)} changed, "
        f"{_count(one.removed for one in found)} removed, {_count(one.stale for one in found)} "
        "stale"
    ]
    if pushed is None:
        lines.append("new roles are not pushed: ETTER_PUSH_NEW_TAXONOMY_ROLES is off")
    else:
        lines.append(
            f"{sum(p.pushed for p in pushed)} new roles pushed, {sum(p.refused for p in pushed)} "
            f"refused, {sum(p.not_assessable for p in pushed)} wait for a Draup role or a job "
            "description"
        )
    lines += _told(told)
    if doubtful := _count(one.doubtful for one in found):
        lines.append(
            f"{doubtful} roles were not listed and are not marked as removed: the list changed "
            "while it was read, or holds an entry twice"
        )
    renames = [pair for one in found for pair in one.renamed.items()]
    lines += [f"renamed: {old} is now {new}" for old, new in renames[:_NAMED]]
    lines += [line for one in found for line in one.unusable][:_NAMED]
    return "; ".join(lines + _rest(looked.failures, looked.left))


def said_of_documents(looked: Looked[DocumentsSynced], told: int) -> str:
    """What a tick of the document sensor found.

    Args:
        looked: Per company.
        told: Roles of whose changed inputs Dagster was told.
    """
    found = list(looked.results.values())
    lines = [
        f"{len(found)} companies read, {sum(one.listed for one in found)} documents: "
        f"{sum(one.fetched for one in found)} fetched, {_count(one.changed for one in found)} "
        f"roles with another text, {_count(one.stale for one in found)} stale"
    ]
    if waiting := sum(one.waiting for one in found):
        lines.append(f"{waiting} roles with changed documents wait for the next tick")
    lines += _told(told)
    lines += [line for one in found for line in one.unusable][:_NAMED]
    failures = {
        company: one.failure.message
        for company, one in looked.results.items()
        if one.failure is not None
    }
    return "; ".join(lines + _rest({**looked.failures, **failures}, looked.left))


def _told(roles: int) -> list[str]:
    return [f"Dagster was told of the changed inputs of {roles} roles"] if roles else []


def _count(many: Iterable[Sized]) -> int:
    return sum(map(len, many))


def _rest(failures: Mapping[str, str], left: int) -> list[str]:
    lines = [f"{company}: {why}" for company, why in list(failures.items())[:_NAMED]]
    if len(failures) > _NAMED:
        lines.append(f"{len(failures) - _NAMED} more companies cannot be read")
    if failures:
        lines.append("what cannot be read was left as it is")
    if left:
        lines.append(f"{left} companies are for the next tick")
    return lines
