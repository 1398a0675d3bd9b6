"""Each role is a dynamic partition; its key is the role id."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

roles = dg.DynamicPartitionsDefinition(name="roles")
_AT_ONCE = 10_000  # one SQLite call fails above some 250,000


def add_partitions(instance: dg.DagsterInstance, role_ids: Iterable[str]) -> None:
    """Adds partitions in bulk; those that exist are left as they are.

    Args:
        instance: Where they are added.
        role_ids: Their keys, any number.
    """
    keys = list(dict.fromkeys(role_ids))
    for start in range(0, len(keys), _AT_ONCE):
        instance.add_dynamic_partitions("roles", keys[start : start + _AT_ONCE])


class KnownPartitions:
    """Adds the partitions that are missing, and asks the instance only once for what there is.

    Args:
        instance: Where they are added.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._known: set[str] | None = None

    def ensure(self, role_ids: Iterable[str]) -> None:
        """Adds what is missing of these keys."""
        if self._known is None:
            self._known = set(self._instance.get_dynamic_partitions("roles"))
        missing = [key for key in role_ids if key not in self._known]
        if missing:
            add_partitions(self._instance, missing)
            self._known.update(missing)
