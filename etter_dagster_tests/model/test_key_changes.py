"""What has changed between two lists of keys."""

from __future__ import annotations

from datetime import datetime, timezone

from etter_dagster.model.api_keys import ApiKey, Scope, hash_of
from etter_dagster.model.key_changes import KeyChange, key_changes, notes_of


def key(key_id: str, opens: str = "etk_1", scope: Scope = Scope.READ, **more: object) -> ApiKey:
    return ApiKey.model_validate(
        {"id": key_id, "sha256": hash_of(opens), "companies": ["Acme"], "scopes": [scope], **more}
    )


def changes(before: list[ApiKey], after: list[ApiKey]) -> list[KeyChange]:
    return key_changes(notes_of(before), notes_of(after))


def test_each_kind_of_change_has_its_name() -> None:
    before = [key("same"), key("gone"), key("rotated"), key("changed")]
    ends = datetime(2030, 1, 1, tzinfo=timezone.utc)
    after = [
        key("same"),
        key("rotated", "etk_2", Scope.ADMIN),
        key("changed", expires_at=ends),
        key("new"),
    ]
    assert [(change.key_id, change.action.value) for change in changes(before, after)] == [
        ("changed", "change_key"),
        ("gone", "revoke_key"),
        ("new", "create_key"),
        ("rotated", "rotate_key"),
    ]


def test_the_order_of_the_file_is_no_change() -> None:
    assert changes([key("a"), key("b")], [key("b"), key("a")]) == []


def test_what_is_remembered_of_a_key_is_not_what_opens() -> None:
    """Not even the hash that the file holds: whoever has that could look for the key offline."""
    noted = notes_of([key("a", "etk_secret")])["a"].model_dump_json()
    assert hash_of("etk_secret") not in noted
    assert "etk_secret" not in noted
