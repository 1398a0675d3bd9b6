"""Redis as managed services offer it: over TLS, with an ACL user of Etter's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.cli.doctor_workers import check_workers
from etter_dagster.model.errors import EtterError, StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster.stores import open_access, open_graph, open_ledger, open_queue
from etter_dagster.stores.protocols import ClaimLimits
from etter_dagster_tests.contract.records import new_push
from etter_dagster_tests.servers.certificate import make_certificate
from etter_dagster_tests.servers.redis import PASSWORD, RedisServer, redis_server

# What operations.md says that the user needs.
RULES = "~{etter}* &{etter}* +@all -@admin -@dangerous +config|get"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that speaks TLS only."""
    with redis_server(make_certificate(tmp_path_factory.mktemp("tls"))) as running:
        yield running


def settings_of(server: RedisServer, folder: Path, **changes: object) -> Settings:
    return server.settings(Settings(data_dir=folder), environment="production", **changes)


async def refused(settings: Settings) -> str:
    """Why the queue cannot be used."""
    queue = open_queue(settings)
    try:
        with pytest.raises(EtterError) as caught:
            await queue.ping()
    finally:
        await queue.close()
    assert isinstance(caught.value, StoreUnavailable)
    for secret in (PASSWORD, "127.0.0.1", str(settings.redis_port)):
        assert secret not in f"{caught.value!r} {caught.value.__cause__!r}"
    return caught.value.message


async def test_every_store_of_redis_is_spoken_to_over_tls(
    server: RedisServer, tmp_path: Path
) -> None:
    """One connection that was forgotten would carry the password in the clear."""
    settings = settings_of(server, tmp_path)
    queue, access, ledger = open_queue(settings), open_access(settings), open_ledger(settings)
    await queue.enqueue([push := new_push()], capacity=10)
    assert await queue.wait_changed(0, 0.0) > 0, "the subscription too"
    (claim,) = await queue.claim("w", 1, limits=ClaimLimits(), lease_seconds=30)
    assert claim.push.workflow_id == push.push.workflow_id
    assert await access.hit("key", limit=5) == 0
    await ledger.ping()
    for store in (queue, access, ledger):
        await store.close()


async def test_a_user_with_the_rights_that_the_manual_names_is_enough(
    server: RedisServer, tmp_path: Path
) -> None:
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "etter", "on", ">of-etter", *RULES.split())
    server.empty()
    settings = settings_of(server, tmp_path, redis_username="etter", redis_password="of-etter")
    queue = open_queue(settings)
    await queue.enqueue([new_push()], capacity=10)
    assert await queue.wait_changed(0, 0.0) > 0
    assert await queue.claim("w", 1, limits=ClaimLimits(), lease_seconds=30)
    await queue.close()


async def test_a_wrong_user_or_password_is_named(server: RedisServer, tmp_path: Path) -> None:
    for wrong in ({"redis_username": "nobody"}, {"redis_password": "wrong"}):
        said = await refused(settings_of(server, tmp_path, **wrong))
        assert "ETTER_REDIS_USERNAME and ETTER_REDIS_PASSWORD" in said


async def test_a_user_who_may_not_is_named(server: RedisServer, tmp_path: Path) -> None:
    """His password is right, so the words must not send people there."""
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "&*", "+get")
    reader = {"redis_username": "reader", "redis_password": "pw"}
    assert "operations.md" in await refused(settings_of(server, tmp_path, **reader))


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
async def test_a_graph_with_a_bad_certificate_says_so(
    server: RedisServer, tmp_path: Path, scheme: str
) -> None:
    """Redis will do for it: what is behind the handshake is never reached."""
    graph = open_graph(Settings(data_dir=tmp_path, neo4j_uri=f"{scheme}://127.0.0.1:{server.port}"))
    with pytest.raises(StoreUnavailable, match=r"certificate is refused .*NEO4J_URI") as caught:
        await graph.ping()
    assert "127.0.0.1" not in f"{caught.value!r} {caught.value.__cause__!r}"
    await graph.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: RedisServer, tmp_path: Path
) -> None:
    """Without ETTER_REDIS_CA_FILE the machine's authorities count, and these do not know it."""
    said = await refused(settings_of(server, tmp_path, redis_ca_file=None))
    assert "ETTER_REDIS_CA_FILE" in said
    assert "self" in said
    other = make_certificate(tmp_path / "other")
    assert "ETTER_REDIS_CA_FILE" in await refused(
        settings_of(server, tmp_path, redis_ca_file=other.file)
    )


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"address": "127.0.0.9"}, "another name"), ({"days": -1}, "expired")],
)
async def test_what_is_wrong_with_a_certificate_is_said(
    tmp_path: Path, wrong: dict[str, Any], expected: str
) -> None:
    with redis_server(make_certificate(tmp_path / "tls", **wrong)) as server:
        assert expected in await refused(settings_of(server, tmp_path))


def test_celerys_broker_is_asked_over_tls_and_its_certificate_checked(
    server: RedisServer, tmp_path: Path
) -> None:
    """Celery takes any certificate of a `rediss://` broker unless it is told otherwise."""
    broker = f"rediss://:{PASSWORD}@127.0.0.1:{server.port}/1"
    settings = settings_of(server, tmp_path, run_launcher="celery", celery_broker_url=broker)
    (check,) = check_workers(settings)
    assert check.found == "no worker of Celery answers", "the broker does"
    (check,) = check_workers(settings.with_changes(redis_ca_file=None))
    assert check.found.startswith("the broker: ")
    (check,) = check_workers(
        settings.with_changes(
            redis_ca_file=None, celery_broker_url=f"{broker}?ssl_cert_reqs=CERT_NONE"
        )
    )
    assert check.found == "no worker of Celery answers", "who asks for it gets it"
