"""One caller's visit to the gate: what the rules look up, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etter_dagster.api.access import Caller
from etter_dagster.api.dagster_upstream import LOCATION, REPOSITORY, DagsterUpstream
from etter_dagster.api.gate_document import refused
from etter_dagster.model.role import Role
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import AuditEntry

# The names of `orchestration/`, which this layer may not import for Dagster's sake; a test holds
# them alike.
KIND_TAG, SERVING = "etter/kind", "serving"
PARTITION_TAG = "dagster/partition"
RANGE_TAG = "dagster/asset_partition_range_start"
KEY_TAG = "etter/key"  # who launched it: the API key's id, written by the gate alone
MAX_PARTITIONS = 10_000
_ADD_AT_ONCE = 100


@dataclass
class Visit:
    """Who asks, with what the rules need to decide.

    Attributes:
        caller: Who.
        services: The graph knows whose a role is.
        dagster: Knows who launched a run.
        audit: What is to be recorded when Dagster has taken the request.
        extensions: What the answer says besides Dagster's own.
    """

    caller: Caller
    services: Services
    dagster: DagsterUpstream
    audit: list[AuditEntry] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)

    @property
    def key_tag(self) -> dict[str, str]:
        """The tag of what this key launched."""
        return {"key": KEY_TAG, "value": self.caller.key_id}

    @property
    def assets(self) -> list[str]:
        """The role assets."""
        return [asset for step in self.services.steps for asset in step.assets]

    def require_assets(self, keys: Iterable[Mapping[str, Any]]) -> None:
        """Raises `FORBIDDEN` unless these are role assets."""
        for key in keys:
            if len(key["path"]) != 1 or key["path"][0] not in self.assets:
                raise refused(f"{'/'.join(key['path'])[:100]} is no asset of a role")

    async def require_roles(self, role_ids: Sequence[str]) -> list[Role]:
        """The roles of these partitions; raises `FORBIDDEN` unless all are the caller's."""
        if not 1 <= len(role_ids) <= MAX_PARTITIONS:
            raise refused(f"give 1 to {MAX_PARTITIONS} partitions at once")
        roles = await self.services.graph.roles_by_id(list(dict.fromkeys(role_ids)))
        for role_id in role_ids:
            # An unknown one looks like another company's.
            if role_id not in roles or not self.caller.sees(roles[role_id].company_id):
                raise refused(
                    f"{role_id[:200]} is no role of this key's companies (new ones: "
                    "PUT /roles/{company}/{role})"
                )
        return list(roles.values())

    async def visible(self, role_ids: Iterable[str]) -> set[str]:
        """Those whose role is the caller's."""
        wanted = list(dict.fromkeys(role_ids))
        seen: set[str] = set()
        for start in range(0, len(wanted), MAX_PARTITIONS):
            roles = await self.services.graph.roles_by_id(wanted[start : start + MAX_PARTITIONS])
            seen |= {id_ for id_, role in roles.items() if self.caller.sees(role.company_id)}
        return seen

    async def add_partitions(self, role_ids: Sequence[str]) -> None:
        """Adds partitions of roles that Dagster may not have yet; those it has stay."""
        for start in range(0, len(role_ids), _ADD_AT_ONCE):
            keys = role_ids[start : start + _ADD_AT_ONCE]
            names = [f"k{index}" for index in range(len(keys))]
            adding = " ".join(
                f"{name}: addDynamicPartition(repositorySelector: $repository, "
                f'partitionsDefName: "roles", partitionKey: ${name}) {{ __typename }}'
                for name in names
            )
            declared = ", ".join(f"${name}: String!" for name in names)
            await self.dagster.data(
                f"mutation($repository: RepositorySelector!, {declared}) {{ {adding} }}",
                repository={"repositoryName": REPOSITORY, "repositoryLocationName": LOCATION},
                **dict(zip(names, keys, strict=True)),
            )

    def record(
        self,
        action: str,
        *,
        target: str,
        company_id: str | None = None,
        created_by: str | None = None,
        **detail: Any,
    ) -> None:
        """Notes who does what, for the audit log.

        Args:
            action: What, e.g. `launch-run`.
            target: To what: an id.
            company_id: Of which company, if of one.
            created_by: Who, as the caller says.
            detail: More, plain values only.
        """
        self.audit.append(
            AuditEntry(
                at=self.services.clock(),
                actor=self.caller.key_id,
                created_by=created_by,
                action=action,
                company_id=company_id,
                target=target,
                detail=detail,
            )
        )
