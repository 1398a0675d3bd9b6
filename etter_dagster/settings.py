"""The one settings model: every name, its default, unit, bound and reason.

Where values come from is in `settings_env.py`, the types in `settings_types.py` and
`settings_cron.py`, what must be set before a service may start in `settings_start.py`. Nothing is
read at import.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from etter_dagster import settings_env as env
from etter_dagster import settings_types as types
from etter_dagster.settings_start import (
    missing_for_production,
    missing_stores,
    reasons_not_to_start,
)


def _own_url(host: str, port: int) -> str:
    # A wildcard address is for listening; nobody can open it in a browser.
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Settings(BaseSettings):
    """All settings; `Settings(port=8091)` overrides the environment, which overrides `.env`.

    Names are those of the environment in lower case without `ETTER_`. Frozen; secrets are masked.
    """

    model_config = SettingsConfigDict(
        env_prefix=env.PREFIX,
        env_file=".env",
        frozen=True,
        validate_default=False,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,  # a wrong secret must not end up in a log
    )
    SECRETS: ClassVar[tuple[str, ...]] = (
        "neo4j_password",
        "redis_password",
        "dagster_postgres_url",
        "celery_broker_url",
        "workflow_api_token",
        "llm_api_key",
        "taxonomy_api_token",
        "documents_api_token",
        "notify_webhook_url",
        "notify_webhook_secret",
    )

    # general
    environment: Annotated[Literal["development", "staging", "production"], types.Lower] = Field(
        "development", description="production refuses unsafe defaults"
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], types.Upper] = (
        Field("INFO", description="the least level that is logged")
    )
    log_format: Annotated[Literal["text", "json"], types.Lower] = Field(
        "text", description="json for log collectors"
    )
    enable_mock_data: bool = Field(
        True, description="true or false; the sample roles of the first minute"
    )
    data_dir: types.AbsolutePath = Field(
        Path("~/.local/share/etter"),
        validate_default=True,
        description="a folder on a local disk, for the embedded stores",
    )
    host: types.HostOrAddress = Field(
        "127.0.0.1", description="where REST listens; loopback, unless there are API keys"
    )
    port: int = Field(8090, ge=1, le=65535, description="TCP port of REST, 1 to 65535")
    dashboard_base_url: types.HttpUrl = Field(
        "",
        description="http(s) URL before /dashboard/...; by default this service, http://HOST:PORT",
    )
    dagster_port: int = Field(
        3000, ge=1, le=65535, description="TCP port, 1 to 65535; where `etter up` serves Dagster"
    )
    dagster_url: types.HttpUrl = Field(
        "", description="http(s) URL of Dagster's UI; default http://127.0.0.1:DAGSTER_PORT"
    )
    dagster_home: types.AbsolutePath = Field(
        Path(),
        description="a folder for Dagster's state, also read from DAGSTER_HOME without prefix; "
        "default DATA_DIR/dagster",
    )

    # graph
    neo4j_uri: types.Neo4jUri | None = Field(None, description="none: the graph is embedded")
    neo4j_user: str = Field("neo4j", min_length=1, description="user of the graph")
    neo4j_password: SecretStr | None = Field(None, description="its password")
    neo4j_database: str = Field("neo4j", min_length=1, description="database within the server")

    # queue
    redis_host: types.HostOrAddress | None = Field(None, description="none: queue is embedded")
    redis_port: int = Field(6379, ge=1, le=65535, description="TCP port, 1 to 65535")
    redis_db: int = Field(0, ge=0, le=65535, description="database number; Celery's is another")
    redis_username: str | None = Field(
        None, min_length=1, description="ACL user of Redis; none: its default user"
    )
    redis_password: SecretStr | None = Field(None, description="password of Redis")
    redis_tls: bool = Field(False, description="true or false; whether Redis is spoken to over TLS")
    redis_ca_file: types.AbsolutePath | None = Field(
        None,
        description="PEM file of who signed Redis' certificate, for a rediss:// broker too; "
        "none: the authorities that this machine trusts",
    )
    redis_socket_timeout: float = Field(
        30, gt=0, le=600, description="seconds, up to 600; then the queue counts as unreachable"
    )
    redis_status_ttl_seconds: int = Field(
        86_400, ge=1, le=31_536_000, description="seconds, 1 to a year; live detail after the end"
    )
    queue_capacity: int = Field(
        100_000, ge=1, le=10_000_000, description="waiting pushes, 1 to 10,000,000; bounds a flood"
    )

    # dagster
    dagster_postgres_url: types.SecretPostgresUrl | None = Field(
        None, description="postgresql:// URL; none: Dagster's storage is SQLite"
    )
    run_launcher: Annotated[Literal["process", "celery"], types.Lower] = Field(
        "process", description="celery spreads runs over machines"
    )
    celery_broker_url: types.SecretBrokerUrl | None = Field(
        None, description="broker of the run launcher; not the database of the queue"
    )

    # work
    max_in_flight: int = Field(
        1000, ge=1, le=100_000, description="roles processed at once over all runs, 1 to 100,000"
    )
    max_in_flight_per_company: int = Field(
        500, ge=1, le=100_000, description="of one company, 1 to 100,000; a flood starves nobody"
    )
    max_runs: int = Field(4, ge=1, le=1000, description="serving runs at once, 1 to 1000")
    roles_per_run: int = Field(
        250, ge=1, le=10_000, description="places of a serving run, 1 to 10,000; bounds its memory"
    )
    linger_seconds: float = Field(
        10, ge=0, le=3600, description="seconds, 0 to 3600; an idle serving run waits, then ends"
    )
    claim_seconds: float = Field(
        300, gt=0, le=86_400, description="seconds, up to a day; a run then claims no more"
    )
    lease_seconds: float = Field(
        30, gt=0, le=3600, description="seconds, up to 3600; then a dead worker's roles are free"
    )
    optional_steps: types.Names = Field(
        ("skills",), description="names with commas, or `none`; steps after the assessment"
    )
    retry_backoff_seconds: float = Field(
        5, ge=0, le=600, description="seconds, 0 to 600; first pause before a repetition, doubled"
    )

    # assessor
    assessor: Annotated[Literal["exposure", "workflow_api", "llm"], types.Lower] = Field(
        "exposure", description="exposure is built in and needs no network"
    )
    workflow_api_base_url: types.HttpUrl | None = Field(None, description="http(s) URL")
    workflow_api_timeout: float = Field(
        600, gt=0, le=7200, description="seconds, up to 7200; one call takes minutes"
    )
    workflow_api_token: SecretStr | None = Field(None, description="bearer token")
    workflow_api_store_in_neo4j: bool = Field(
        False, description="true or false; whether the service stores its result too"
    )
    llm_base_url: types.HttpUrl | None = Field(
        None, description="http(s) URL of an OpenAI-compatible endpoint"
    )
    llm_model: str | None = Field(None, min_length=1, description="the model's name there")
    llm_api_key: SecretStr | None = Field(None, description="key of the endpoint")
    assessor_max_concurrent: int | None = Field(
        None, ge=1, le=100_000, description="calls outstanding over all runs; none: no limit"
    )
    assessor_max_per_minute: float | None = Field(
        None, gt=0, le=1_000_000, description="calls begun per minute; none: no limit"
    )
    budget_per_day: float | None = Field(
        None, ge=0, description="money, 0 or more, in the unit of the cost; none: no limit"
    )
    budget_per_month: float | None = Field(
        None, ge=0, description="money, 0 or more, in the unit of the cost; none: no limit"
    )
    cost_per_assessment: float | None = Field(
        None, ge=0, description="money, 0 or more, one call; none: unknown"
    )

    # sources
    companies_file: types.AbsolutePath | None = Field(
        None,
        description="JSON list of companies with their taxonomy number, tokens, monthly budget",
    )
    source_interval_seconds: float = Field(
        60, gt=0, le=86_400, description="seconds, up to a day; between looks at the sources"
    )
    taxonomy_api_base_url: types.HttpUrl | None = Field(None, description="http(s) URL")
    taxonomy_api_token: SecretStr | None = Field(None, description="bearer token")
    documents_api_base_url: types.HttpUrl | None = Field(None, description="http(s) URL")
    documents_api_token: SecretStr | None = Field(None, description="bearer token")
    documents_dir: types.AbsolutePath | None = Field(
        None, description="a folder of <company>/<role>/<type>.<ext>, names percent-encoded"
    )
    s3_bucket: str | None = Field(None, min_length=3, max_length=63, description="bucket name")
    s3_endpoint_url: types.HttpUrl | None = Field(
        None, description="http(s) URL of an S3-compatible server; none: AWS"
    )
    allowed_document_hosts: types.HostNames = Field(
        (), description="host names with commas; only these may be named in a caller's https uri"
    )
    push_new_taxonomy_roles: bool = Field(
        True, description="true or false; whether new roles of the taxonomy are pushed at once"
    )

    # staleness
    max_assessment_age_days: float = Field(
        30, gt=0, le=36_500, description="days, fractions allowed; an older assessment is stale"
    )
    assessor_rollout_percent: float = Field(
        20,
        gt=0,
        le=100,
        description="percent of all roles, up to 100; that get a changed assessor in a night",
    )
    nightly_cron: types.Cron = Field("0 2 * * *", description="when stale roles are re-assessed")
    nightly_timezone: types.TimeZone = Field("UTC", description="IANA time zone of the schedule")

    # access
    api_keys_file: types.AbsolutePath | None = Field(
        None, description="JSON list of API keys (made by `etter keys create`)"
    )
    notify_webhook_url: types.SecretHttpUrl | None = Field(
        None, description="http(s) URL that hears of finished pushes"
    )
    notify_webhook_secret: SecretStr | None = Field(
        None, description="key of the signature of notifications"
    )
    rate_limit_per_minute: int | None = Field(
        None, ge=1, le=1_000_000, description="requests per API key; none: no limit"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment and `.env` by our own rules."""
        return init_settings, env.EnvironmentSource(settings_cls, cls.SECRETS, dotenv_settings)

    @model_validator(mode="before")
    @classmethod
    def _names(cls, values: Any) -> Any:
        known = set(cls.model_fields) | {secret + env.FILE_SUFFIX for secret in cls.SECRETS}
        for name in values:
            if name not in known:
                nearest = env.nearest_name(name, known)
                hint = f"; did you mean {nearest}?" if nearest else ""
                raise ValueError(f"{name} is not a setting{hint}")
        return env.with_secrets_read(values, cls.SECRETS)

    @field_validator("*", mode="wrap")
    @classmethod
    def _say_what_is_legal(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            name = info.field_name or ""
            what = "; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors())
            field = cls.model_fields[name]
            raise ValueError(f"{env.PREFIX}{name.upper()}: {what} ({field.description})") from None

    @model_validator(mode="after")
    def _follow(self) -> Settings:
        """Fills the defaults that follow from other settings."""
        follows: dict[str, Any] = {
            "dashboard_base_url": self.rest_base_url,
            "dagster_url": _own_url("127.0.0.1", self.dagster_port),
            "dagster_home": self.data_dir / "dagster",
        }
        for name, value in follows.items():
            if name not in self.model_fields_set:
                object.__setattr__(self, name, value)
        return self

    @property
    def embedded_graph(self) -> bool:
        """Whether the graph is the SQLite file in `data_dir`."""
        return self.neo4j_uri is None

    @property
    def embedded_queue(self) -> bool:
        """Whether the queue is the SQLite file in `data_dir`."""
        return self.redis_host is None

    @property
    def rest_base_url(self) -> str:
        """Where this machine reaches REST, without a path."""
        return _own_url(self.host, self.port)

    def dashboard_url(self, company: str, role_id: str) -> str:
        """The page of a role, percent-encoded.

        Args:
            company: The company's name.
            role_id: The role's id.
        """
        return (
            f"{self.dashboard_base_url}/dashboard/{quote(company, safe='')}"
            f"/roles/{quote(role_id, safe='')}"
        )

    def with_changes(self, **changes: Any) -> Settings:
        """The same settings with some set anew; defaults that follow from them follow.

        Args:
            changes: Values by name, as for `Settings(...)`.
        """
        kept = {name: getattr(self, name) for name in self.model_fields_set if name not in changes}
        return Settings(**kept, **changes)

    def missing_for_production(self) -> list[str]:
        """What `production` lacks here, each with its remedy; whatever the environment is."""
        return missing_for_production(self)

    def missing_stores(self) -> list[str]:
        """Which real stores are not named here, each with its remedy."""
        return missing_stores(self)

    def refuse_to_start(self) -> list[str]:
        """Why a service must not start with these settings; empty if it may."""
        return reasons_not_to_start(self)

    def require_startable(self) -> None:
        """Raises if a service must not start.

        Raises:
            ValueError: Names all that is wrong at once.
        """
        if reasons := self.refuse_to_start():
            raise ValueError("Etter refuses to start: " + "; ".join(reasons))


@functools.cache
def get_settings() -> Settings:
    """The process's settings, read once; a test that changes them calls `.cache_clear()`."""
    return Settings()


def setting_problems(error: ValidationError) -> list[str]:
    """What is wrong with the settings, one line each, for people.

    Args:
        error: What `Settings(...)` raised.
    """
    return [e["msg"].removeprefix("Value error, ") for e in error.errors()]
