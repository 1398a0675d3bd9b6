"""Changes of API keys stand in the audit log, each once, whoever made and whoever noticed them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.api import key_watch
from etter_dagster.model.api_keys import hash_of
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster.settings_keys import read_keys, write_keys
from etter_dagster_tests.keys import add_key, bearer, secret_of
from etter_dagster_tests.rest import Rest, rest_of

MANY = {"limit": 200}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def settings(tmp_path: Path, path: Path) -> Settings:
    add_key(path, "boss")
    return Settings(
        data_dir=tmp_path / "data", api_keys_file=path, enable_mock_data=False, dagster_port=9
    )


@pytest.fixture
async def rest(settings: Settings) -> AsyncIterator[Rest]:
    async with rest_of(settings) as opened:
        yield opened


def revoke(path: Path, key_id: str) -> None:
    write_keys(path, [key for key in read_keys(path) if key.id != key_id])


def break_file(path: Path) -> None:
    path.write_text("[{")


async def entries(rest: Rest, key_id: str = "boss") -> list[dict[str, Any]]:
    """Those about keys, oldest first, once nothing is being recorded."""
    opened = await rest.runtime.opened()
    for _ in ("notices what changed", "reads what was recorded"):
        answer = await rest.http.get("/audit", headers=bearer(secret_of(key_id)), params=MANY)
        assert answer.status_code == 200, answer.text
        while opened.tasks:
            await asyncio.gather(*opened.tasks)
    found = [item for item in answer.json()["items"] if item["action"].endswith("_key")]
    return found[::-1]


async def test_a_change_of_the_file_is_recorded_with_what_the_key_may(
    rest: Rest, path: Path
) -> None:
    """Also what was there at the start: a deployment's first key is made before its stores."""
    assert [(e["action"], e["target"]) for e in await entries(rest)] == [("create_key", "boss")]
    add_key(path, "reader", "Acme", scope="read")
    made = (await entries(rest))[-1]
    assert (made["action"], made["target"], made["company_id"]) == ("create_key", "reader", "Acme")
    assert (made["actor"], made["created_by"]) == ("keys-file", None)
    assert made["detail"] == {"scopes": ["read"], "expires_at": None}
    revoke(path, "reader")
    assert [e["action"] for e in await entries(rest)][1:] == ["create_key", "revoke_key"]
    log = (await rest.http.get("/audit", headers=bearer(secret_of("boss")), params=MANY)).text
    for key_id in ("boss", "reader"):
        assert secret_of(key_id) not in log
        assert hash_of(secret_of(key_id)) not in log


async def test_a_companys_key_sees_changes_of_its_companys_keys_and_no_other_name(
    rest: Rest, path: Path
) -> None:
    add_key(path, "acme-admin", "Acme", scope="admin")
    add_key(path, "both", "Acme", "Globex", scope="push")
    seen = await entries(rest, "acme-admin")
    assert [e["target"] for e in seen] == ["acme-admin", "both"]
    assert "Globex" not in str(seen)


async def test_several_processes_record_a_change_once(settings: Settings, path: Path) -> None:
    """All of them read the same file at about the same time; one that starts knows it already."""
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(rest_of(settings)) for _ in range(3)]
        add_key(path, "new", "Acme", scope="read")
        await asyncio.gather(*(one.http.get("/health") for one in processes))
        for one in processes:
            await entries(one)
        later = await stack.enter_async_context(rest_of(settings))
        assert [e["target"] for e in await entries(later)] == ["boss", "new"]


async def test_what_changed_while_no_service_ran_is_recorded_at_the_next_start(
    settings: Settings, path: Path
) -> None:
    async with rest_of(settings) as rest:
        add_key(path, "old", "Acme", scope="read")
        assert len(await entries(rest)) == 2
    revoke(path, "old")
    async with rest_of(settings) as rest:
        assert [e["action"] for e in await entries(rest)][-1] == "revoke_key"


async def test_a_store_that_is_away_delays_the_entry_and_loses_none(
    rest: Rest, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_watch, "AGAIN_SECONDS", 0.0)
    assert len(await entries(rest)) == 1
    graph = (await rest.services()).graph

    async def away(entries: object) -> None:
        raise StoreUnavailable("graph")

    with monkeypatch.context() as outage:
        outage.setattr(graph, "append_audit", away)
        add_key(path, "new", "Acme", scope="read")
        await entries(rest)
    assert [e["target"] for e in await entries(rest)] == ["boss", "new"]


async def test_a_file_that_broke_revokes_nobody(rest: Rest, path: Path) -> None:
    """The last good keys stay in use, so nothing has changed."""
    before = await entries(rest)
    break_file(path)
    assert await entries(rest) == before
