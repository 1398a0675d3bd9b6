"""Group commit: changes of roles that wait at the same time are written in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.role import Role
from etter_dagster.stores.role_changes import RoleChange

_AT_ONCE = 200  # changes in one transaction
_CHARACTERS = 4_000_000  # and text: the server holds a transaction in memory

Outcome = Role | Exception
Apply = Callable[[Sequence[RoleChange]], Awaitable[list[Outcome]]]


class GroupCommit:
    """Hands changes over in groups: while one transaction runs, the next group gathers.

    Args:
        apply: Writes changes in one transaction; gives for each the role after it or what it
            raised.
    """

    def __init__(self, apply: Apply) -> None:
        self._apply = apply
        self._waiting: list[tuple[RoleChange, asyncio.Future[Role]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, change: RoleChange) -> Role:
        """The role after the change, which is then on disk; raises what the change raises."""
        done: asyncio.Future[Role] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        # A task that is cancelled meanwhile does not take its write back.
        return await asyncio.shield(done)

    async def drain(self) -> None:
        """Waits until everything handed over is written."""
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        while self._waiting:
            group = self._next_group()
            outcomes = await self._outcomes([change for change, _ in group])
            for (_, done), outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    done.set_exception(outcome)
                    done.exception()  # nobody may be left to look at it
                else:
                    done.set_result(outcome)

    def _next_group(self) -> list[tuple[RoleChange, asyncio.Future[Role]]]:
        """The first changes that wait; at least one."""
        number, characters = 0, 0
        for change, _ in self._waiting[:_AT_ONCE]:
            characters += change.size
            if number and characters > _CHARACTERS:
                break
            number += 1
        group, self._waiting = self._waiting[:number], self._waiting[number:]
        return group

    async def _outcomes(self, changes: Sequence[RoleChange]) -> list[Outcome]:
        try:
            return await self._apply(changes)
        except StoreUnavailable as error:
            return [error] * len(changes)
        except Exception as error:
            if len(changes) == 1:
                return [error]
            # One that the database refuses takes no other with it.
            return [(await self._outcomes([change]))[0] for change in changes]
