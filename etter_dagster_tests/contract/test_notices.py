"""Notifications on their way, as any kind of store must keep them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from etter_dagster.model.notification import Notice, NoticeKind
from etter_dagster.settings import Settings
from etter_dagster.stores import NoticeStore, open_notices
from etter_dagster_tests.conftest import Clock

PUSH, BATCH = NoticeKind.PUSH, NoticeKind.BATCH


@pytest.fixture
def open_store(queue_stores: Settings, clock: Clock) -> Callable[[], NoticeStore]:
    """Opens the same store again, as another process would."""
    settings = queue_stores.with_changes(notify_webhook_url=SecretStr("http://127.0.0.1:9/"))

    def opened() -> NoticeStore:
        store = open_notices(settings, clock)
        assert store is not None
        return store

    return opened


@pytest.fixture
async def notices(open_store: Callable[[], NoticeStore]) -> AsyncIterator[NoticeStore]:
    opened = open_store()
    yield opened
    await opened.close()


async def take(notices: NoticeStore, n: int = 10) -> list[Notice]:
    return await notices.take(n, lease_seconds=60)


async def test_what_ended_is_taken_once_and_kept_until_told(
    notices: NoticeStore, clock: Clock
) -> None:
    """A process that dies while it tells leaves it to another, after the lease."""
    await notices.put({"p": PUSH})
    assert await take(notices) == [Notice(id="p", kind=PUSH)]
    assert await take(notices) == []
    assert await notices.waiting() == 1
    clock.tick(61)
    (again,) = await take(notices)
    await notices.done(again, sent="p")
    clock.tick(61)
    assert await take(notices) == []
    assert await notices.waiting() == 0


async def test_two_processes_take_different_ones(
    notices: NoticeStore, open_store: Callable[[], NoticeStore]
) -> None:
    """Or every end would be told twice."""
    await notices.put({f"p{n}": PUSH for n in range(20)})
    other = open_store()
    taken = await asyncio.gather(*(take(one, 7) for one in (notices, other, notices)))
    ids = [notice.id for found in taken for notice in found]
    assert len(ids) == len(set(ids)) == 20
    await other.close()


async def test_a_push_that_was_told_stays_told(notices: NoticeStore, clock: Clock) -> None:
    """Archiving may be repeated after a crash."""
    await notices.put({"p": PUSH})
    (taken,) = await take(notices)
    await notices.put({"p": PUSH})
    await notices.done(taken, sent="p")
    await notices.put({"p": PUSH})
    clock.tick(61)
    assert await take(notices) == []


async def test_a_batch_is_looked_at_again_with_each_end(notices: NoticeStore) -> None:
    """Also with one that comes while it is told: the last end must not be missed."""
    await notices.put({"b": BATCH})
    (taken,) = await take(notices)
    await notices.put({"b": BATCH})
    await notices.done(taken, sent="b.1")
    (again,) = await take(notices)
    assert (again.sent, again.attempts) == ("b.1", 0)
    await notices.done(again, sent="")
    await notices.put({"b": BATCH})
    (third,) = await take(notices)
    assert third.sent == "b.1"


async def test_what_could_not_be_told_comes_again_later(notices: NoticeStore, clock: Clock) -> None:
    """With the number of attempts, which says how long to wait."""
    await notices.put({"p": PUSH, "q": PUSH})
    (first, second) = await take(notices)
    await notices.later(first, seconds=100)
    await notices.done(second, sent="q")
    clock.tick(99)
    assert await take(notices) == []
    clock.tick(2)
    assert await take(notices) == [Notice(id="p", kind=PUSH, attempts=1)]


async def test_what_is_forgotten_is_told_to_nobody(notices: NoticeStore) -> None:
    """Nor known: it may be asked anew."""
    await notices.put({"p": PUSH, "q": PUSH, "b": BATCH})
    await notices.forget(["p", "b", "unknown"])
    assert [notice.id for notice in await take(notices)] == ["q"]
    assert await notices.waiting() == 1
    await notices.put({"p": PUSH})
    assert await take(notices) == [Notice(id="p", kind=PUSH)]
