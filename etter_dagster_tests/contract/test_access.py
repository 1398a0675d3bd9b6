"""Sessions and counts of requests, as REST needs them of any kind of store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from etter_dagster.settings import Settings
from etter_dagster.stores import AccessStore, open_access
from etter_dagster.stores.access import Session
from etter_dagster_tests.conftest import Clock


@pytest.fixture
def open_store(queue_stores: Settings, clock: Clock) -> Callable[[], AccessStore]:
    """Opens the same store again, as another process would."""
    return lambda: open_access(queue_stores, clock)


@pytest.fixture
async def access(open_store: Callable[[], AccessStore]) -> AsyncIterator[AccessStore]:
    opened = open_store()
    yield opened
    await opened.close()


async def test_within_a_minute_never_more_than_the_limit(access: AccessStore, clock: Clock) -> None:
    """Also across the turn of a minute, where a fixed window would let twice as many through."""
    clock.tick(30)
    assert [await access.hit("k", limit=3) for _ in range(3)] == [0, 0, 0]
    clock.tick(59.9)
    wait = await access.hit("k", limit=3)
    assert 0 < wait <= 2
    clock.tick(wait)
    assert await access.hit("k", limit=3) == 0


async def test_places_come_free_as_requests_grow_old(access: AccessStore, clock: Clock) -> None:
    """The pause that is named is enough, and not much too long."""
    for _ in range(3):
        assert await access.hit("k", limit=3) == 0
        clock.tick(10)
    wait = await access.hit("k", limit=3)
    assert 30 <= wait <= 31
    clock.tick(wait)
    assert await access.hit("k", limit=3) == 0
    assert await access.hit("k", limit=3) > 0


async def test_a_refused_request_does_not_count(access: AccessStore, clock: Clock) -> None:
    """A client that asks again and again must not shut itself out for ever."""
    await access.hit("k", limit=1)
    for _ in range(65):
        clock.tick(1)
        await access.hit("k", limit=1)
    assert await access.hit("k", limit=2) == 0


async def test_a_lower_limit_counts_at_once(access: AccessStore, clock: Clock) -> None:
    """What was asked before is over the new limit by more than one."""
    for _ in range(5):
        await access.hit("k", limit=10)
        clock.tick(1)
    wait = await access.hit("k", limit=2)
    assert 59 <= wait <= 61
    clock.tick(wait)
    assert await access.hit("k", limit=2) == 0


async def test_callers_do_not_count_for_each_other(access: AccessStore) -> None:
    """One that asks much leaves the others their own."""
    assert await access.hit("key:a", limit=1) == 0
    assert await access.hit("key:b", limit=1) == 0
    assert await access.hit("key:a", limit=1) > 0


async def test_processes_count_together(open_store: Callable[[], AccessStore]) -> None:
    """Four processes of one service are not four times the limit; exactly it, at once."""
    stores = [open_store() for _ in range(3)]
    waits = await asyncio.gather(
        *(stores[n % 3].hit("k", limit=20) for n in range(60)),
    )
    assert sum(wait == 0 for wait in waits) == 20
    for store in stores:
        await store.close()


def session_of(clock: Clock, key_id: str = "k") -> Session:
    ends = clock.now + timedelta(hours=1)
    return Session(key_id=key_id, key_sha256="0" * 64, expires_at=ends)


async def test_a_session_is_known_to_every_process_until_it_expires(
    access: AccessStore, open_store: Callable[[], AccessStore], clock: Clock
) -> None:
    """The next request of a browser goes to any of them."""
    kept = session_of(clock)
    await access.put_session("s", kept)
    other = open_store()
    assert await other.session("s") == kept
    assert await other.session("t") is None
    clock.tick(3599)
    assert await other.session("s") == kept
    clock.tick(1)
    assert await other.session("s") is None
    await other.close()


async def test_a_dropped_session_is_gone_and_the_others_stay(
    access: AccessStore, clock: Clock
) -> None:
    """Logging out on one machine is not logging out on all."""
    for name in ("a", "b"):
        await access.put_session(name, session_of(clock, name))
    await access.drop_session("a")
    await access.drop_session("a")
    assert await access.session("a") is None
    assert await access.session("b") == session_of(clock, "b")


async def test_of_several_that_keep_a_value_each_is_given_the_one_before(
    access: AccessStore, open_store: Callable[[], AccessStore]
) -> None:
    """So exactly one of the processes finds that something has changed."""
    assert await access.swap("keys", "0") is None
    stores = [access, open_store(), open_store()]
    given = await asyncio.gather(*(stores[n % 3].swap("keys", "1") for n in range(9)))
    assert sorted(map(str, given)) == ["0", *["1"] * 8]
    assert await access.swap("other", "x") is None
    for store in stores[1:]:
        await store.close()
