"""Types of settings: URLs, host names, lists, schedules. Each says what is legal.

Fields and their bounds stand in `settings.py`.
"""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from etter_dagster.settings_cron import cron_schedule

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


def url_problem(url: str, schemes: tuple[str, ...], *, credentials: bool) -> str | None:
    """Says what is wrong with a URL, or None; never repeats it, as it may hold a secret.

    Args:
        url: The URL.
        schemes: Legal ones.
        credentials: Whether `user:password@` may stand in it.
    """
    legal = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(url)
        port_is_legal = parts.port is None or parts.port > 0
    except ValueError:
        return f"must be a URL that begins with {legal}"
    if parts.scheme not in schemes or not parts.hostname or not port_is_legal:
        return f"must be a URL that begins with {legal}"
    if not credentials and "@" in parts.netloc:
        return "must hold no user name or password; each has a setting of its own"
    return None


def _url(*schemes: str) -> Callable[[str], str]:
    def check(url: str) -> str:
        if problem := url_problem(url, schemes, credentials=False):
            raise ValueError(problem)
        return url.rstrip("/")

    return check


def _secret_url(*schemes: str) -> Callable[[SecretStr], SecretStr]:
    def check(url: SecretStr) -> SecretStr:
        if problem := url_problem(url.get_secret_value(), schemes, credentials=True):
            raise ValueError(problem)
        return url

    return check


def _items(value: Any) -> Any:
    """`a, b` as a tuple; `none` is the empty one, since an empty variable counts as unset."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "none":
        return ()
    return tuple(item.strip() for item in value.split(",") if item.strip())


def _host_name(host: str) -> str:
    try:
        ascii_host = host.strip().rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        ascii_host = ""
    if not _HOST.fullmatch(ascii_host):
        raise ValueError(
            f"'{host}' must be a host name such as docs.example.com, without scheme, port or path"
        )
    return ascii_host


def _address(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return _host_name(host)


def _timezone(name: str) -> str:
    if name != "UTC" and name not in zoneinfo.available_timezones():
        raise ValueError("must be a time zone of the IANA list, such as UTC or America/New_York")
    return name


def _path(path: Path) -> Path:
    # Absolute at once: processes that inherit the settings may run in another directory.
    return path.expanduser().absolute()


HttpUrl = Annotated[str, AfterValidator(_url("http", "https"))]
Neo4jUri = Annotated[
    str,
    AfterValidator(_url("bolt", "neo4j", "bolt+s", "bolt+ssc", "neo4j+s", "neo4j+ssc")),
]
SecretHttpUrl = Annotated[SecretStr, AfterValidator(_secret_url("http", "https"))]
SecretPostgresUrl = Annotated[SecretStr, AfterValidator(_secret_url("postgresql", "postgres"))]
SecretBrokerUrl = Annotated[
    SecretStr, AfterValidator(_secret_url("redis", "rediss", "amqp", "amqps", "sqs"))
]
HostOrAddress = Annotated[str, AfterValidator(_address)]
HostName = Annotated[str, AfterValidator(_host_name)]
HostNames = Annotated[tuple[HostName, ...], BeforeValidator(_items)]
Names = Annotated[tuple[str, ...], BeforeValidator(_items)]
Cron = Annotated[str, AfterValidator(cron_schedule)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
AbsolutePath = Annotated[Path, AfterValidator(_path)]
Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
Lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


def is_loopback(host: str) -> bool:
    """Whether a service that listens on `host` is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
