"""`etter keys`, and the key that commands send."""

from __future__ import annotations

import getpass
import json
import stat
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from etter_dagster.client import EtterClient
from etter_dagster.model.api_keys import hash_of
from etter_dagster.model.errors import EtterError
from etter_dagster_tests.cli.conftest import ETTER, Etter
from etter_dagster_tests.keys import add_key, secret_of


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "etc" / "keys.json"
    monkeypatch.setenv("ETTER_API_KEYS_FILE", str(path))
    return path


def test_a_key_is_printed_once_and_kept_by_its_hash(etter: Etter, path: Path) -> None:
    """Whoever reads the file later cannot call with what is in it."""
    ran = etter("keys", "create", "--company", "Acme", "--company", "A/B", "--scope", "push")
    assert ran.code == 0
    secret = ran.stdout.strip()
    assert secret.startswith("etk_")
    (row,) = json.loads(path.read_text())
    assert row["sha256"] == hash_of(secret)
    assert (row["companies"], row["scopes"]) == (["Acme", "A/B"], ["push"])
    assert secret not in path.read_text() + ran.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert row["id"] in ran.stderr


def test_a_key_may_end_and_have_a_name(etter: Etter, path: Path) -> None:
    ran = etter(
        *("keys", "create", "--company", "*", "--scope", "read", "--json"),
        *("--expires", "1.5", "--id", "prometheus"),
    )
    assert ran.json["id"] == "prometheus"
    ends = datetime.fromisoformat(ran.json["expires_at"].replace("Z", "+00:00"))
    expected = datetime.now(timezone.utc) + timedelta(days=1.5)
    assert abs(ends - expected) < timedelta(minutes=5)
    assert "sha256" not in ran.json
    assert etter("keys", "list").table == [
        {
            "id": "prometheus",
            "companies": "*",
            "scopes": "read",
            "expires": ends.strftime("%Y-%m-%d %H:%MZ"),
            "state": "in use",
        }
    ]


def test_a_list_shows_what_has_expired_and_no_hash(etter: Etter, path: Path) -> None:
    add_key(path, "old", "Acme", expires_at=datetime(2020, 1, 1, tzinfo=timezone.utc))
    add_key(path, "new", "Acme")
    ran = etter("keys", "list")
    assert [(row["id"], row["state"]) for row in ran.table] == [
        ("old", "expired"),
        ("new", "in use"),
    ]
    listed = etter("keys", "list", "--json")
    assert [key["id"] for key in listed.json["keys"]] == ["old", "new"]
    assert hash_of(secret_of("new")) not in ran.stdout + listed.stdout


def test_a_revoked_key_is_gone_and_the_others_stay(etter: Etter, path: Path) -> None:
    add_key(path, "a", "Acme")
    add_key(path, "b", "Acme")
    assert etter("keys", "revoke", "a", "--json").json == {"revoked": "a", "left": 1}
    assert [row["id"] for row in json.loads(path.read_text())] == ["b"]
    assert etter("keys", "revoke", "a").code == 2
    ran = etter("keys", "revoke", "b")
    assert ran.code == 0
    assert "last key" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--company", " ", "--scope", "read"), "--company"),
        (("--company", "A\x00", "--scope", "read"), "--company"),
        (("--company", "A", "--company", "*", "--scope", "read"), "--company"),
        (("--company", "A", "--scope", "root"), "read"),
        (("--scope", "read"), "--company"),
        (("--company", "A"), "--scope"),
        (("--company", "A", "--scope", "read", "--expires", "0"), "--expires"),
        (("--company", "A", "--scope", "read", "--expires", "nan"), "--expires"),
        (("--company", "A", "--scope", "read", "--id", "a b"), "--id"),
        (("--company", "A", "--scope", "read", "--id", "taken"), "--id"),
    ],
)
def test_a_key_that_cannot_be_is_2_and_changes_nothing(
    etter: Etter, path: Path, arguments: tuple[str, ...], named: str
) -> None:
    add_key(path, "taken", "Acme")
    before = path.read_bytes()
    ran = etter("keys", "create", *arguments)
    assert ran.code == 2
    assert named in ran.stderr
    assert "etk_" not in ran.stdout
    assert path.read_bytes() == before


def test_a_broken_file_is_never_written_over(etter: Etter, path: Path) -> None:
    """Its keys would be lost for a missing comma."""
    path.parent.mkdir()
    path.write_text('[{"id": "a"')
    for command in (("list",), ("create", "--company", "A", "--scope", "read"), ("revoke", "a")):
        ran = etter("keys", *command)
        assert ran.code == 2
        assert str(path) in ran.stderr
    assert path.read_text() == '[{"id": "a"'


def test_without_a_named_file_the_remedy_is_said(etter: Etter) -> None:
    """A key in a file that no service reads would open nothing."""
    ran = etter("keys", "create", "--company", "A", "--scope", "read")
    assert ran.code == 2
    assert "ETTER_API_KEYS_FILE" in ran.stderr


def test_two_commands_at_once_lose_no_key(etter: Etter, path: Path) -> None:
    """Each reads, adds and writes the whole file."""
    command = [*ETTER, "keys", "create", "--company", "A", "--scope", "read"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert [process.wait(120) for process in started] == [0] * 4
    assert len(json.loads(path.read_text())) == 4


def test_a_command_sends_the_key_of_the_environment(
    etter: Etter, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key among the arguments would be seen by every user of the machine."""
    (tmp_path / "key").write_text("etk_of-a-file\n")
    for variable, value, sent in (
        ("ETTER_API_KEY", "etk_plain", "etk_plain"),
        ("ETTER_API_KEY_FILE", str(tmp_path / "key"), "etk_of-a-file"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            assert EtterClient()._http.headers["Authorization"] == f"Bearer {sent}"
            given = EtterClient(api_key="etk_given")._http.headers["Authorization"]
            assert given == "Bearer etk_given"
            assert "not a setting" not in etter("keys", "list").stderr
    assert "Authorization" not in EtterClient()._http.headers


@pytest.mark.parametrize(
    "given",
    [
        {"ETTER_API_KEY": "two words"},
        {"ETTER_API_KEY": "etk_a", "ETTER_API_KEY_FILE": "key"},
        {"ETTER_API_KEY_FILE": "missing"},
    ],
)
def test_a_key_of_the_environment_that_is_none_is_said_before_it_is_sent(
    etter: Etter, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(EtterError, match="ETTER_API_KEY"):
        EtterClient()
    assert etter("companies").code == 2


def test_where_the_stores_are_a_change_is_in_the_audit_log_with_who_made_it(
    etter: Etter, path: Path, tmp_path: Path
) -> None:
    """The key is in no entry; a change that could not be written leaves none."""
    etter("migrate")
    made = etter("keys", "create", "--company", "Acme", "--scope", "push", "--id", "a")
    etter("keys", "revoke", "a")
    lines = [json.loads(line) for line in etter("export").stdout.splitlines()]
    found = [line["audit"] for line in lines if "audit" in line]
    assert [(e["action"], e["target"], e["company_id"], e["actor"]) for e in found] == [
        ("create_key", "a", "Acme", "cli"),
        ("revoke_key", "a", "Acme", "cli"),
    ]
    assert {e["created_by"] for e in found} == {getpass.getuser()}
    secret = made.stdout.strip()
    assert secret not in str(lines)
    assert hash_of(secret) not in str(lines)


def test_without_stores_here_none_are_made_and_with_stores_away_it_is_said(
    etter: Etter, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment's first key is made before its stores, on a machine that cannot reach them."""
    ran = etter("keys", "create", "--company", "*", "--scope", "admin", "--id", "first")
    assert (ran.code, "audit" in ran.stderr) == (0, False)
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("ETTER_NEO4J_URI", "bolt://127.0.0.1:1")
    ran = etter("keys", "create", "--company", "*", "--scope", "admin", "--id", "second")
    assert ran.code == 0
    assert "not in the audit log yet" in ran.stderr
    assert "127.0.0.1" not in ran.stderr
    assert [row["id"] for row in json.loads(path.read_text())] == ["first", "second"]
