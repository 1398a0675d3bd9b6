"""The Redis queue when its server is misconfigured, away, killed, or was emptied."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from etter_dagster.model.errors import EtterError, LeaseLost, StoreUnavailable
from etter_dagster.onboarding.services import utc_now
from etter_dagster.settings import Settings
from etter_dagster.stores import PushQueue, open_queue
from etter_dagster.stores.protocols import Claim, ClaimLimits, PushFilter
from etter_dagster_tests.contract.records import ended, new_push
from etter_dagster_tests.servers.redis import PASSWORD, RedisServer, redis_server

LIMITS = ClaimLimits()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with redis_server() as running:
        yield running


def settings_of(server: RedisServer, tmp_path: Path, **changes: object) -> Settings:
    return server.settings(Settings(data_dir=tmp_path), **changes)


T = TypeVar("T")


async def until(act: Callable[[], Awaitable[T]]) -> T:
    """What an act gives once the store is there again."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return await act()
        except StoreUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory_policy", "allkeys-lru")],
)
async def test_a_server_that_may_lose_pushes_is_refused_in_production_and_warned_of_elsewhere(
    tmp_path: Path, setting: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis' own defaults lose the last second, or everything; a push answered 200 is on disk."""
    name = setting.replace("_", "-")
    with redis_server(None, **{setting: value}) as weak:
        queue = open_queue(settings_of(weak, tmp_path, environment="production"))
        with pytest.raises(EtterError, match=f"{name} is {value}, set it to") as caught:
            await queue.ping()
        assert not caught.value.recoverable
        await queue.close()
        queue = open_queue(settings_of(weak, tmp_path))
        with caplog.at_level(logging.WARNING):
            await queue.ping()
            await queue.ping()
        assert [name in r.getMessage() for r in caplog.records if r.name.startswith("etter")] == [
            True
        ]
        await queue.close()


async def test_a_server_whose_settings_cannot_be_read_is_refused_in_production(
    server: RedisServer, tmp_path: Path
) -> None:
    """Managed servers forbid CONFIG; then nobody knows whether they sync."""
    with server.client() as client:
        client.acl_setuser(
            "default", enabled=True, commands=["-config"], keys="*", categories=["+@all"]
        )
    queue = open_queue(settings_of(server, tmp_path, environment="production"))
    with pytest.raises(EtterError, match="CONFIG GET"):
        await queue.ping()
    await queue.close()


async def test_an_unreachable_server_or_a_wrong_password_tells_nothing_but_that(
    server: RedisServer, tmp_path: Path
) -> None:
    """Configured but unreachable is an error that holds no address and no secret."""
    right = settings_of(server, tmp_path)
    for wrong in (
        right.with_changes(redis_port=1),
        right.with_changes(redis_password="wrong-password"),
        right.with_changes(redis_password=None),
        right.with_changes(redis_host="no-such-host.invalid"),
    ):
        queue = open_queue(wrong)
        for act in (
            queue.ping,
            lambda queue=queue: queue.get("x"),
            lambda queue=queue: queue.counts(LIMITS),
            lambda queue=queue: queue.wait_changed(0, 0.0),
            lambda queue=queue: queue.list_pushes(PushFilter(), cursor=None, limit=1),
        ):
            with pytest.raises(StoreUnavailable) as caught:
                await act()
            said = f"{caught.value!r} {caught.value.__cause__!r}"
            for secret in (PASSWORD, "wrong-password", str(server.port), "127.0.0.1", "invalid"):
                assert secret not in said
        await queue.close()


async def test_a_database_that_is_not_there_is_named(server: RedisServer, tmp_path: Path) -> None:
    queue = open_queue(settings_of(server, tmp_path, redis_db=99))
    with pytest.raises(EtterError, match="ETTER_REDIS_DB"):
        await queue.ping()
    await queue.close()


async def test_a_silent_server_is_given_up_after_the_timeout(
    server: RedisServer, tmp_path: Path
) -> None:
    """A partition of the network: the connection stands, nothing comes back."""
    queue = open_queue(settings_of(server, tmp_path, redis_socket_timeout=0.3))
    await queue.ping()
    server.pause()
    try:
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(queue.ping(), 30)
    finally:
        server.resume()
    await until(queue.ping)
    await queue.close()


async def test_a_restarted_server_is_connected_to_anew(server: RedisServer, tmp_path: Path) -> None:
    """Nobody restarts Etter because Redis was; all connections were open, all are stale."""
    queue = open_queue(settings_of(server, tmp_path))
    await queue.enqueue([push := new_push()], capacity=10)
    await asyncio.gather(*(queue.get("x") for _ in range(20)))
    await asyncio.to_thread(server.restart)
    for _ in range(20):
        assert await queue.get(push.push.workflow_id) is not None
    claims = await queue.claim("w", 10, limits=LIMITS, lease_seconds=30)
    assert [claim.push.workflow_id for claim in claims] == [push.push.workflow_id]
    await queue.close()


async def test_who_waits_is_woken_by_a_restart_and_by_pushes_after_it(
    server: RedisServer, tmp_path: Path
) -> None:
    """What was published while nobody could hear it is made good by looking once more."""
    queue = open_queue(settings_of(server, tmp_path))
    since = await queue.wait_changed(0, 0.0)
    waiting = asyncio.create_task(queue.wait_changed(since, 60))
    await asyncio.sleep(0)
    await asyncio.to_thread(server.restart)
    since = await asyncio.wait_for(waiting, 60)
    other = open_queue(settings_of(server, tmp_path))
    await other.enqueue([new_push()], capacity=10)
    assert await asyncio.wait_for(queue.wait_changed(since, 60), 60) > since
    await queue.close()
    await other.close()


async def test_waiting_for_a_server_that_is_away_ends_with_its_absence(
    server: RedisServer, tmp_path: Path
) -> None:
    """Neither a busy loop nor a wait that looks like quiet."""
    queue = open_queue(settings_of(server, tmp_path))
    since = await queue.wait_changed(0, 0.0)
    server.kill()
    with pytest.raises(StoreUnavailable):
        await queue.wait_changed(since, 0.5)
    await queue.close()


async def test_every_acknowledged_push_survives_a_kill_of_the_server(
    server: RedisServer, tmp_path: Path
) -> None:
    """`kill -9` while many write: what was answered is there, what was not is whole or absent."""
    queue = open_queue(settings_of(server, tmp_path))
    answered: list[str] = []

    async def write(name: str) -> None:
        i = 0
        while True:
            push = new_push(f"{name}-{i}", f"company {i % 5}")
            try:
                (answer,) = await queue.enqueue([push], capacity=1_000_000)
            except StoreUnavailable:
                return
            assert answer.accepted
            answered.append(push.push.workflow_id)
            i += 1

    writers = [asyncio.create_task(write(f"w{i}")) for i in range(8)]
    deadline = time.monotonic() + 60
    while len(answered) < 300:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    server.kill()
    await asyncio.gather(*writers)
    server.start()
    assert set(await queue.get_many(answered)) == set(answered)
    waiting = (await queue.counts(LIMITS)).claimable
    assert len(answered) <= waiting <= len(answered) + len(writers)
    claims = await queue.claim("w", waiting + 1, limits=LIMITS, lease_seconds=30)
    assert len(claims) == min(waiting, LIMITS.in_flight)
    await queue.close()


async def test_kills_during_recovery_lose_and_repeat_nothing(
    server: RedisServer, tmp_path: Path
) -> None:
    """The server dies again and again while leases of dead workers are taken back and finished.

    A finish that was done although its answer was lost shows as a lost lease, never as a second
    finish.
    """
    place = settings_of(server, tmp_path)
    queue = open_queue(place)
    pushes = [new_push(f"r{i}", f"c{i % 4}") for i in range(120)]
    await queue.enqueue(pushes, capacity=1000)
    await queue.claim("dead", 60, limits=LIMITS, lease_seconds=0.0)
    finished: list[str] = []

    async def work(worker: str) -> None:
        mine = open_queue(place, lambda: utc_now() + timedelta(seconds=1))
        while await _claimable(mine):
            try:
                claims = await mine.claim(worker, 5, limits=LIMITS, lease_seconds=2.0)
            except StoreUnavailable:
                continue
            for claim in claims:
                if await _finished(mine, claim):
                    finished.append(claim.push.workflow_id)
        await mine.close()

    async def harass() -> None:
        for _ in range(4):
            await asyncio.sleep(0.15)
            await asyncio.to_thread(server.restart)

    async def all_ended() -> None:
        deadline = time.monotonic() + 120
        while len(await until(lambda: queue.outbox(1000))) < len(pushes):
            assert time.monotonic() < deadline
            await asyncio.gather(*(work(f"w{i}") for i in range(3)))
            await asyncio.sleep(0.05)

    await asyncio.gather(all_ended(), harass())
    ended_ids = [push.workflow_id for push in await queue.outbox(1000)]
    assert sorted(ended_ids) == sorted(push.push.workflow_id for push in pushes)
    assert len(set(finished)) == len(finished)
    counts = await queue.counts(LIMITS)
    assert (counts.claimable, counts.in_flight, counts.waiting) == (0, 0, {})
    await queue.close()


async def _claimable(queue: PushQueue) -> int:
    return (await until(lambda: queue.counts(LIMITS))).claimable


async def _finished(queue: PushQueue, claim: Claim) -> bool:
    while True:
        try:
            await queue.finish(claim.push.workflow_id, claim.token, ended(at=utc_now()))
        except StoreUnavailable:
            await asyncio.sleep(0.01)
        except LeaseLost:
            return False
        else:
            return True


async def test_tokens_go_on_rising_when_the_server_lost_everything(
    redis: RedisServer, tmp_path: Path
) -> None:
    """The graph keeps the highest token it saw: a lower one would lock the role for good."""
    queue = open_queue(settings_of(redis, tmp_path))
    first = await queue.enqueue_claimed(new_push(), worker="w", lease_seconds=30)
    redis.empty()
    second = await queue.enqueue_claimed(new_push(), worker="w", lease_seconds=30)
    assert second.token > first.token
    assert second.token >= (utc_now() - timedelta(minutes=1)).timestamp() * 1e6
    await queue.close()


async def test_machines_whose_clocks_differ_agree_on_a_lease(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine an hour ahead must not take over what others hold: the server's clock counts."""
    queue = open_queue(settings_of(redis, tmp_path))
    await queue.enqueue_claimed(new_push(), worker="w", lease_seconds=30)
    ahead = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: ahead)
    assert await queue.claim("ahead", 1, limits=LIMITS, lease_seconds=30) == []
    assert (await queue.counts(LIMITS)).claimable == 0
    await queue.close()


async def test_one_queue_serves_several_event_loops(redis: RedisServer, tmp_path: Path) -> None:
    """Connections belong to a loop; Dagster's threads and notebooks have their own."""
    queue = open_queue(settings_of(redis, tmp_path))
    await queue.enqueue([push := new_push()], capacity=10)

    async def look() -> bool:
        found = await queue.get(push.push.workflow_id)
        await queue.close()
        return found is not None

    assert await asyncio.to_thread(asyncio.run, look())
    assert await queue.get(push.push.workflow_id) is not None
    await queue.close()
