"""Does Dagster show of the roles what the graph knows of them? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role

SHOWN = (RoleStatus.READY, RoleStatus.DEGRADED, RoleStatus.STALE)
VERSION_LENGTH = 16


def expected_version(role: Role) -> str | None:
    """The data version that Dagster should show of a role's assessment; None: nothing is expected.

    Args:
        role: The role.
    """
    if role.current is None or role.state not in SHOWN:
        return None
    return role.current.basis.inputs.inputs_hash[:VERSION_LENGTH]


@dataclass(frozen=True)
class Disagreement:
    """Role ids by what is wrong in Dagster."""

    no_partition: tuple[str, ...]
    not_materialized: tuple[str, ...]
    other_version: tuple[str, ...]
    unknown_role: tuple[str, ...]

    @property
    def count(self) -> int:
        """All of them."""
        return sum(map(len, (self.no_partition, *self._repairable, self.unknown_role)))

    @property
    def to_report(self) -> tuple[str, ...]:
        """Roles whose assessment Dagster must hear of again."""
        return tuple(dict.fromkeys(role for some in self._repairable for role in some))

    @property
    def _repairable(self) -> tuple[tuple[str, ...], ...]:
        return self.not_materialized, self.other_version


def disagreement(
    expected: Mapping[str, str | None], partitions: Set[str], shown: Mapping[str, str]
) -> Disagreement:
    """Compares the graph with Dagster.

    Args:
        expected: Of every role: the data version of its assessment, None where none is expected.
        partitions: Keys that Dagster knows.
        shown: The data version of each partition that is materialized.
    """
    wanted = {rid: version for rid, version in expected.items() if version is not None}
    return Disagreement(
        no_partition=tuple(rid for rid in expected if rid not in partitions),
        not_materialized=tuple(rid for rid in wanted if rid not in shown),
        other_version=tuple(
            rid for rid, version in wanted.items() if shown.get(rid, version) != version
        ),
        unknown_role=tuple(sorted(rid for rid in partitions if rid not in expected)),
    )
