"""Which changes of roles share a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.role import Role
from etter_dagster.stores.neo4j_commits import GroupCommit, Outcome
from etter_dagster.stores.role_changes import RoleChange, put
from etter_dagster_tests.contract.records import NOW


class Database:
    """Keeps which changes came together; refuses role names that hold `bad`."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.away = False

    async def apply(self, changes: Sequence[RoleChange]) -> list[Outcome]:
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("graph")
        roles = [change.act(None).role for change in changes]
        self.groups.append([role.role_name for role in roles])
        if any("bad" in role.role_name for role in roles):
            raise RuntimeError("refused by the database")
        return list(roles)


def change(name: str, size: int = 0) -> RoleChange:
    nothing = {"draup_role_id": None, "draup_role_name": None}
    made = put("Acme", name, draup=nothing, token=None, now=NOW)
    return RoleChange(made.role_id, made.act, creates=True, size=size)


async def write(database: Database, *changes: RoleChange) -> list[Role | BaseException]:
    commits = GroupCommit(database.apply)
    return await asyncio.gather(*map(commits.write, changes), return_exceptions=True)


async def test_what_waits_together_is_written_together_and_answered_in_order() -> None:
    database = Database()
    names = [str(n) for n in range(250)]
    roles = await write(database, *map(change, names))
    assert [len(group) for group in database.groups] == [200, 50]
    assert [role.role_name for role in roles if isinstance(role, Role)] == names


async def test_large_texts_share_no_transaction() -> None:
    """The server holds a transaction in memory: 200 documents of 2 MiB would be too much."""
    database = Database()
    await write(database, change("a", 3_000_000), change("b", 3_000_000), change("c", 9_000_000))
    assert database.groups == [["a"], ["b"], ["c"]]


async def test_after_a_refused_group_each_is_tried_alone() -> None:
    database = Database()
    results = await write(database, change("a"), change("bad"), change("c"))
    assert [type(result) for result in results] == [Role, RuntimeError, Role]


async def test_an_outage_is_told_to_all_and_ends_with_it() -> None:
    database = Database()
    database.away = True
    results = await write(database, *(change(str(n)) for n in range(5)))
    assert [type(result) for result in results] == [StoreUnavailable] * 5
    database.away = False
    assert database.groups == []
    assert [type(result) for result in await write(database, change("a"))] == [Role]


async def test_closing_waits_for_what_was_handed_over() -> None:
    database = Database()
    commits = GroupCommit(database.apply)
    task = asyncio.create_task(commits.write(change("a")))
    await asyncio.sleep(0)
    await commits.drain()
    assert database.groups == [["a"]]
    assert (await task).role_name == "a"
    await commits.drain()
