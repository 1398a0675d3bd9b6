"""The embedded `RoleGraph`: one SQLite file, safe with many processes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.catalogue import KnownDocument
from etter_dagster.model.documents import LinkedDocument
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import Push
from etter_dagster.model.role import Role
from etter_dagster.model.skills import RoleSkill
from etter_dagster.model.staleness import StaleReason
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.stores import role_changes as changes
from etter_dagster.stores import sqlite_roles as roles
from etter_dagster.stores.protocols import (
    AuditEntry,
    PushCounts,
    PushFilter,
    PushPage,
    with_roles,
)
from etter_dagster.stores.sqlite_company import delete_from_graph
from etter_dagster.stores.sqlite_graph_schema import MIGRATIONS
from etter_dagster.stores.sqlite_push_rows import (
    counts_of,
    insert,
    page_of,
    push_columns,
    push_of,
    rows_in,
)
from etter_dagster.stores.sqlite_store import SqliteStore
from etter_dagster.stores.times import micros

_HISTORY = "history WHERE 1"


class SqliteRoleGraph(SqliteStore):
    """`RoleGraph` in a SQLite file."""

    WHAT = "graph"
    MIGRATIONS = MIGRATIONS

    async def ping(self) -> None:
        await self._database.write(
            lambda c: c.execute("UPDATE roles SET state = state WHERE sequence = 0")
        )

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
        return await self._apply(
            changes.put(company_id, role_name, draup=draup, token=token, now=self._clock())
        )

    async def put_taxonomy(self, entries: Sequence[TaxonomyEntry]) -> list[str]:
        now = self._clock()
        if await self._database.read(lambda c: roles.knows_all(c, entries)):
            return []
        return await self._database.write(lambda c: roles.put_taxonomy(c, entries, now))

    async def put_catalogue(self, found: Mapping[str, Sequence[KnownDocument]]) -> None:
        now = self._clock()
        await self._database.write(lambda c: roles.put_catalogue(c, found, now))

    async def role(self, role_id: str) -> Role | None:
        return await self._database.look(lambda c: roles.find(c, role_id))

    async def roles_by_id(self, role_ids: Sequence[str]) -> dict[str, Role]:
        return await self._database.read(lambda c: roles.by_id(c, role_ids))

    async def roles(
        self, company_id: str | None = None, *, q: str = "", after: str = "", limit: int = 200
    ) -> list[Role]:
        return await self._database.read(lambda c: roles.listed(c, company_id, q, after, limit))

    async def same_names(self, company_id: str, role_names: Sequence[str]) -> list[str]:
        return await self._database.read(lambda c: roles.same_names(c, company_id, role_names))

    async def roles_since(self, sequence: int, *, limit: int = 10_000) -> list[tuple[int, str]]:
        return await self._database.read(
            lambda c: [
                (row["sequence"], row["role_id"])
                for row in c.execute(
                    "SELECT sequence, role_id FROM roles WHERE sequence > ? "
                    "ORDER BY sequence LIMIT ?",
                    (sequence, limit),
                )
            ]
        )

    async def roles_in(
        self, states: Sequence[RoleStatus], *, after: int = 0, limit: int = 2_000
    ) -> list[Role]:
        # One select a state, each in the order of its index: `IN` would sort all rows anew for
        # every page.
        one = (
            f"SELECT * FROM ({roles.SELECT} INDEXED BY roles_of_state "
            "WHERE state = ? AND sequence > ? ORDER BY state, sequence LIMIT ?)"
        )
        query = " UNION ALL ".join([one] * len(states)) + " ORDER BY 1 LIMIT ?"
        values = [value for state in states for value in (state.value, after, limit)]
        return await self._database.read(
            lambda c: [roles.role_of(row) for row in c.execute(query, (*values, limit))]
        )

    async def count_roles(self, company_id: str | None = None, *, q: str = "") -> int:
        return await self._database.read(lambda c: roles.count(c, company_id, q))

    async def count_states(
        self,
        company_id: str,
        *,
        assessor_key: str,
        not_before: datetime,
        without: Sequence[str] = (),
    ) -> dict[RoleStatus, int]:
        return await self._database.read(
            lambda c: roles.count_states(c, company_id, assessor_key, not_before, without)
        )

    async def companies(self) -> list[str]:
        return await self._database.read(
            lambda c: [
                row["company_id"]
                for row in c.execute("SELECT DISTINCT company_id FROM roles ORDER BY company_id")
            ]
        )

    async def move_role(
        self, role_id: str, target: RoleStatus, *, reasons: Sequence[StaleReason] = ()
    ) -> Role:
        return await self._apply(changes.move(role_id, target, reasons, self._clock()))

    async def settle_role(
        self, role_id: str, outcome: RoleStatus, *, workflow_id: str, token: int | None
    ) -> Role:
        now = self._clock()
        return await self._apply(
            changes.settle(role_id, outcome, workflow_id=workflow_id, token=token, now=now)
        )

    # -- documents ---------------------------------------------------------------------------
    async def link_documents(
        self, role_id: str, documents: Sequence[LinkedDocument], *, token: int | None = None
    ) -> Role:
        return await self._apply(changes.link(role_id, documents, token, self._clock()))

    async def documents(self, role_id: str) -> list[LinkedDocument]:
        return await self._database.look(lambda c: roles.documents(c, role_id))

    # -- assessments -------------------------------------------------------------------------
    async def add_assessment(
        self, assessment: Assessment, *, current: bool, token: int | None = None
    ) -> None:
        await self._apply(
            changes.assess(assessment, current=current, token=token, now=self._clock())
        )

    async def assessments(self, role_id: str) -> list[Assessment]:
        return await self._database.read(
            lambda c: [
                Assessment.model_validate_json(row["body"])
                for row in c.execute(
                    "SELECT body FROM assessments WHERE role_id = ? "
                    "ORDER BY created_at DESC, seq DESC",
                    (role_id,),
                )
            ]
        )

    async def current_assessment(self, role_id: str) -> Assessment | None:
        def act(connection: sqlite3.Connection) -> Assessment | None:
            role = roles.find(connection, role_id)
            if role is None or role.current is None:
                return None
            row = connection.execute(
                "SELECT body FROM assessments WHERE assessment_id = ?",
                (role.current.assessment_id,),
            ).fetchone()
            return Assessment.model_validate_json(row["body"])

        return await self._database.look(act)

    async def find_assessment(
        self, role_id: str, inputs_hash: str, assessor_key: str, *, not_before: datetime
    ) -> Assessment | None:
        row = await self._database.look(
            lambda c: c.execute(
                "SELECT body FROM assessments WHERE role_id = ? AND inputs_hash = ? AND "
                "assessor_key = ? AND created_at >= ? ORDER BY created_at DESC, seq DESC LIMIT 1",
                (role_id, inputs_hash, assessor_key, micros(not_before)),
            ).fetchone()
        )
        return Assessment.model_validate_json(row["body"]) if row else None

    async def assessed_before(
        self, inputs_hashes: Mapping[str, str], assessor_key: str, *, not_before: datetime
    ) -> set[str]:
        query = (
            "SELECT key FROM json_each(?) AS wanted WHERE EXISTS (SELECT 1 FROM assessments "
            "WHERE role_id = wanted.key AND inputs_hash = wanted.value AND assessor_key = ? "
            "AND created_at >= ?)"
        )
        given = json.dumps(dict(inputs_hashes)), assessor_key, micros(not_before)
        return await self._database.read(lambda c: {row["key"] for row in c.execute(query, given)})

    # -- skills ------------------------------------------------------------------------------
    async def put_skills(
        self, role_id: str, skills: Sequence[RoleSkill], *, token: int | None = None
    ) -> None:
        await self._apply(changes.require_skills(role_id, skills, token))

    async def skills(self, role_id: str) -> list[RoleSkill]:
        return await self._database.look(lambda c: roles.skills(c, role_id))

    # -- restoring ---------------------------------------------------------------------------
    async def restore_role(
        self,
        role: Role,
        *,
        documents: Sequence[LinkedDocument],
        assessments: Sequence[Assessment],
        skills: Sequence[RoleSkill],
    ) -> Role:
        return await self._apply(changes.restore(role, documents, assessments, skills))

    # -- history and audit ---------------------------------------------------------------------
    async def append_history(self, pushes: Sequence[Push]) -> None:
        def act(connection: sqlite3.Connection) -> None:
            for push in pushes:
                insert(connection, "history", push_columns(push), "INSERT OR IGNORE")

        await self._database.write(act)

    async def history_of(self, workflow_ids: Sequence[str]) -> dict[str, Push]:
        query = "SELECT workflow_id, body FROM history WHERE workflow_id IN"
        return await self._database.read(
            lambda c: {r["workflow_id"]: push_of(r) for r in rows_in(c, query, workflow_ids)}
        )

    async def list_history(self, where: PushFilter, *, cursor: str | None, limit: int) -> PushPage:
        return await self._database.read(lambda c: page_of(c, _HISTORY, where, cursor, limit))

    async def count_history(self, where: PushFilter) -> PushCounts:
        return await self._database.read(lambda c: counts_of(c, _HISTORY, where))

    async def newest_push(self, role_id: str) -> Push | None:
        row = await self._database.look(
            lambda c: c.execute(
                "SELECT body FROM history WHERE role_id = ? "
                "ORDER BY queued_at DESC, workflow_id DESC LIMIT 1",
                (role_id,),
            ).fetchone()
        )
        return push_of(row) if row else None

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        await self._database.write(lambda c: _append_audit(c, entries))

    async def delete_company(self, company_id: str, entry: AuditEntry) -> int:
        def act(connection: sqlite3.Connection) -> int:
            roles = delete_from_graph(connection, company_id)
            _append_audit(connection, [with_roles(entry, roles)])
            return roles

        return await self._database.write(act)

    async def audit(
        self, companies: Sequence[str] | None, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditEntry], str | None]:
        where, values = ["1"], []
        if companies is not None:
            where.append(f"company_id IN ({', '.join('?' * len(companies))})")
            values += list(companies)
        if cursor:
            if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
                raise ValidationFailed(
                    FieldProblem("cursor", "is not one of ours; leave it out to start over")
                )
            where.append("seq < ?")
            values.append(cursor)
        query = f"SELECT seq, body FROM audit WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?"
        rows = await self._database.read(
            lambda c: c.execute(query, (*values, limit + 1)).fetchall()
        )
        found = [AuditEntry.model_validate_json(row["body"]) for row in rows[:limit]]
        return found, str(rows[limit - 1]["seq"]) if len(rows) > limit else None

    async def _apply(self, change: changes.RoleChange) -> Role:
        return await self._database.write(lambda c: roles.apply(c, change))


def _append_audit(connection: sqlite3.Connection, entries: Sequence[AuditEntry]) -> None:
    connection.executemany(
        "INSERT INTO audit (company_id, body) VALUES (?, ?)",
        [(entry.company_id, entry.model_dump_json()) for entry in entries],
    )
