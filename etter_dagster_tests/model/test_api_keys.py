"""API keys: what a record of one may hold, what a scope includes, how a secret is looked up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from etter_dagster.model.api_keys import ApiKey, Scope, hash_of, key_of, new_key_id, new_secret

NOW = datetime(2026, 1, 5, tzinfo=timezone.utc)


def key(**changes: Any) -> ApiKey:
    given = {
        "id": "k1",
        "sha256": hash_of("etk_one"),
        "companies": ["Acme"],
        "scopes": ["read"],
        **changes,
    }
    return ApiKey.model_validate(given)


@pytest.mark.parametrize(
    ("scope", "included"),
    [("read", {"read"}), ("push", {"read", "push"}), ("admin", {"read", "push", "admin"})],
)
def test_each_scope_includes_the_lesser_ones(scope: str, included: set[str]) -> None:
    """Whoever may push must be able to see what became of it."""
    assert {other.value for other in Scope if Scope(scope).includes(other)} == included


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "etk_the-key-itself"},
        {"companies": []},
        {"companies": [" "]},
        {"companies": ["*", "Acme"]},
        {"scopes": []},
        {"scopes": ["root"]},
        {"id": "has spaces"},
        {"id": ""},
        {"secret": "etk_one"},
        {"expires_at": "soon"},
    ],
)
def test_a_record_that_could_let_the_wrong_one_in_is_refused(changes: dict[str, Any]) -> None:
    """A misread record would be an open door, or one that nobody can open."""
    with pytest.raises(ValidationError):
        key(**changes)


def test_names_are_compared_as_everywhere() -> None:
    """The file may be written by hand, with the other form of an accent."""
    assert key(companies=[" Cafe\u0301 "]).visible == frozenset({"Caf\u00e9"})
    assert key(companies=["*"]).visible is None


def test_a_key_ends_at_its_time() -> None:
    """A time without a zone is UTC, as everywhere."""
    assert key(expires_at="2026-01-05T00:00:00").expired(NOW)
    assert not key(expires_at=NOW + timedelta(seconds=1)).expired(NOW)
    assert not key().expired(NOW)


def test_a_secret_finds_its_key_and_no_other() -> None:
    """The hash of a key, which whoever reads the file knows, opens nothing."""
    keys = [key(), key(id="k2", sha256=hash_of("etk_two"))]
    found = key_of("etk_two", keys)
    assert found is not None
    assert found.id == "k2"
    for wrong in ("", "etk_", "etk_tw", "etk_two ", hash_of("etk_two"), "x" * 10_000, "\ud800"):
        assert key_of(wrong, keys) is None


def test_new_keys_and_ids_differ_and_say_what_they_are() -> None:
    """The prefix is what scanners for leaked secrets look for."""
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) >= 47 and secret.startswith("etk_") for secret in secrets)
    assert len({new_key_id() for _ in range(100)}) == 100
