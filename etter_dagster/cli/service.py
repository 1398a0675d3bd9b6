"""Reaching the running service: the options that every command of it has, and its client."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from etter_dagster.cli.failures import remember_json
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed

if TYPE_CHECKING:
    from etter_dagster.cli.calling import Service
    from etter_dagster.settings import Settings

Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="JSON on standard output, messages on standard error.",
        callback=remember_json,
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
        help="A file with the API key; by default `api-key` in ETTER_DATA_DIR, if it is there.",
    ),
]
_PREFIX = "/api/v1/pipeline"
_MAX_KEY_BYTES = 1000


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
        ValidationFailed: The file cannot be read, or holds no key.
    """
    path = key_file or settings.data_dir / "api-key"
    if key_file is None and not os.path.exists(path):  # false also where it may not be looked at
        return None
    try:
        with path.expanduser().open("rb") as file:
            key = file.read(_MAX_KEY_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise _no_key(f"{path} cannot be read: {reason}") from None
    if not key or not key.isprintable() or " " in key:
        raise _no_key(f"{path} does not hold one API key; write the key alone into it")
    return key


def _no_key(message: str) -> ValidationFailed:
    return ValidationFailed(FieldProblem("--key-file", message))


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
