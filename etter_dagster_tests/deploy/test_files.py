"""The files of a deployment agree with each other and with the code, and hold no secret."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from etter_dagster.cli.worker import worker
from etter_dagster.settings import Settings
from etter_dagster_tests.deploy.files import (
    COMPOSE,
    MANIFESTS,
    OURS,
    ROOT,
    essence,
    example_settings,
    manifest_commands,
    procfile,
)

SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("name", procfile())
def test_a_process_is_started_by_the_same_command_everywhere(name: str) -> None:
    """What is tested without containers (the Procfile) is what runs in them."""
    wanted = essence(procfile()[name])
    assert essence(SERVICES[name]["command"]) == wanted
    assert essence(manifest_commands()[name]) == wanted


def test_every_process_of_ours_is_in_all_three() -> None:
    ours = {n for n, service in SERVICES.items() if "ETTER_ENVIRONMENT" in str(service)}
    assert ours == set(OURS) == set(manifest_commands()) == {*procfile(), "migrate"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_bounded_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    if name not in ("migrate", "worker"):
        assert service["healthcheck"]["test"]


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    """Dagster's webserver and the stores let in everybody who reaches them."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert SERVICES["proxy"]["ports"][0].split(":")[1] == "-127.0.0.1"
    for name in ("webserver", "neo4j", "redis", "postgres"):
        networks = SERVICES[name]["networks"]
        assert all(COMPOSE["networks"][network].get("internal") for network in networks)


def test_the_proxy_passes_the_host_on_with_its_port() -> None:
    """A browser's Origin has the port; Dagster's UI on port 8080 was taken for another site's."""
    proxy = (ROOT / "deploy" / "nginx.conf").read_text()
    assert re.findall(r"proxy_set_header Host (\S+);", proxy) == ["$http_host"]


def test_containers_of_ours_may_do_little() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_no_store_is_left_to_root() -> None:
    """The images of stores step down by themselves, but not from a shell, as Redis' command is."""
    for name in ("neo4j", "postgres"):
        assert str(SERVICES[name].get("command", "postgres")).startswith("postgres")
    redis = SERVICES["redis"]
    assert redis["command"][0] == "sh"
    assert redis["user"] == "999:999", "`redis` in the image"
    assert redis["read_only"] is True
    assert redis["cap_drop"] == ["ALL"]


def test_settings_that_are_set_exist() -> None:
    """A misspelt name would only be a warning in a log."""
    fields = {f"ETTER_{name.upper()}" for name in Settings.model_fields}
    known = fields | {f"{name}_FILE" for name in fields} | {"PROMETHEUS_MULTIPROC_DIR"}
    compose = {name for service in OURS for name in SERVICES[service]["environment"]}
    assert compose <= known
    assert set(MANIFESTS[0]["data"]) <= known


# Where things are and how processes are started, which the deployment itself decides.
DECIDED = {
    *("DATA_DIR", "DAGSTER_HOME", "DAGSTER_PORT", "HOST", "PORT"),
    *("NEO4J_USER", "NEO4J_DATABASE", "REDIS_PORT", "REDIS_DB"),
    *("REDIS_USERNAME", "REDIS_TLS", "REDIS_CA_FILE"),
}


def test_every_setting_has_a_place_in_a_deployment() -> None:
    """A new one would otherwise have to be found in the code, and written into an override file."""
    secret = {f"ETTER_{name.upper()}" for name in Settings.SECRETS}
    compose = {
        name.removesuffix("_FILE") if name.removesuffix("_FILE") in secret else name
        for name in SERVICES["worker"]["environment"]
    }
    example = example_settings()
    shown = {f"{name}_FILE" if name in secret else name for name in compose}
    assert not shown & set(example), "the compose file's own value wins: it would have no effect"
    named = {name.removesuffix("_FILE") if name[:-5] in secret else name for name in example}
    every = {f"ETTER_{name.upper()}" for name in Settings.model_fields}
    assert named | compose | {f"ETTER_{name}" for name in DECIDED} == every


@pytest.mark.parametrize("assessor", ["exposure", "workflow_api", "llm"])
def test_what_the_example_shows_is_legal(
    assessor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes a # off gets a service that starts."""
    for name, value in example_settings().items():
        if name.endswith("_FILE") and name != "ETTER_COMPANIES_FILE":
            file = tmp_path / Path(value).name
            file.write_text("https://hook.example.com/x" if "url" in value else "secret")
            value = str(file)
        assert value.startswith(("/etc/etter/", str(tmp_path))) or "/etc" not in value
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ETTER_ASSESSOR", assessor)
    settings = Settings()
    assert settings.assessor == assessor
    assert settings.workflow_api_token is not None
    assert settings.budget_per_day == 200


def test_services_of_ours_read_the_same_settings_and_files() -> None:
    """REST refuses by a budget that workers must know as well."""
    for name in OURS:
        service = SERVICES[name]
        assert service["env_file"] == [{"path": "deploy/config/etter.env", "required": False}]
        assert service["volumes"] == ["./deploy/config:/etc/etter:ro"]
    for manifest in MANIFESTS:
        if manifest["kind"] not in ("Deployment", "Job"):
            continue
        pod = manifest["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert [source["configMapRef"] for source in container["envFrom"]] == [
            {"name": "etter-settings", "optional": True},
            {"name": "etter"},  # the later one wins, as in the compose file
        ]
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {"/etc/etter", "/run/secrets"} <= mounted


def test_the_manifests_set_what_the_compose_file_sets() -> None:
    """Without its own address, links of Kubernetes' REST would lead to 0.0.0.0."""
    compose = set(SERVICES["worker"]["environment"])
    assert set(MANIFESTS[0]["data"]) == compose | {"ETTER_HOST", "ETTER_PORT"}


def test_no_service_of_kubernetes_becomes_a_setting() -> None:
    """A Service `etter-x` gives each pod `ETTER_X_PORT` and more; one named `etter`, as
    Dagster's chart makes for the code location, `ETTER_PORT=tcp://...`: no process would start.
    """
    for manifest in MANIFESTS:
        if manifest["kind"] in ("Deployment", "Job"):
            assert manifest["spec"]["template"]["spec"]["enableServiceLinks"] is False
    assert MANIFESTS[0]["data"]["ETTER_PORT"] == "8090"


def test_dagsters_chart_gets_the_instance_of_dagster_yaml() -> None:
    """The chart writes a `dagster.yaml` of its own out of these values."""
    ours = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text())
    values = yaml.safe_load((ROOT / "deploy" / "helm-values.yaml").read_text())
    daemon, more = values["dagsterDaemon"], values["additionalInstanceConfig"]
    launcher = values["runLauncher"]["config"]["customRunLauncher"]
    assert {**ours["run_launcher"], "config": {}} == launcher
    coordinator = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    limits = {"runs": {snake(k): v for k, v in coordinator.items() if not k.startswith("dequeue")}}
    assert limits == ours["concurrency"]
    dequeue = {snake(k): v for k, v in coordinator.items() if k.startswith("dequeue")}
    assert dequeue == ours["run_coordinator"]["config"]
    assert more == {name: ours[name] for name in ("freshness", "run_monitoring")}
    for part in ("sensors", "schedules"):
        assert {snake(k): v for k, v in daemon[part].items()} == ours[part]
    purged = values["retention"]["sensor"]["purgeAfterDays"]
    assert purged == ours["retention"]["sensor"]["purge_after_days"]
    (code,) = values["dagster-user-deployments"]["deployments"]
    for pod in (values["dagsterWebserver"], daemon, code):
        assert pod["envConfigMaps"] == [{"name": "etter"}]
        assert pod["image"]["repository"] == "etter", "it loads the launcher, which is ours"


def snake(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()


def test_an_outage_of_a_store_takes_no_rest_out_of_its_service() -> None:
    """With Redis away, what needs no queue is read as before, and a push is told to come again."""
    (rest,) = (
        m for m in MANIFESTS if m["metadata"]["name"] == "etter-rest" and "replicas" in m["spec"]
    )
    (container,) = rest["spec"]["template"]["spec"]["containers"]
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["tcpSocket"] == {"port": "http"}


def test_a_worker_is_given_time_to_end_what_it_holds() -> None:
    """Killed before its grace is over, it gives nothing back, and each role costs an attempt."""
    grace = inspect.signature(worker).parameters["grace"].default
    (deployment,) = (m for m in MANIFESTS if m["metadata"]["name"] == "etter-worker")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= grace + 30
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) >= grace + 30


def test_requests_of_several_processes_are_added_up() -> None:
    """Else each scrape shows one of them, and counters fall as often as they rise."""
    assert "--workers 2" in SERVICES["rest"]["command"]
    assert SERVICES["rest"]["environment"]["PROMETHEUS_MULTIPROC_DIR"] in SERVICES["rest"]["tmpfs"]


def test_no_file_holds_a_secret() -> None:
    """Whatever is secret comes from a file that is not in the repository."""
    secret = re.compile(r"(?i)(password|token|secret|broker_url|postgres_url|api_key)(?!\w*_FILE$)")
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            assert not secret.search(name), name
    assert not any(secret.search(name) for name in MANIFESTS[0]["data"])


def test_the_secrets_are_made_once_at_random(tmp_path: Path) -> None:
    """A second run must not replace a password that a store has taken over."""
    script = tmp_path / "deploy" / "make-secrets.sh"
    script.parent.mkdir()
    script.write_bytes((ROOT / "deploy" / "make-secrets.sh").read_bytes())

    def made() -> dict[str, str]:
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
        return {path.name: path.read_text() for path in (script.parent / "secrets").iterdir()}

    first = made()
    assert made() == first
    keys = script.parent / "secrets" / "api_keys.json"
    keys.write_text("[]")
    keys.chmod(0o600)
    assert made() == {**first, keys.name: "[]"}
    assert keys.stat().st_mode & 0o004
    wanted = {Path(entry["file"]).name for entry in COMPOSE["secrets"].values()}
    assert {*first, "api_keys.json"} == wanted
    passwords = [first[f"{store}_password"] for store in ("neo4j", "redis", "postgres")]
    assert len(set(passwords)) == 3
    assert all(len(password) >= 40 for password in passwords)
    assert first["neo4j_auth"] == f"neo4j/{passwords[0]}"
    assert not os.stat(script.parent / "secrets").st_mode & 0o077


def test_git_ignores_the_secrets_and_what_is_set_here() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/deploy/secrets/", "/deploy/config/*"} <= set(ignored)


def test_the_image_installs_extras_that_exist() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    section = project.split("[project.optional-dependencies]")[1].split("\n[")[0]
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    (extras,) = re.findall(r"\.\[([\w,]+)\]", dockerfile)
    assert set(extras.split(",")) <= set(re.findall(r"^([\w-]+) = \[", section, re.M))
    assert re.search(r"^USER \d+$", dockerfile, re.M)
