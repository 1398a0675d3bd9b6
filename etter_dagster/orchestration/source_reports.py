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
        f"{_many(len(found), 'company', 'companies')} read, "
        f"{_many(sum(one.listed for one in found), 'entry', 'entries')}: "
        f"{_count(one.new for one in found)} new, {_count(one.changed for one in found)} changed, "
        f"{_count(one.removed for one in found)} removed, {_count(one.stale for one in found)} "
        "stale"
    ]
    if pushed is None:
        lines.append("new roles are not pushed: ETTER_PUSH_NEW_TAXONOMY_ROLES is off")
    else:
        lines.append(
            f"{_many(sum(p.pushed for p in pushed), 'new role')} pushed, "
            f"{sum(p.refused for p in pushed)} refused, "
            f"{sum(p.not_assessable for p in pushed)} wait for a Draup role or a job description"
        )
    lines += filter(None, [said_of_told(told)])
    if doubtful := _count(one.doubtful for one in found):
        lines.append(
            f"not listed, and not marked as removed: {_many(doubtful, 'role')}; the list changed "
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
        f"{_many(len(found), 'company', 'companies')} read, "
        f"{_many(sum(one.listed for one in found), 'document')}: "
        f"{sum(one.fetched for one in found)} fetched, "
        f"{_many(_count(one.changed for one in found), 'role')} with another text, "
        f"{_count(one.stale for one in found)} stale"
    ]
    if waiting := sum(one.waiting for one in found):
        lines.append(f"for the next tick: changed documents of {_many(waiting, 'role')}")
    lines += filter(None, [said_of_told(told)])
    lines += [line for one in found for line in one.unusable][:_NAMED]
    failures = {
        company: one.failure.message
        for company, one in looked.results.items()
        if one.failure is not None
    }
    return "; ".join(lines + _rest({**looked.failures, **failures}, looked.left))


def said_of_told(roles: int) -> str:
    """What Dagster was told; empty if nothing.

    Args:
        roles: Of whose changed inputs it was told.
    """
    return f"Dagster was told of the changed inputs of {_many(roles, 'role')}" if roles else ""


def _many(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _count(many: Iterable[Sized]) -> int:
    return sum(map(len, many))


def _rest(failures: Mapping[str, str], left: int) -> list[str]:
    lines = [f"{company}: {why}" for company, why in list(failures.items())[:_NAMED]]
    if len(failures) > _NAMED:
        lines.append(f"also not read: {_many(len(failures) - _NAMED, 'company', 'companies')}")
    if failures:
        lines.append("what cannot be read was left as it is")
    if left:
        lines.append(f"for the next tick: {_many(left, 'company', 'companies')}")
    return lines
