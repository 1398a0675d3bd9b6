"""The thread that writes events: in order, together, and each waiter hears of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from etter_dagster.orchestration.reporter import EventWriter


class Storage:
    """Keeps what was written in each block; a block can fail at its end."""

    def __init__(self) -> None:
        self.blocks: list[list[str]] = []
        self.fails = False
        self.go_on = threading.Event()
        self.started = threading.Event()

    @contextmanager
    def together(self) -> Iterator[None]:
        self.blocks.append([])
        yield
        if self.fails:
            raise OSError("the disk is full")

    def write(self, what: str) -> str:
        if what == "bad":
            raise ValueError(what)
        self.blocks[-1].append(what)
        return what.upper()

    def hold(self) -> None:
        self.started.set()
        assert self.go_on.wait(30)


async def held(storage: Storage, writer: EventWriter) -> asyncio.Task[None]:
    """Has the thread busy, so that what comes now waits."""
    holding = asyncio.create_task(writer.write(0, storage.hold))
    await asyncio.to_thread(storage.started.wait, 30)
    return holding


async def test_what_waits_is_written_in_one_block_by_place() -> None:
    storage = Storage()
    writer = EventWriter(storage.together)
    holding = await held(storage, writer)
    writes = [asyncio.create_task(writer.write(place, storage.write, w)) for place, w in
              [(3, "c"), (1, "a"), (2, "b")]]  # fmt: skip
    await asyncio.sleep(0)
    storage.go_on.set()
    assert await asyncio.gather(*writes) == ["C", "A", "B"]
    await holding
    writer.close()
    assert storage.blocks == [[], ["a", "b", "c"]]


async def test_an_event_that_cannot_be_written_fails_alone() -> None:
    storage = Storage()
    writer = EventWriter(storage.together)
    holding = await held(storage, writer)
    writes = [asyncio.create_task(writer.write(0, storage.write, w)) for w in ("a", "bad", "b")]
    await asyncio.sleep(0)
    storage.go_on.set()
    found = await asyncio.gather(*writes, return_exceptions=True)
    assert [found[0], found[2]] == ["A", "B"]
    assert isinstance(found[1], ValueError)
    await holding
    writer.close()


async def test_if_a_block_is_not_stored_all_who_wait_hear_of_it() -> None:
    """A role that went on would be shown by Dagster as never made."""
    storage = Storage()
    storage.fails = True
    writer = EventWriter(storage.together)
    for what in ("a", "b"):
        with pytest.raises(OSError, match="full"):
            await writer.write(0, storage.write, what)
    storage.fails = False
    assert await writer.write(0, storage.write, "c") == "C"
    writer.close()


async def test_what_was_handed_over_is_written_before_the_end() -> None:
    storage = Storage()
    writer = EventWriter(storage.together)
    holding = await held(storage, writer)
    last = asyncio.create_task(writer.write(5, storage.write, "last"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(writer.close))
    storage.go_on.set()
    await closing
    assert await last == "LAST"
    await holding
    with pytest.raises(RuntimeError, match="closed"):
        await writer.write(0, storage.write, "too late")
