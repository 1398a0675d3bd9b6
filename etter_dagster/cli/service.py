"""Reaching the running service: the options that every command of it has, and its client."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed

if TYPE_CHECKING:
    from etter_dagster.cli.calling import Service
    from etter_dagster.settings import Settings

Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="JSON on standard output, messages on standard error.",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Where the service is; by default the running `etter up`, else ETTER_HOST and "
        "ETTER_PORT.",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="A file with the API key; by default ETTER_API_KEY or ETTER_API_KEY_FILE, else "
        "`api-key` in ETTER_DATA_DIR, if it is there.",
    ),
]
_PREFIX = "/api/v1/pipeline"


def connect(url: str | None, key_file: Path | None) -> Service:
    """A client of the service.

    Args:
        url: As given; None: as the settings say.
        key_file: As given; None: the usual one, if there is one.

    Raises:
        ValidationFailed: The URL or the key cannot be used.
    """
    from etter_dagster.cli.calling import Service
    from etter_dagster.cli.running import service_url
    from etter_dagster.settings import get_settings

    settings = get_settings()
    return Service(
        checked_url(url) if url is not None else service_url(settings),
        api_key=api_key(key_file, settings),
    )


def checked_url(url: str) -> str:
    """A base URL as the client wants it.

    Args:
        url: As given, perhaps with the path of the API.

    Raises:
        ValidationFailed: It is no http(s) URL.
    """
    base = url.strip().rstrip("/").removesuffix(_PREFIX)
    try:
        parsed = urlsplit(base)
        fine = parsed.scheme in ("http", "https") and parsed.hostname and parsed.port != 0
    except ValueError:
        fine = False
    if not fine or "@" in parsed.netloc or not base.isprintable():
        raise ValidationFailed(
            FieldProblem("--url", "is no URL of a service; give http://HOST:PORT")
        )
    return base


def api_key(key_file: Path | None, settings: Settings) -> str | None:
    """The API key, if there is one.

    Args:
        key_file: As given.
        settings: Name the folder of the usual file.

    Raises:
        ValidationFailed: The key cannot be read or used.
    """
    from etter_dagster.client.api_key import key_in, key_of_environment

    if key_file is not None:
        return key_in(key_file, "--key-file")
    usual = settings.data_dir / "api-key"
    # `exists` is false also where it may not be looked at.
    return key_of_environment() or (key_in(usual, "--key-file") if usual.exists() else None)


def user() -> str | None:
    """Who runs the command, for history and audit."""
    try:
        return getpass.getuser()[:200]
    except (KeyError, OSError, ImportError):  # a user id without a name, in a container
        return None


def not_etter(url: str) -> EtterError:
    """The error of something else that answers where Etter should."""
    return EtterError(
        ErrorCode.STORE_UNAVAILABLE,
        f"what answers at {url} is not Etter; check --url, ETTER_HOST and ETTER_PORT",
        recoverable=False,
    )
