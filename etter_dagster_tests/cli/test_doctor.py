"""`etter doctor`: each finding with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from etter_dagster_tests.cli.conftest import Etter, Ran, Served
from etter_dagster_tests.standin.catalogue import PlatformState
from etter_dagster_tests.standin.platform_api import create_platform
from etter_dagster_tests.standin.server import serving


def found(ran: Ran) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in ran.json["checks"]}


def test_without_a_service_it_is_3_and_says_how_to_start_one(etter: Etter) -> None:
    ran = etter("doctor", "--json")
    assert ran.code == 3
    assert found(ran)["service"]["state"] == "unreachable"
    assert "etter up" in found(ran)["service"]["remedy"]


def test_each_part_of_the_service_is_named_with_its_state(etter: Etter, service: Served) -> None:
    """Dagster was never started here: pushes would wait, and that is no outage."""
    ran = etter("doctor", "--json")
    assert ran.code == 0
    checks = found(ran)
    assert checks["service"]["state"] == "ok"
    assert checks["service: queue"]["state"] == "ok"
    assert checks["service: dagster"]["state"] == "warning"
    assert "etter up" in checks["service: dagster"]["remedy"]
    assert checks["graph"]["found"].startswith("embedded")


def test_dagster_that_does_not_answer_any_more_is_3(etter: Etter, service: Served) -> None:
    service.settings.dagster_home.mkdir(parents=True)
    ran = etter("doctor", "--json")
    assert ran.code == 3
    assert found(ran)["service: dagster"]["state"] == "unreachable"


def test_the_table_ends_with_how_many_need_a_look(etter: Etter, service: Served) -> None:
    ran = etter("doctor")
    assert {"check", "state", "found", "what to do"} == ran.table[0].keys()
    assert "need a look" in ran.stderr


def test_settings_that_cannot_be_used_are_2_naming_the_variable(
    etter: Etter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETTER_PORT", "99999")
    monkeypatch.setenv("ETTER_NIGHTLY_CRON", "never")
    ran = etter("doctor", "--json")
    assert ran.code == 2
    assert {"ETTER_PORT", "ETTER_NIGHTLY_CRON"} == {
        check["found"].partition(":")[0] for check in ran.json["checks"]
    }
    other = etter("companies")
    assert other.code == 2
    assert "ETTER_PORT" in other.stderr


def test_an_unknown_variable_is_a_warning_with_the_nearest_name(
    etter: Etter, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETTER_QUEUE_CAPACTIY", "5")
    check = found(etter("doctor", "--json"))["settings"]
    assert check["state"] == "warning"
    assert "ETTER_QUEUE_CAPACITY" in check["found"]


def test_what_stops_a_start_is_a_problem_with_its_remedy(
    etter: Etter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETTER_HOST", "0.0.0.0")
    check = found(etter("doctor", "--json"))["settings"]
    assert check["state"] == "problem"
    assert "ETTER_API_KEYS_FILE" in check["remedy"]


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_a_file_that_is_named_must_be_there_and_hold_a_list(
    etter: Etter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "companies.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("ETTER_COMPANIES_FILE", str(path))
    check = found(etter("doctor", "--json"))["ETTER_COMPANIES_FILE"]
    assert check["state"] == "problem"
    path.write_text('[{"name": "Acme"}]')
    assert found(etter("doctor", "--json"))["ETTER_COMPANIES_FILE"]["state"] == "ok"


def test_a_data_folder_that_is_a_file_is_a_problem(
    etter: Etter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ETTER_DATA_DIR", str(tmp_path / "file"))
    check = found(etter("doctor", "--json"))["data folder"]
    assert check["state"] == "problem"
    assert "ETTER_DATA_DIR" in check["remedy"]


@pytest.mark.parametrize("place", ["file", "file/below", "link"])
def test_a_data_folder_that_cannot_be_made_is_1_and_named_by_other_commands(
    etter: Etter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """They said that the graph cannot be reached and to try again, which never helped."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    monkeypatch.setenv("ETTER_DATA_DIR", str(tmp_path / place))
    assert etter("doctor").code == 1
    ran = etter("export")
    assert ran.code == 3
    assert f"ETTER_DATA_DIR: {tmp_path / place.split('/')[0]} is no folder" in ran.stderr


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc")
def test_a_folder_that_permissions_alone_do_not_forbid_is_tried(
    etter: Etter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETTER_DATA_DIR", "/proc/etter")
    check = found(etter("doctor", "--json"))["data folder"]
    assert check["state"] == "problem"


def test_claims_that_are_held_are_said_with_how_to_go_on(etter: Etter, service: Served) -> None:
    assert "claims" not in found(etter("doctor", "--json"))
    assert etter("drain", "--hold", 600).code == 0
    check = found(etter("doctor", "--json"))["claims"]
    assert check["state"] == "warning"
    assert "etter drain --end" in check["remedy"]
    assert etter("drain", "--end").code == 0
    assert "claims" not in found(etter("doctor", "--json"))


def answering(status: int) -> Callable[[object], Response]:
    return lambda _: Response("", status)


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (401, "ok"), (503, "unreachable")])
def test_an_outside_service_is_asked_whether_it_answers(
    etter: Etter, monkeypatch: pytest.MonkeyPatch, status: int, state: str
) -> None:
    """No token is sent, so its refusal is an answer."""
    app = Starlette(routes=[Route("/{path:path}", answering(status))])
    with serving(app) as url:
        monkeypatch.setenv("ETTER_LLM_BASE_URL", url)
        check = found(etter("doctor", "--json"))["ETTER_LLM_BASE_URL"]
    assert check["state"] == state
    gone = found(etter("doctor", "--json"))["ETTER_LLM_BASE_URL"]
    assert gone["state"] == "unreachable"


def test_each_source_is_asked_with_the_tokens_of_all_companies(
    etter: Etter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrong token of one company is found here, and not when its first role is pushed."""
    acme = {"name": "Acme", "taxonomy_company_id": 7}
    globex = {"name": "Globex", "taxonomy_company_id": 8, "taxonomy_token": "wrong"}
    path = tmp_path / "companies.json"
    state = PlatformState(token="right")
    with serving(create_platform(state)) as url:
        for name, value in (
            ("TAXONOMY_API_BASE_URL", url),
            ("TAXONOMY_API_TOKEN", "right"),
            ("DOCUMENTS_API_BASE_URL", url),
            ("DOCUMENTS_API_TOKEN", "right"),
            ("COMPANIES_FILE", str(path)),
            ("DOCUMENTS_DIR", str(tmp_path / "missing")),
        ):
            monkeypatch.setenv(f"ETTER_{name}", value)
        path.write_text(json.dumps([acme, globex]))
        checks = found(etter("doctor", "--json"))
        taxonomy = checks["ETTER_TAXONOMY_API_BASE_URL"]
        assert taxonomy["state"] == "unreachable"
        assert "taxonomy_token of Globex" in taxonomy["found"]
        assert checks["ETTER_DOCUMENTS_API_BASE_URL"]["state"] == "ok"
        assert "2 companies share it" in checks["ETTER_DOCUMENTS_API_TOKEN"]["found"]
        assert "cannot be read" in checks["ETTER_DOCUMENTS_DIR"]["found"]
        path.write_text(json.dumps([acme]))
        (tmp_path / "missing").mkdir()
        checks = found(etter("doctor", "--json"))
        assert checks["ETTER_TAXONOMY_API_BASE_URL"]["state"] == "ok"
        assert "ETTER_DOCUMENTS_API_TOKEN" not in checks
        assert checks["ETTER_DOCUMENTS_DIR"]["state"] == "ok"
        path.write_text("{")
        broken = found(etter("doctor", "--json"))["ETTER_TAXONOMY_API_BASE_URL"]
        assert "ETTER_COMPANIES_FILE is not JSON" in broken["found"]
