"""This process as the ledger knows it: it says that it lives as long as it has calls to make."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.tasks import end

if TYPE_CHECKING:
    from etter_dagster.stores.ledger import Ledger

ASK_AGAIN_SECONDS = 0.2
log = logging.getLogger(__name__)


class Holder:
    """Takes subjects under one name, and keeps that name alive.

    Args:
        ledger: Where it is known.
        ttl_seconds: So long after its last sign of life its calls count as lost.
    """

    def __init__(self, ledger: Ledger, ttl_seconds: float) -> None:
        self.name = f"holder-{uuid.uuid4().hex}"
        self._ledger = ledger
        self._ttl = ttl_seconds
        self._beating: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()  # many begin at once; one heart is enough, and can be ended
        self._busy: set[str] = set()  # subjects that a task of this process is at
        # What the ledger may hold for this process although nobody wants it: an answer was lost.
        self._left: set[str] = set()

    @contextlib.asynccontextmanager
    async def taking(self, subject: str) -> AsyncIterator[None]:
        """Waits until nobody else has the subject, and has it for the block.

        Args:
            subject: (inputs, assessor).
        """
        await self._live()
        # Its taker may be in another process: there is nothing to wait on.
        while not await self._take(subject):  # noqa: ASYNC110
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        try:
            yield
        finally:
            try:
                await self._let_go(subject)
            except StoreUnavailable as error:
                log.error("%s; a subject is let go when it answers", error)
            finally:
                self._busy.discard(subject)

    async def close(self) -> None:
        """What is still open is lost, and known to be."""
        if self._beating is None:
            return
        await end(self._beating)
        with contextlib.suppress(StoreUnavailable):
            await self._ledger.leave(self.name)

    async def _take(self, subject: str) -> bool:
        if subject in self._busy:
            return False
        self._busy.add(subject)
        taken = False
        try:
            if subject in self._left:
                await self._let_go(subject)
            self._left.add(subject)
            taken = await self._ledger.take(subject, self.name)
            self._left.discard(subject)
            return taken
        finally:
            if not taken:
                self._busy.discard(subject)

    async def _let_go(self, subject: str) -> None:
        self._left.add(subject)
        await self._ledger.free(subject, self.name)
        self._left.discard(subject)

    async def _let_go_what_is_left(self) -> None:
        for subject in self._left - self._busy:
            if subject not in self._busy:  # since
                self._busy.add(subject)
                try:
                    await self._let_go(subject)
                finally:
                    self._busy.discard(subject)

    async def _live(self) -> None:
        async with self._starting:
            if self._beating is None or self._beating.done():
                await self._ledger.beat(self.name, ttl_seconds=self._ttl)
                self._beating = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._ttl / 3)
            try:
                await self._ledger.beat(self.name, ttl_seconds=self._ttl)
                await self._let_go_what_is_left()
            except StoreUnavailable as error:
                log.error("%s", error)
