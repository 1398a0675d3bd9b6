"""`RoleGraph` in Neo4j 5; `docs/graph.md` shows the labels and relations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from neo4j import AsyncManagedTransaction, Record

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.catalogue import KnownDocument
from etter_dagster.model.documents import LinkedDocument
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.near_names import folded
from etter_dagster.model.push import Push
from etter_dagster.model.role import Role
from etter_dagster.model.skills import RoleSkill, most_exposed_first
from etter_dagster.model.staleness import StaleReason
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.settings import Settings
from etter_dagster.stores import neo4j_nodes as nodes
from etter_dagster.stores import neo4j_records as records
from etter_dagster.stores import neo4j_roles as roles
from etter_dagster.stores import role_changes as changes
from etter_dagster.stores.neo4j_commits import GroupCommit, Outcome
from etter_dagster.stores.neo4j_company import delete_company
from etter_dagster.stores.neo4j_connection import Neo4jConnection
from etter_dagster.stores.protocols import AuditEntry, PushCounts, PushFilter, PushPage

_IN_CHUNK = 2000  # keys or entries in one query
_NEWEST_FIRST = "ORDER BY a.created_at DESC, h.position DESC"


@dataclass(frozen=True)
class _Here:
    """What one event loop works with: a driver knows one loop only."""

    connection: Neo4jConnection
    commits: GroupCommit


class Neo4jRoleGraph:
    """`RoleGraph` in a Neo4j 5 server, community edition suffices.

    Args:
        settings: The `neo4j_...` ones.
        clock: The present, in UTC.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._here: WeakKeyDictionary[asyncio.AbstractEventLoop, _Here] = WeakKeyDictionary()
        self._closed = False

    async def close(self) -> None:
        self._closed = True
        here = self._here.pop(asyncio.get_running_loop(), None)
        if here is not None:
            await here.commits.drain()
            await here.connection.close()

    async def ping(self) -> None:
        await self._open().connection.check()
        await self._open().connection.write(_touch)

    async def migrate(self) -> tuple[int, int]:
        return await self._open().connection.migrate()

    async def check_schema(self) -> None:
        await self._open().connection.check()

    # -- roles -------------------------------------------------------------------------------
    async def put_role(
        self,
        company_id: str,
        role_name: str,
        *,
        draup_role_id: str | None = None,
        draup_role_name: str | None = None,
        token: int | None = None,
    ) -> Role:
        draup = {"draup_role_id": draup_role_id, "draup_role_name": draup_role_name}
        change = changes.put(company_id, role_name, draup=draup, token=token, now=self._clock())
        return await self._open().commits.write(change)

    async def put_taxonomy(self, entries: Sequence[TaxonomyEntry]) -> list[str]:
        now = self._clock()
        ids = [role_id(entry.company_name, entry.job_title) for entry in entries]
        known = await self.roles_by_id(ids)
        changed = [
            changes.record(entry, now)
            for rid, entry in zip(ids, entries, strict=True)
            if rid not in known or known[rid].taxonomy != entry
        ]
        created = await self._write_many(changed)
        return [rid for rid in dict.fromkeys(ids) if rid in created]

    async def put_catalogue(self, found: Mapping[str, Sequence[KnownDocument]]) -> None:
        now = self._clock()
        known = await self.roles_by_id(list(found))
        await self._write_many([changes.catalogue(rid, found[rid], now) for rid in known])

    async def role(self, role_id: str) -> Role | None:
        return (await self.roles_by_id([role_id])).get(role_id)

    async def roles_by_id(self, role_ids: Sequence[str]) -> dict[str, Role]:
        found = {}
        for start in range(0, len(role_ids), _IN_CHUNK):
            ids = list(role_ids[start : start + _IN_CHUNK])
            for role in await self._roles("MATCH (r:CompanyRole) WHERE r.role_id IN $ids", ids=ids):
                found[role.role_id] = role
        return found

    async def roles(
        self, company_id: str | None = None, *, q: str = "", after: str = "", limit: int = 200
    ) -> list[Role]:
        name, _, rid = after.partition("\0")
        # Ordered by the whole index, or the planner would sort.
        index, order, company = (
            ("company_id, list_key", "r.company_id, r.list_key", "r.company_id = $company AND ")
            if company_id is not None
            else ("list_key", "r.list_key", "")
        )
        return await self._roles(
            f"MATCH (r:CompanyRole) USING INDEX r:CompanyRole({index}) "
            f"WHERE {company}r.list_key > $after{_searched(q)} "
            f"WITH r ORDER BY {order} LIMIT $limit",
            company=company_id,
            q=folded(q),
            after=nodes.role_key(name, rid) if after else "",
            limit=limit,
        )

    async def same_names(self, company_id: str, role_names: Sequence[str]) -> list[str]:
        found: list[str] = []
        for start in range(0, len(role_names), _IN_CHUNK):
            (row,) = await self._rows(
                "MATCH (r:CompanyRole) USING INDEX r:CompanyRole(company_id, folded) "
                "WHERE r.company_id = $company AND r.folded IN $names "
                "RETURN collect(r.role_name) AS found",
                company=company_id,
                names=list({folded(name) for name in role_names[start : start + _IN_CHUNK]}),
            )
            found += row["found"]
        return found

    async def roles_since(self, sequence: int, *, limit: int = 10_000) -> list[tuple[int, str]]:
        (row,) = await self._rows(
            "MATCH (r:CompanyRole) USING INDEX r:CompanyRole(sequence) "
            "WHERE r.sequence > $sequence WITH r ORDER BY r.sequence LIMIT $limit "
            "RETURN collect([r.sequence, r.role_id]) AS found",
            sequence=sequence,
            limit=limit,
        )
        return [(number, rid) for number, rid in row["found"]]

    async def roles_in(
        self, states: Sequence[RoleStatus], *, after: int = 0, limit: int = 2_000
    ) -> list[Role]:
        return await self._roles(
            # Along the sequence, a page ends as soon as it is full.
            "MATCH (r:CompanyRole) USING INDEX r:CompanyRole(sequence) "
            "WHERE r.sequence > $after AND r.state IN $states "
            "WITH r ORDER BY r.sequence LIMIT $limit",
            states=[state.value for state in states],
            after=after,
            limit=limit,
        )

    async def count_roles(self, company_id: str | None = None, *, q: str = "") -> int:
        of = "" if company_id is None else "(:Company {name: $company})-[:HAS_ROLE]->"
        query = f"MATCH {of}(r:CompanyRole) WHERE true{_searched(q)} RETURN count(r) AS n"
        if not q and company_id is not None:  # the relations of a node are counted
            query = (
                "OPTIONAL MATCH (c:Company {name: $company}) "
                "RETURN COUNT { (c)-[:HAS_ROLE]->() } AS n"
            )
        (row,) = await self._rows(query, company=company_id, q=folded(q))
        return int(row["n"])

    async def count_states(
        self,
        company_id: str,
        *,
        assessor_key: str,
        not_before: datetime,
        without: Sequence[str] = (),
    ) -> dict[RoleStatus, int]:
        rows = await self._rows(
            "MATCH (:Company {name: $company})-[:HAS_ROLE]->(r) WHERE NOT r.role_id IN $without "
            "RETURN CASE WHEN r.state IN ['ready', 'degraded'] AND r.assessed_at IS NOT NULL "
            "AND (NOT r.inputs_hold OR r.assessor_key <> $assessor OR r.assessed_at < $oldest) "
            "THEN 'stale' ELSE r.state END AS shown, count(*) AS n",
            company=company_id,
            without=list(without),
            assessor=assessor_key,
            oldest=nodes.utc(not_before),
        )
        return {RoleStatus(row["shown"]): row["n"] for row in rows}

    async def companies(self) -> list[str]:
        rows = await self._rows(
            "MATCH (c:Company) WHERE EXISTS { (c)-[:HAS_ROLE]->() } RETURN c.name AS name"
        )
        return sorted(row["name"] for row in rows)

    async def move_role(
        self, role_id: str, target: RoleStatus, *, reasons: Sequence[StaleReason] = ()
    ) -> Role:
        change = changes.move(role_id, target, reasons, self._clock())
        return await self._open().commits.write(change)

    async def settle_role(
        self, role_id: str, outcome: RoleStatus, *, workflow_id: str, token: int | None
    ) -> Role:
        change = changes.settle(
            role_id, outcome, workflow_id=workflow_id, token=token, now=self._clock()
        )
        return await self._open().commits.write(change)

    # -- documents ---------------------------------------------------------------------------
    async def link_documents(
        self, role_id: str, documents: Sequence[LinkedDocument], *, token: int | None = None
    ) -> Role:
        change = changes.link(role_id, documents, token, self._clock())
        return await self._open().commits.write(change)

    async def documents(self, role_id: str) -> list[LinkedDocument]:
        rows = await self._rows(roles.DOCUMENTS, ids=[role_id])
        return [nodes.document_of(row["document"]) for row in rows]

    # -- assessments -------------------------------------------------------------------------
    async def add_assessment(
        self, assessment: Assessment, *, current: bool, token: int | None = None
    ) -> None:
        change = changes.assess(assessment, current=current, token=token, now=self._clock())
        await self._open().commits.write(change)

    async def assessments(self, role_id: str) -> list[Assessment]:
        rows = await self._rows(
            "MATCH (:CompanyRole {role_id: $id})-[h:HAS_ASSESSMENT]->(a:Assessment) "
            f"RETURN a.body AS body {_NEWEST_FIRST}",
            id=role_id,
        )
        return [Assessment.model_validate_json(row["body"]) for row in rows]

    async def current_assessment(self, role_id: str) -> Assessment | None:
        rows = await self._rows(
            "MATCH (:CompanyRole {role_id: $id})-[:CURRENT_ASSESSMENT]->(a) RETURN a.body AS body",
            id=role_id,
        )
        return Assessment.model_validate_json(rows[0]["body"]) if rows else None

    async def find_assessment(
        self, role_id: str, inputs_hash: str, assessor_key: str, *, not_before: datetime
    ) -> Assessment | None:
        rows = await self._rows(
            "MATCH (:CompanyRole {role_id: $id})-[h:HAS_ASSESSMENT]->(a:Assessment) "
            "WHERE a.inputs_hash = $inputs AND a.assessor_key = $assessor "
            "AND a.created_at >= $not_before "
            f"RETURN a.body AS body {_NEWEST_FIRST} LIMIT 1",
            id=role_id,
            inputs=inputs_hash,
            assessor=assessor_key,
            not_before=nodes.utc(not_before),
        )
        return Assessment.model_validate_json(rows[0]["body"]) if rows else None

    async def assessed_before(
        self, inputs_hashes: Mapping[str, str], assessor_key: str, *, not_before: datetime
    ) -> set[str]:
        wanted = [list(pair) for pair in inputs_hashes.items()]
        found: set[str] = set()
        for start in range(0, len(wanted), _IN_CHUNK):
            (row,) = await self._rows(
                "UNWIND $wanted AS one "
                "MATCH (r:CompanyRole {role_id: one[0]}) USING INDEX r:CompanyRole(role_id) "
                "WHERE EXISTS { MATCH (r)-[:HAS_ASSESSMENT]->(a:Assessment) "
                "WHERE a.inputs_hash = one[1] AND a.assessor_key = $assessor "
                "AND a.created_at >= $not_before } "
                "RETURN collect(r.role_id) AS ids",
                wanted=wanted[start : start + _IN_CHUNK],
                assessor=assessor_key,
                not_before=nodes.utc(not_before),
            )
            found |= set(row["ids"])
        return found

    # -- skills ------------------------------------------------------------------------------
    async def put_skills(
        self, role_id: str, skills: Sequence[RoleSkill], *, token: int | None = None
    ) -> None:
        await self._open().commits.write(changes.require_skills(role_id, skills, token))

    async def skills(self, role_id: str) -> list[RoleSkill]:
        rows = await self._rows(
            "MATCH (:CompanyRole {role_id: $id})-[l:REQUIRES_SKILL]->(s) "
            "RETURN s.name AS name, properties(l) AS properties",
            id=role_id,
        )
        return most_exposed_first(nodes.skill_of(row) for row in rows)

    # -- restoring ---------------------------------------------------------------------------
    async def restore_role(
        self,
        role: Role,
        *,
        documents: Sequence[LinkedDocument],
        assessments: Sequence[Assessment],
        skills: Sequence[RoleSkill],
    ) -> Role:
        change = changes.restore(role, documents, assessments, skills)
        return await self._open().commits.write(change)

    # -- history and audit ---------------------------------------------------------------------
    async def append_history(self, pushes: Sequence[Push]) -> None:
        await self._open().connection.write(lambda tx: records.append_pushes(tx, pushes))

    async def history_of(self, workflow_ids: Sequence[str]) -> dict[str, Push]:
        found: dict[str, Push] = {}
        for start in range(0, len(workflow_ids), _IN_CHUNK):
            (row,) = await self._rows(
                "MATCH (p:Push) WHERE p.workflow_id IN $ids RETURN collect(p.body) AS bodies",
                ids=list(workflow_ids[start : start + _IN_CHUNK]),
            )
            pushes = map(Push.model_validate_json, row["bodies"])
            found |= {push.workflow_id: push for push in pushes}
        return found

    async def list_history(self, where: PushFilter, *, cursor: str | None, limit: int) -> PushPage:
        return await self._open().connection.read(
            lambda tx: records.page_of(tx, where, cursor, limit)
        )

    async def count_history(self, where: PushFilter) -> PushCounts:
        return await self._open().connection.read(lambda tx: records.counts_of(tx, where))

    async def newest_push(self, role_id: str) -> Push | None:
        page = await self.list_history(PushFilter(role_id=role_id), cursor=None, limit=1)
        return page.items[0] if page.items else None

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        if entries:
            await self._open().connection.write(lambda tx: records.append_audit(tx, entries))

    async def delete_company(self, company_id: str, entry: AuditEntry) -> int:
        return await self._open().connection.write(lambda tx: delete_company(tx, company_id, entry))

    async def audit(
        self, companies: Sequence[str] | None, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditEntry], str | None]:
        return await self._open().connection.read(
            lambda tx: records.audit_page(tx, companies, cursor, limit)
        )

    def _open(self) -> _Here:
        if self._closed:
            raise StoreUnavailable("graph")
        loop = asyncio.get_running_loop()
        if loop not in self._here:
            connection = Neo4jConnection(self._settings)

            async def commit(group: Sequence[changes.RoleChange]) -> list[Outcome]:
                outcomes, _ = await connection.write(lambda tx: roles.apply(tx, group))
                return outcomes

            self._here[loop] = _Here(connection, GroupCommit(commit))
        return self._here[loop]

    async def _write_many(self, many: Sequence[changes.RoleChange]) -> set[str]:
        """Writes changes of any number of roles; gives the ids of new ones."""
        new: set[str] = set()
        for start in range(0, len(many), _IN_CHUNK):
            part = many[start : start + _IN_CHUNK]
            outcomes, created = await self._open().connection.write(
                lambda tx, part=part: roles.apply(tx, part)  # type: ignore[misc]
            )
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise outcome
            new |= created
        return new

    async def _roles(self, found: str, **parameters: Any) -> list[Role]:
        """The roles that a query finds as `r`.

        They come in one record: for the driver, each record takes longer than a role's parsing.
        """
        (row,) = await self._rows(
            f"{found} RETURN collect([r.body, r.sequence]) AS roles", **parameters
        )
        return [nodes.role_of(body, sequence) for body, sequence in row["roles"]]

    async def _rows(self, query: str, **parameters: Any) -> list[Record]:
        async def work(tx: AsyncManagedTransaction) -> list[Record]:
            result = await tx.run(query, parameters)
            return [row async for row in result]

        return await self._open().connection.read(work)


def _searched(q: str) -> str:
    """The condition of a search for `$q`."""
    return " AND (r.folded CONTAINS $q OR r.draup_folded CONTAINS $q)" if q else ""


async def _touch(tx: AsyncManagedTransaction) -> None:
    """A write, so that a server that has become read-only is noticed."""
    await (await tx.run("MERGE (c:Counter {name: 'ping'}) SET c.at = datetime()")).consume()
