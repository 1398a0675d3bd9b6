"""Logs: one chain of the standard library for all of Etter's processes, as text or as JSON lines.

Each line has the ids of what it is about: trace, workflow, role, run. No secret passes: values of
secret settings, API keys, bearer tokens and passwords in URLs are masked, wherever they come from.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import TextIO
from urllib.parse import quote, unquote, urlsplit

from etter_dagster.settings import Settings

MASK = "***"
REQUESTS = "etter_dagster.requests"  # one line a request: for collectors, too many for a terminal
_IDS: ContextVar[Mapping[str, str]] = ContextVar("etter_log_ids", default={})  # noqa: B039
_LOOKS_SECRET = (
    re.compile(r"(?P<kept>etk_)[A-Za-z0-9_-]{8,}"),
    re.compile(r"(?P<kept>\b[Bb]earer\s+)[^\s\"',;]{4,}"),
    re.compile(r"(?P<kept>\w://[^\s/:@]*:)[^\s/@]+(?=@)"),
)
# What a terminal obeys, or what begins a line: names and answers come from strangers.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_INDENTED = "\n  "
_LEAST = 4  # a shorter secret is part of ordinary words


@contextlib.contextmanager
def logged(**ids: str | None) -> Iterator[None]:
    """What is logged in this block, its tasks and threads, has these ids.

    Args:
        ids: By name: `trace_id`, `workflow_id`, `role_id`, `run_id`; None is left out.
    """
    given = {name: value for name, value in ids.items() if value is not None}
    token = _IDS.set({**_IDS.get(), **given})
    try:
        yield
    finally:
        _IDS.reset(token)


def log_ids() -> Mapping[str, str]:
    """The ids that a line logged here would have."""
    return _IDS.get()


def configure(settings: Settings, *, logger: str = "", stream: TextIO | None = None) -> None:
    """Sends what is logged to one handler; called again, it replaces that.

    Args:
        settings: `log_format`, `log_level`, and the secrets to mask.
        logger: Below which; the root by default. In a process of somebody else's, ours only.
        stream: Standard error by default.
    """
    handler = _EtterHandler(stream or sys.stderr)
    form = JsonFormatter if settings.log_format == "json" else TextFormatter
    handler.setFormatter(form(secrets_of(settings)))
    target = logging.getLogger(logger)
    for old in [handler for handler in target.handlers if isinstance(handler, _EtterHandler)]:
        target.removeHandler(old)
    target.addHandler(handler)
    target.setLevel(settings.log_level)
    target.propagate = not logger
    as_json = settings.log_format == "json"
    logging.getLogger(REQUESTS).setLevel(logging.NOTSET if as_json else logging.WARNING)
    for name in ("httpx", "httpcore"):  # they log each address that is asked
        logging.getLogger(name).setLevel(logging.WARNING)
    if as_json and not logger:
        # Servers bring handlers of their own, whose lines are not JSON; ours tell of each request.
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "gunicorn.error"):
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = name != "uvicorn.access"


def secrets_of(settings: Settings) -> frozenset[str]:
    """The secrets that settings hold, also as they stand in a URL, and the parts of such a URL."""
    found: set[str] = set()
    for name in settings.SECRETS:
        if (secret := getattr(settings, name)) is None:
            continue
        value = secret.get_secret_value()
        found |= {value, quote(value, safe="")}
        if "://" in value and (password := urlsplit(value).password):
            found |= {password, unquote(password)}
    return frozenset(value for value in found if len(value) >= _LEAST)


def masked(text: str, secrets: frozenset[str] = frozenset()) -> str:
    """A text without secrets.

    Args:
        text: Anything.
        secrets: Values to mask, beside what looks like a secret.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    for pattern in _LOOKS_SECRET:
        text = pattern.sub(rf"\g<kept>{MASK}", text)
    return text


class _EtterHandler(logging.StreamHandler[TextIO]):
    """Ours, so that it is known again."""


class _Formatter(logging.Formatter):
    """What both forms share."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def _masked(self, text: str) -> str:
        return masked(text, self._secrets)

    @staticmethod
    def _time(record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    @staticmethod
    def _trace(record: logging.LogRecord) -> str | None:
        if record.exc_info and record.exc_info[1] is not None:
            return "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        return record.exc_text or None


class JsonFormatter(_Formatter):
    """A JSON object a line: time, level, logger, message, ids, fields given as `extra`, error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": self._time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self._masked(record.getMessage()),
            **{name: self._masked(value) for name, value in _IDS.get().items()},
            **{
                name: self._masked(value) if isinstance(value, str) else value
                for name, value in getattr(record, "fields", {}).items()
            },
        }
        if trace := self._trace(record):
            line["error"] = self._masked(trace)
        # ASCII only: a lone surrogate, or a separator that some collectors split at, cannot stand.
        return json.dumps(line, default=str)


class TextFormatter(_Formatter):
    """A line for a person; ids last. More lines of it, as of a traceback, are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        ids = "".join(f" {name}={value}" for name, value in _IDS.get().items())
        text = f"{self._time(record)} {record.levelname} {record.name}: {record.getMessage()}{ids}"
        if trace := self._trace(record):
            text += f"\n{trace}"
        plain = _CONTROLS.sub(lambda found: repr(found.group())[1:-1], self._masked(text))
        return plain.replace("\n", _INDENTED)


def line_of_program(name: str, line: str, secrets: frozenset[str]) -> str:
    """A line that a program of ours wrote, as JSON, whatever it is.

    Args:
        name: The program.
        line: What it wrote.
        secrets: Values to mask.
    """
    text = masked(line, secrets)
    with contextlib.suppress(ValueError):
        if isinstance(json.loads(text), dict):
            return text
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": now, "level": "INFO", "logger": name, "message": text})
