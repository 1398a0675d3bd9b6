"""Settings: names, defaults, wrong values, secrets, unknown variables, what refuses to start."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import certifi
import pytest
from pydantic import SecretStr, ValidationError

from etter_dagster.settings import Settings, get_settings, setting_problems
from etter_dagster_tests.keys import add_key

# Section 5 of the contract, so that a renamed or lost setting is noticed.
_NAMES = """
ENVIRONMENT LOG_LEVEL LOG_FORMAT ENABLE_MOCK_DATA DATA_DIR HOST PORT DASHBOARD_BASE_URL DAGSTER_URL
DAGSTER_PORT DAGSTER_HOME NEO4J_URI NEO4J_USER NEO4J_PASSWORD NEO4J_DATABASE REDIS_HOST REDIS_PORT
REDIS_DB REDIS_PASSWORD REDIS_SOCKET_TIMEOUT REDIS_STATUS_TTL_SECONDS QUEUE_CAPACITY
DAGSTER_POSTGRES_URL RUN_LAUNCHER CELERY_BROKER_URL MAX_IN_FLIGHT MAX_IN_FLIGHT_PER_COMPANY MAX_RUNS
ROLES_PER_RUN LINGER_SECONDS CLAIM_SECONDS LEASE_SECONDS OPTIONAL_STEPS RETRY_BACKOFF_SECONDS
ASSESSOR WORKFLOW_API_BASE_URL WORKFLOW_API_TIMEOUT WORKFLOW_API_TOKEN WORKFLOW_API_STORE_IN_NEO4J
LLM_BASE_URL LLM_MODEL LLM_API_KEY ASSESSOR_MAX_CONCURRENT ASSESSOR_MAX_PER_MINUTE BUDGET_PER_DAY
BUDGET_PER_MONTH COST_PER_ASSESSMENT COMPANIES_FILE SOURCE_INTERVAL_SECONDS TAXONOMY_API_BASE_URL
TAXONOMY_API_TOKEN DOCUMENTS_API_BASE_URL DOCUMENTS_API_TOKEN DOCUMENTS_DIR S3_BUCKET
S3_ENDPOINT_URL ALLOWED_DOCUMENT_HOSTS PUSH_NEW_TAXONOMY_ROLES MAX_ASSESSMENT_AGE_DAYS NIGHTLY_CRON
NIGHTLY_TIMEZONE API_KEYS_FILE NOTIFY_WEBHOOK_URL NOTIFY_WEBHOOK_SECRET RATE_LIMIT_PER_MINUTE
ASSESSOR_ROLLOUT_PERCENT REDIS_USERNAME REDIS_TLS REDIS_CA_FILE
"""
CONTRACT_NAMES = _NAMES.split()

REAL_STORES = {
    "neo4j_uri": "bolt://graph.internal:7687",
    "redis_host": "redis.internal",
    "dagster_postgres_url": "postgresql://dagster:pw@db.internal/dagster",
    "api_keys_file": "keys.json",
    "enable_mock_data": False,
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("ETTER_") or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def problems(**values: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Settings(**values)  # type: ignore[arg-type]
    return setting_problems(caught.value)


def test_every_name_of_the_contract_is_a_setting_and_no_other() -> None:
    """Users find names in the contract's table; one that is missing would be ignored silently."""
    assert {name.lower() for name in CONTRACT_NAMES} == set(Settings.model_fields)


def test_every_setting_says_what_it_is() -> None:
    """The description is what a wrong value is answered with."""
    assert [n for n, f in Settings.model_fields.items() if not f.description] == []


def test_an_empty_environment_loads_with_embedded_stores_and_no_remote_address() -> None:
    settings = Settings()
    assert settings.embedded_graph
    assert settings.embedded_queue
    assert settings.refuse_to_start() == []
    urls = [
        v for v in settings.model_dump().values() if isinstance(v, str) and v.startswith("http")
    ]
    assert urls
    assert all(url.startswith("http://127.0.0.1:") for url in urls)
    assert all(getattr(settings, name) is None for name in Settings.SECRETS)


def test_arguments_beat_the_environment_which_beats_the_env_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("ETTER_PORT=1001\nETTER_MAX_RUNS=7\nETTER_LOG_LEVEL=debug\n")
    monkeypatch.setenv("ETTER_PORT", "1002")
    monkeypatch.setenv("ETTER_MAX_RUNS", "8")
    settings = Settings(port=1003)
    assert (settings.port, settings.max_runs, settings.log_level) == (1003, 8, "DEBUG")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass `ETTER_REDIS_HOST=` for a variable that the user left out."""
    for name in CONTRACT_NAMES:
        monkeypatch.setenv(f"ETTER_{name}", "")
    assert Settings() == Settings(_env_file=None)
    assert Settings().embedded_queue


@pytest.mark.parametrize(
    "cron",
    [
        "@daily",
        "*/30 * * * *",
        "0 22-2 1,15 JAN-mar 7",
        "0 2 ? * mon-FRI",
        "5 4 L * *",
        "5 4 * * 5#2,mon#1",
        "0 0 ? * L5",
        "0 0 1 dec-feb *",
        "0 0 29 2 *",
        "0 0 31 2-12/5 *",
        "0 0 28-31 FEB *",
        "0 0 30-2 2 ?",
        "0 0 31,*/15 2 *",
    ],
)
def test_a_cron_expression_that_dagster_takes_is_taken(cron: str) -> None:
    assert Settings(nightly_cron=cron).nightly_cron == cron


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("environment", "prod", "'development', 'staging' or 'production'"),
        ("log_format", "xml", "'text' or 'json'"),
        ("assessor", "magic", "'exposure', 'workflow_api' or 'llm'"),
        ("run_launcher", "k8s", "'process' or 'celery'"),
        ("enable_mock_data", "perhaps", "true or false"),
        ("port", "70000", "1 to 65535"),
        ("queue_capacity", "0", "1 to 10,000,000"),
        ("linger_seconds", "-1", "0 to 3600"),
        ("budget_per_day", "nan", "0 or more"),
        ("max_assessment_age_days", "0", "days"),
        ("nightly_cron", "at two", "minute hour day month weekday"),
        ("nightly_cron", "0 24 * * *", "minute hour day month weekday"),
        ("nightly_cron", "a b c d e", "minute hour day month weekday"),
        ("nightly_cron", "*/0 2 * * *", "minute hour day month weekday"),
        ("nightly_cron", "0 0 31 2 *", "never comes: day 31 of month 2"),
        ("nightly_cron", "0 0 30,31 feb ?", "never comes: day 30,31 of month feb"),
        ("nightly_cron", "0 0 31 apr,6-11/5,9 *", "never comes"),
        ("nightly_cron", "0 0 31 4 mon", "never comes"),
        ("nightly_cron", "5 4 L * 5#2", "give one"),
        ("nightly_cron", "0 2,,3 * * *", "minute hour day month weekday"),
        ("nightly_cron", "0 2 * * -1", "minute hour day month weekday"),
        ("nightly_cron", "0 2 15W * *", "minute hour day month weekday"),
        ("nightly_cron", "? 2 * * *", "minute hour day month weekday"),
        ("nightly_cron", "0 2 * mon *", "minute hour day month weekday"),
        ("nightly_timezone", "Mars/Base", "America/New_York"),
        ("neo4j_uri", "http://graph", "bolt://"),
        ("workflow_api_base_url", "example.com", "https://"),
        ("workflow_api_base_url", "https://user:secret@example.com", "no user name"),
        ("allowed_document_hosts", "https://docs.example.com", "without scheme"),
        ("redis_host", "redis://redis", "without scheme"),
    ],
)
def test_a_wrong_value_names_its_variable_and_the_legal_ones(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ETTER_{name.upper()}", value)
    (problem,) = problems()
    assert problem.startswith(f"ETTER_{name.upper()}: ")
    assert expected in problem


def test_all_wrong_values_are_named_at_once() -> None:
    assert len(problems(port="x", environment="y", max_runs=0)) == 3


def test_an_unknown_argument_fails_with_the_nearest_name() -> None:
    assert problems(queue_capcity=3) == [
        "queue_capcity is not a setting; did you mean queue_capacity?"
    ]


def test_an_unknown_variable_is_a_warning_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A typo would be ignored otherwise, and the default used for weeks; the value stays out."""
    monkeypatch.setenv("ETTER_REDIS_HSOT", "secret-value")
    Path(".env").write_text("ETTER_NEO4J_PASWORD=other-secret\nUNRELATED=1\n")
    with caplog.at_level(logging.WARNING, logger="etter_dagster.settings"):
        Settings()
    assert sorted(caplog.messages) == [
        f"{wrong} is not a setting and has no effect; did you mean {right}?"
        for wrong, right in (
            ("ETTER_NEO4J_PASWORD", "ETTER_NEO4J_PASSWORD"),
            ("ETTER_REDIS_HSOT", "ETTER_REDIS_HOST"),
        )
    ]
    assert "secret" not in caplog.text


def test_a_temporal_variable_says_that_dagster_orchestrates_here(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ETTER_TEMPORAL_HOST", "temporal:7233")
    with caplog.at_level(logging.WARNING, logger="etter_dagster.settings"):
        Settings()
    assert len(caplog.messages) == 1
    assert "Dagster orchestrates here" in caplog.messages[0]


def test_known_variables_give_no_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    monkeypatch.setenv("ETTER_PORT", "8091")
    monkeypatch.setenv("ETTER_LLM_API_KEY_FILE", str(secret))
    with caplog.at_level(logging.WARNING, logger="etter_dagster.settings"):
        Settings()
    assert caplog.messages == []


@pytest.mark.parametrize("name", Settings.SECRETS)
def test_each_secret_may_be_a_file_and_is_masked(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    value = {
        "dagster_postgres_url": "postgresql://u:hush@db/d",
        "notify_webhook_url": "https://hush.example",
    }.get(name, "redis://:hush@r/1" if name == "celery_broker_url" else "hush")
    path = tmp_path / name
    path.write_text(f"{value}\n")
    monkeypatch.setenv(f"ETTER_{name.upper()}_FILE", str(path))
    settings = Settings()
    secret = getattr(settings, name)
    assert isinstance(secret, SecretStr)
    assert secret.get_secret_value() == value
    assert "hush" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert getattr(Settings(**{f"{name}_file": path}), name) == secret  # type: ignore[arg-type]


def test_a_secret_file_of_the_environment_beats_a_plain_value_of_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("new")
    Path(".env").write_text("ETTER_NEO4J_PASSWORD=old\n")
    monkeypatch.setenv("ETTER_NEO4J_PASSWORD_FILE", str(tmp_path / "password"))
    assert Settings().neo4j_password == SecretStr("new")


@pytest.mark.parametrize("name", Settings.SECRETS)
def test_a_secret_given_in_python_beats_a_file_of_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`etter up` makes its settings anew with its ports; with secrets in files it did not start."""
    value = {
        "dagster_postgres_url": "postgresql://u:of-the-file@db/d",
        "notify_webhook_url": "https://of-the-file.example",
    }.get(name, "redis://:of-the-file@r/1" if name == "celery_broker_url" else "of-the-file")
    (tmp_path / name).write_text(value)
    monkeypatch.setenv(f"ETTER_{name.upper()}_FILE", str(tmp_path / name))
    assert getattr(Settings().with_changes(port=8200), name) == SecretStr(value)
    given: dict[str, Any] = {name: value.replace("of-the-file", "of-the-caller")}
    assert getattr(Settings(**given), name) == SecretStr(given[name])


def test_a_secret_given_twice_or_in_a_missing_file_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ETTER_LLM_API_KEY_FILE", "/nowhere/key")
    assert "ETTER_LLM_API_KEY_FILE: /nowhere/key cannot be read" in problems()[0]
    monkeypatch.setenv("ETTER_LLM_API_KEY", "key")
    assert "both set" in problems()[0]


def test_a_wrong_secret_does_not_appear_in_the_error() -> None:
    """The error is printed and logged by whatever starts the service."""
    with pytest.raises(ValidationError) as caught:
        Settings(dagster_postgres_url="mysql://root:hush@db/x")
    assert "hush" not in str(caught.value)
    assert "postgresql://" in str(caught.value)


def test_lists_are_given_with_commas_and_none_is_the_empty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ETTER_ALLOWED_DOCUMENT_HOSTS", "Docs.Example.com, münchen.example")
    monkeypatch.setenv("ETTER_OPTIONAL_STEPS", "none")
    settings = Settings()
    assert settings.allowed_document_hosts == ("docs.example.com", "xn--mnchen-3ya.example")
    assert settings.optional_steps == ()
    assert Settings(optional_steps="skills, mine").optional_steps == ("skills", "mine")


def test_production_names_all_that_is_missing_at_once_and_can_still_be_looked_at() -> None:
    """`etter doctor` must load such settings to say what they lack; a service must not start."""
    settings = Settings(environment="production")
    with pytest.raises(ValueError, match="refuses to start") as caught:
        settings.require_startable()
    for name in ("API_KEYS_FILE", "NEO4J_URI", "REDIS_HOST", "DAGSTER_POSTGRES_URL"):
        assert f"ETTER_{name}" in str(caught.value)
    assert "ETTER_ENABLE_MOCK_DATA=false" in str(caught.value)
    assert len(settings.missing_for_production()) == 5


def test_production_with_everything_starts() -> None:
    add_key(Path("keys.json"), "k")
    Settings(environment="production", host="0.0.0.0", **REAL_STORES).require_startable()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", REAL_STORES)
def test_production_lacking_one_thing_names_only_that(name: str) -> None:
    add_key(Path("keys.json"), "k")
    given = {k: v for k, v in REAL_STORES.items() if k != name}
    (reason,) = Settings(environment="production", **given).refuse_to_start()  # type: ignore[arg-type]
    assert f"ETTER_{name.upper()}" in reason


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_keys(host: str) -> None:
    assert Settings(host=host).refuse_to_start() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "etter.example.com"])
def test_another_host_without_keys_refuses_to_start(host: str) -> None:
    (reason,) = Settings(host=host).refuse_to_start()
    assert "ETTER_API_KEYS_FILE" in reason
    add_key(Path("keys.json"), "k")
    assert Settings(host=host, api_keys_file=Path("keys.json")).refuse_to_start() == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"assessor": "workflow_api"}, "ETTER_WORKFLOW_API_BASE_URL"),
        ({"assessor": "llm", "llm_model": "m"}, "ETTER_LLM_BASE_URL"),
        ({"run_launcher": "celery"}, "ETTER_CELERY_BROKER_URL"),
        ({"redis_host": "r", "celery_broker_url": "redis://r:6379/0"}, "ETTER_CELERY_BROKER_URL"),
        (
            {"redis_host": "::1", "celery_broker_url": "redis://localhost"},
            "ETTER_CELERY_BROKER_URL",
        ),
        ({"redis_ca_file": certifi.where()}, "ETTER_REDIS_TLS=true"),
        ({"redis_tls": True, "redis_ca_file": "not-there.pem"}, "ETTER_REDIS_CA_FILE"),
        ({"redis_tls": True, "redis_ca_file": __file__}, "ETTER_REDIS_CA_FILE"),
    ],
)
def test_a_choice_without_what_it_needs_refuses_to_start(given: dict[str, str], named: str) -> None:
    (reason,) = Settings(**given).refuse_to_start()  # type: ignore[arg-type]
    assert named in reason


def test_celery_may_use_another_database_of_the_same_redis() -> None:
    given = {"redis_host": "r", "celery_broker_url": "redis://r:6379/1"}
    assert Settings(**given).refuse_to_start() == []  # type: ignore[arg-type]


def test_places_follow_from_each_other_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir="here", port=8100, host="0.0.0.0", dagster_port=3100)
    assert settings.data_dir == Path.cwd() / "here"
    assert settings.dagster_home == Path.cwd() / "here" / "dagster"
    assert settings.rest_base_url == settings.dashboard_base_url == "http://127.0.0.1:8100"
    assert settings.dagster_url == "http://127.0.0.1:3100"
    moved = settings.with_changes(port=8200, dagster_port=3200)
    assert moved.dashboard_base_url == "http://127.0.0.1:8200"
    assert moved.dagster_url == "http://127.0.0.1:3200"
    assert moved.data_dir == settings.data_dir
    monkeypatch.setenv("DAGSTER_HOME", "/srv/dagster")
    assert Settings().dagster_home == Path("/srv/dagster")
    monkeypatch.setenv("ETTER_DAGSTER_HOME", "/srv/ours")
    assert Settings().dagster_home == Path("/srv/ours")


def test_the_data_dir_is_in_the_home_folder_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert Settings().data_dir == Path("/home/ada/.local/share/etter")


def test_a_dashboard_url_is_percent_encoded() -> None:
    settings = Settings(dashboard_base_url="https://etter.example/app/")
    assert settings.dashboard_url("A/B & Söhne", "cr-a-b-0123456789ab") == (
        "https://etter.example/app/dashboard/A%2FB%20%26%20S%C3%B6hne/roles/cr-a-b-0123456789ab"
    )


def test_get_settings_reads_once_until_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    get_settings.cache_clear()
    monkeypatch.setenv("ETTER_PORT", "8111")
    assert get_settings().port == 8111
    monkeypatch.setenv("ETTER_PORT", "8112")
    assert get_settings().port == 8111
    get_settings.cache_clear()
    assert get_settings().port == 8112
    get_settings.cache_clear()
